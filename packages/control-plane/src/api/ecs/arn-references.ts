import { type ArnScope, parseArn } from '@berth/shared/arn.ts'
import {
  type ClusterRecord,
  type HostRecord,
  type ServiceRecord,
  serviceKey,
  type TaskDefinitionRecord,
  taskDefinitionKey,
  type TaskRecord,
} from '../../cell/records.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import {
  ApiError,
  type ApiErrorCode,
  clientException,
  clusterNotFound,
  invalidParameter,
  serviceNotFound,
} from '../errors.ts'

/** What ECS calls `default`: the cluster that is meant when none is named. */
export const defaultClusterName = 'default'

/**
 * The name of the cluster that `nameOrArn` means; `default` when it is absent.
 *
 * @throws InvalidParameterException for an ARN of something else, or of another account or region.
 */
export function clusterNameOf(scope: ArnScope, nameOrArn: string | undefined): string {
  if (nameOrArn === undefined || nameOrArn === '') return defaultClusterName
  const path = resourcePath(scope, 'Cluster', 'cluster', nameOrArn)
  if (path === undefined) return nameOrArn
  if (path.length !== 1) throw invalidIdentifier('Cluster')
  return path[0] as string
}

/**
 * The ACTIVE cluster that `nameOrArn` means; `default` when it is absent.
 *
 * @throws ClusterNotFoundException when there is none, or it was deleted; as `clusterNameOf`.
 */
export function resolveCluster(tables: ReadonlyTables, scope: ArnScope, nameOrArn: string | undefined): ClusterRecord {
  const cluster = tables.clusters.get(clusterNameOf(scope, nameOrArn))
  if (cluster === undefined) throw clusterNotFound()
  if (cluster.status !== 'ACTIVE')
    throw new ApiError('ClusterNotFoundException', 'The referenced cluster was inactive.')
  return cluster
}

/**
 * The name of the service of `cluster` that `nameOrArn` means, whether or not it exists.
 *
 * @throws InvalidParameterException for an ARN of something else, or of another cluster, account or region.
 */
export const serviceNameOf = (scope: ArnScope, cluster: string, nameOrArn: string): string =>
  nameWithinCluster(scope, cluster, 'Service', 'service', nameOrArn)

/**
 * The service that `nameOrArn` means, whatever its status.
 *
 * @throws ServiceNotFoundException when there is none; as `serviceNameOf`.
 */
export function resolveService(
  tables: ReadonlyTables,
  scope: ArnScope,
  cluster: string,
  nameOrArn: string,
): ServiceRecord {
  const service = tables.services.get(serviceKey(cluster, serviceNameOf(scope, cluster, nameOrArn)))
  if (service === undefined) throw serviceNotFound()
  return service
}

/**
 * The id of the task of `cluster` that `idOrArn` means, whether or not it exists.
 *
 * @throws InvalidParameterException for an ARN of something else, or of another cluster, account or region.
 */
export const taskIdOf = (scope: ArnScope, cluster: string, idOrArn: string): string =>
  nameWithinCluster(scope, cluster, 'Task', 'task', idOrArn)

/** The task of `cluster` that `idOrArn` means; `undefined` when there is none. @throws as `taskIdOf`. */
export function findTask(
  tables: ReadonlyTables,
  scope: ArnScope,
  cluster: string,
  idOrArn: string,
): TaskRecord | undefined {
  const task = tables.tasks.get(taskIdOf(scope, cluster, idOrArn))
  return task?.cluster === cluster ? task : undefined
}

/**
 * The task that `idOrArn` means.
 *
 * @throws InvalidParameterException `The referenced task was not found.`; as `taskIdOf`.
 */
export function resolveTask(tables: ReadonlyTables, scope: ArnScope, cluster: string, idOrArn: string): TaskRecord {
  const task = findTask(tables, scope, cluster, idOrArn)
  if (task === undefined) throw invalidParameter('The referenced task was not found.')
  return task
}

/**
 * The id of the container instance of `cluster` that `idOrArn` means, whether or not it exists.
 *
 * @throws InvalidParameterException for an ARN of something else, or of another cluster, account or region.
 */
export const containerInstanceIdOf = (scope: ArnScope, cluster: string, idOrArn: string): string =>
  nameWithinCluster(scope, cluster, 'Container instance', 'container-instance', idOrArn)

/** The container instance of `cluster` that `idOrArn` means; `undefined` when there is none. @throws as `containerInstanceIdOf`. */
export function findContainerInstance(
  tables: ReadonlyTables,
  scope: ArnScope,
  cluster: string,
  idOrArn: string,
): HostRecord | undefined {
  const host = tables.hosts.get(containerInstanceIdOf(scope, cluster, idOrArn))
  return host?.cluster === cluster ? host : undefined
}

/**
 * The container instance that `idOrArn` means.
 *
 * @throws InvalidParameterException `The referenced container instance was not found.`; as `containerInstanceIdOf`.
 */
export function resolveContainerInstance(
  tables: ReadonlyTables,
  scope: ArnScope,
  cluster: string,
  idOrArn: string,
): HostRecord {
  const host = findContainerInstance(tables, scope, cluster, idOrArn)
  if (host === undefined) throw invalidParameter('The referenced container instance was not found.')
  return host
}

/** `family`, `family:revision` or an ARN, taken apart. */
export interface TaskDefinitionReference {
  readonly family: string
  /** Absent: the newest ACTIVE one is meant. */
  readonly revision?: number
  /** Whether an ARN of another account or region was given: it names nothing that is here. */
  readonly foreign: boolean
}

/**
 * Takes a reference to a task definition apart.
 *
 * @throws ClientException `Invalid revision number. Number: foo` when what follows the colon is no revision;
 *   InvalidParameterException for an ARN of something else.
 */
export function parseTaskDefinitionReference(scope: ArnScope, reference: string): TaskDefinitionReference {
  const arn = parseArn(reference)
  if (arn !== undefined && (arn.path[0] !== 'task-definition' || arn.path.length !== 2))
    throw invalidIdentifier('TaskDefinition')
  const foreign = arn !== undefined && !isOurs(scope, arn)
  const [family = '', number, ...rest] = (arn?.path[1] ?? reference).split(':')
  if (number === undefined) return { family, foreign }
  if (rest.length > 0 || !/^[1-9]\d{0,8}$/.test(number))
    throw clientException(`Invalid revision number. Number: ${[number, ...rest].join(':')}`)
  return { family, revision: Number(number), foreign }
}

/**
 * The task definition that `reference` means, or `undefined` when there is none: of a family alone the newest ACTIVE
 * revision, of a revision that one whatever its status.
 *
 * @throws as `parseTaskDefinitionReference`.
 */
export function findTaskDefinition(
  tables: ReadonlyTables,
  scope: ArnScope,
  reference: string,
): TaskDefinitionRecord | undefined {
  const { family, revision, foreign } = parseTaskDefinitionReference(scope, reference)
  if (foreign) return undefined
  if (revision !== undefined) return tables.taskDefinitions.get(taskDefinitionKey(family, revision))
  return newestActiveRevision(tables, family)
}

/**
 * The task definition that a task or service is to be made from, which must be ACTIVE.
 *
 * @param inactive the exception that says `TaskDefinition is inactive`: RunTask and StartTask answer
 *   InvalidParameterException, CreateService and UpdateService ClientException.
 * @throws ClientException `TaskDefinition not found.`; as `parseTaskDefinitionReference`.
 */
export function resolveTaskDefinition(
  tables: ReadonlyTables,
  scope: ArnScope,
  reference: string,
  inactive: Extract<ApiErrorCode, 'ClientException' | 'InvalidParameterException'> = 'ClientException',
): TaskDefinitionRecord {
  const definition = findTaskDefinition(tables, scope, reference)
  if (definition === undefined) throw clientException('TaskDefinition not found.')
  if (definition.status !== 'ACTIVE') throw new ApiError(inactive, 'TaskDefinition is inactive')
  return definition
}

/** From the highest revision down, since it is nearly always the first. */
function newestActiveRevision(tables: ReadonlyTables, family: string): TaskDefinitionRecord | undefined {
  for (let revision = tables.families.get(family)?.latestRevision ?? 0; revision > 0; revision--) {
    const definition = tables.taskDefinitions.get(taskDefinitionKey(family, revision))
    if (definition?.status === 'ACTIVE') return definition
  }
  return undefined
}

/** `task/<cluster>/<id>`, the older `task/<id>`, or the id alone. */
function nameWithinCluster(scope: ArnScope, cluster: string, title: string, kind: string, nameOrArn: string): string {
  const path = resourcePath(scope, title, kind, nameOrArn) ?? nameOrArn.split('/')
  const name = path.at(-1)
  if (path.length > 2 || name === undefined || name === '') throw invalidIdentifier(title)
  if (path.length === 2 && path[0] !== cluster)
    throw invalidParameter(`Invalid identifier: Identifier is for cluster ${path[0]}. Your cluster is ${cluster}`)
  return name
}

/** What follows `<kind>/` in an ARN; `undefined` when `text` is no ARN. */
function resourcePath(scope: ArnScope, title: string, kind: string, text: string): readonly string[] | undefined {
  const arn = parseArn(text)
  if (arn === undefined) return undefined
  if (arn.service !== 'ecs' || arn.path[0] !== kind) throw invalidIdentifier(title)
  if (arn.region !== scope.region)
    throw invalidParameter(`Invalid identifier: Identifier is for ${arn.region}. Your region is ${scope.region}`)
  if (arn.account !== scope.account)
    throw invalidParameter(`Invalid identifier: Identifier is for ${arn.account}. Your accountId is ${scope.account}`)
  return arn.path.slice(1)
}

const isOurs = (scope: ArnScope, arn: { readonly region: string; readonly account: string }): boolean =>
  arn.region === scope.region && arn.account === scope.account

const invalidIdentifier = (title: string): ApiError => invalidParameter(`${title} Identifier is invalid`)
