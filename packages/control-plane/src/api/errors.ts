import { type ApiErrorCode, errorCatalogue } from './error-catalogue.ts'

export type { ApiErrorCode } from './error-catalogue.ts'

/** What an `ApiError` may carry besides its code and message. */
export interface ApiErrorOptions {
  /** Further members of the answer's body, such as `resourceIds` of a `ConflictException`. */
  readonly fields?: Readonly<Record<string, unknown>>
  /** Overrides the catalogue's status. */
  readonly httpStatus?: number
  /** What led to this; goes to the log, never to the client. */
  readonly cause?: unknown
}

/** An answer that is an error. Handlers throw it; anything else they throw becomes a `ServerException`. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ApiErrorCode
  readonly httpStatus: number
  readonly fields: Readonly<Record<string, unknown>>

  constructor(code: ApiErrorCode, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.httpStatus = options.httpStatus ?? errorCatalogue[code].httpStatus
    this.fields = options.fields ?? {}
  }
}

/** The body of the answer, as the JSON protocols have it: boto3 takes the code from `__type` only. */
export const errorBody = (error: ApiError): string =>
  JSON.stringify({ __type: error.code, message: error.message, ...error.fields })

/** ECS's general refusal of what a client asked for. */
export const clientException = (message: string): ApiError => new ApiError('ClientException', message)

/** A parameter is wrong, or does not fit what is there. */
export const invalidParameter = (message: string): ApiError => new ApiError('InvalidParameterException', message)

/** The cluster that was named does not exist. The text is ECS's own, which clients match on. */
export const clusterNotFound = (): ApiError => new ApiError('ClusterNotFoundException', 'Cluster not found.')

/** The service that was named does not exist. */
export const serviceNotFound = (): ApiError => new ApiError('ServiceNotFoundException', 'Service not found.')

/** The service that was named is INACTIVE or DRAINING. */
export const serviceNotActive = (): ApiError => new ApiError('ServiceNotActiveException', 'Service was not ACTIVE.')

/** The task set that was named does not exist. */
export const taskSetNotFound = (): ApiError =>
  new ApiError('TaskSetNotFoundException', 'The specified task set does not exist.')

/** The service deployment that was named does not exist. */
export const serviceDeploymentNotFound = (): ApiError =>
  new ApiError('ServiceDeploymentNotFoundException', 'The service deployment was not found.')

/** The resource that was named does not exist. */
export const resourceNotFound = (message: string): ApiError => new ApiError('ResourceNotFoundException', message)

/** Something modelled by ECS that Berth does not do: said clearly, never dropped. */
export const unsupportedFeature = (message: string): ApiError => new ApiError('UnsupportedFeatureException', message)

/** A quota would be exceeded. */
export const limitExceeded = (message: string): ApiError => new ApiError('LimitExceededException', message)

/** Resources of the same name are in the way. */
export const conflict = (message: string, resourceIds: readonly string[]): ApiError =>
  new ApiError('ConflictException', message, { fields: { resourceIds } })

/** A failure of Berth's own, status 500. `cause` is for the log. */
export const serverException = (message: string, cause?: unknown): ApiError =>
  new ApiError('ServerException', message, { cause })

/** The store did not confirm the change, or nobody leads the cell: status 503, so that clients try again. */
export const storeUnavailable = (cause?: unknown): ApiError =>
  new ApiError('ServerException', 'The store is unavailable. Try again.', { httpStatus: 503, cause })
