/** An error as clients know it: its HTTP status, and whether clients should look for the fault at their own side. */
interface CatalogueEntry {
  readonly httpStatus: number
  readonly fault: 'client' | 'server'
}

const client = { httpStatus: 400, fault: 'client' } as const

/** The exceptions of the ECS model. All carry only a message, but for `ConflictException`'s `resourceIds`. */
const modelled = {
  AccessDeniedException: client,
  AttributeLimitExceededException: client,
  BlockedException: client,
  ClientException: client,
  ClusterContainsCapacityProviderException: client,
  ClusterContainsContainerInstancesException: client,
  ClusterContainsServicesException: client,
  ClusterContainsTasksException: client,
  ClusterNotFoundException: client,
  ConflictException: client,
  DaemonNotActiveException: client,
  DaemonNotFoundException: client,
  GatewayNotFoundException: client,
  InvalidParameterException: client,
  LimitExceededException: client,
  MissingVersionException: client,
  NamespaceNotFoundException: client,
  NoUpdateAvailableException: client,
  PlatformTaskDefinitionIncompatibilityException: client,
  PlatformUnknownException: client,
  ResourceInUseException: client,
  ResourceNotFoundException: client,
  ServerException: { httpStatus: 500, fault: 'server' },
  ServiceDeploymentNotFoundException: client,
  ServiceNotActiveException: client,
  ServiceNotFoundException: client,
  TargetNotConnectedException: client,
  TargetNotFoundException: client,
  TaskSetNotFoundException: client,
  UnsupportedFeatureException: client,
  UpdateInProgressException: client,
} as const satisfies Record<string, CatalogueEntry>

/** What goes wrong before an operation is reached: signature, size, encoding. The statuses are those of AWS's JSON services. */
const wire = {
  IncompleteSignatureException: client,
  InvalidSignatureException: client,
  MissingAuthenticationTokenException: client,
  RequestEntityTooLargeException: { httpStatus: 413, fault: 'client' },
  RequestHeaderFieldsTooLargeException: { httpStatus: 431, fault: 'client' },
  RequestTimeoutException: { httpStatus: 408, fault: 'client' },
  SerializationException: client,
  ThrottlingException: client,
  UnknownOperationException: client,
  UnrecognizedClientException: client,
  UnsupportedMediaTypeException: { httpStatus: 415, fault: 'client' },
} as const satisfies Record<string, CatalogueEntry>

/** Every error that Berth's ECS API answers with. */
export const errorCatalogue = { ...modelled, ...wire }

/** The `__type` of an answer that is an error. */
export type ApiErrorCode = keyof typeof errorCatalogue

/** The codes of the ECS model, in its order. */
export const modelledErrorCodes = Object.keys(modelled) as readonly (keyof typeof modelled)[]
