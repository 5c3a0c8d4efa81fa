import type * as ecs from '@aws-sdk/client-ecs'
import type { Clock } from '@berth/shared/clock.ts'
import { newServiceDeploymentId } from '@berth/shared/ids.ts'
import type { Random } from '@berth/shared/random.ts'
import type { Transaction } from './cell.ts'
import {
  type DeploymentRecord,
  ofServiceKey,
  type ServiceDeploymentRecord,
  serviceKey,
  type ServiceRecord,
  type ServiceRevisionRecord,
} from './records.ts'
import { primaryDeployment } from './service-changes.ts'
import { taskDefinitionOfArn } from './service-launch.ts'
import type { ReadonlyTables } from './tables.ts'

/** The id of a deployment's revision: the digits of `ecs-svc/<19 digits>`. */
export const revisionIdOf = ({ id }: Pick<DeploymentRecord, 'id'>): string => id.slice(id.indexOf('/') + 1)

const unfinished: ReadonlySet<ecs.ServiceDeploymentStatus> = new Set([
  'PENDING',
  'IN_PROGRESS',
  'STOP_REQUESTED',
  'ROLLBACK_REQUESTED',
  'ROLLBACK_IN_PROGRESS',
])

/** Whether a service deployment goes on. */
export const isUnfinished = ({ status }: Pick<ServiceDeploymentRecord, 'status'>): boolean => unfinished.has(status)

/** The newest service deployment of a service, if it is known. */
export function currentServiceDeployment(
  tables: ReadonlyTables,
  service: ServiceRecord,
): ServiceDeploymentRecord | undefined {
  const { currentServiceDeployment: id } = service
  return id === undefined ? undefined : tables.serviceDeployments.get(ofServiceKey(keyOf(service), id))
}

/** Writes a service deployment under its key. */
export const putServiceDeployment = (tx: Transaction, record: ServiceDeploymentRecord): void =>
  tx.put('serviceDeployments', ofServiceKey(record.service, record.id), record)

/**
 * Records that a service, as it now is, goes to its PRIMARY deployment: a new revision, and a service deployment, PENDING until the service's
 * controller acts. One that goes on is STOPPED, since the service goes elsewhere. Returns the service with the new one as its current.
 */
export function beginServiceDeployment(
  tx: Transaction,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  service: ServiceRecord,
): ServiceRecord {
  const target = primaryDeployment(service)
  if (target === undefined) return service
  const now = clock.now()
  stopCurrent(tx, service, now)
  const revision = revisionOf(tx.tables, service, target, now)
  tx.put('serviceRevisions', ofServiceKey(revision.service, revision.id), revision)
  const begun: ServiceDeploymentRecord = {
    id: newServiceDeploymentId(random),
    service: revision.service,
    targetRevision: revision.id,
    sourceRevisions: service.deployments.filter((each) => each !== target).map(revisionIdOf),
    status: 'PENDING',
    deploymentConfiguration: service.deploymentConfiguration,
    circuitBreaker: { status: 'DISABLED', failureCount: 0, threshold: 0 },
    createdAt: now,
    updatedAt: now,
  }
  putServiceDeployment(tx, begun)
  return { ...service, currentServiceDeployment: begun.id }
}

function stopCurrent(tx: Transaction, service: ServiceRecord, now: number): void {
  const current = currentServiceDeployment(tx.tables, service)
  if (current === undefined || !isUnfinished(current)) return
  const statusReason = 'A newer deployment of the service began.'
  putServiceDeployment(tx, {
    ...current,
    status: 'STOPPED',
    statusReason,
    stoppedAt: now,
    finishedAt: now,
    updatedAt: now,
  })
}

function revisionOf(
  tables: ReadonlyTables,
  service: ServiceRecord,
  target: DeploymentRecord,
  createdAt: number,
): ServiceRevisionRecord {
  const { taskDefinitionArn, launchType, capacityProviderStrategy, platformVersion, networkConfiguration } = target
  const containers = taskDefinitionOfArn(tables, taskDefinitionArn)?.definition.containerDefinitions ?? []
  return {
    id: revisionIdOf(target),
    service: keyOf(service),
    taskDefinitionArn,
    launchType,
    capacityProviderStrategy,
    ...(platformVersion !== undefined && { platformVersion }),
    ...(networkConfiguration !== undefined && { networkConfiguration }),
    containerImages: containers.map(({ name = '', image = '' }) => ({ containerName: name, image })),
    createdAt,
  }
}

/** Where a service goes when `from` is given up: the last deployment that completed, unless that is `from` itself. */
export function rollbackTarget(
  { deployments, lastCompletedDeployment }: Pick<ServiceRecord, 'deployments' | 'lastCompletedDeployment'>,
  from: DeploymentRecord,
): DeploymentRecord | undefined {
  // A cell written before completed deployments were remembered has them in the list at least.
  const last = lastCompletedDeployment ?? deployments.find(({ rolloutState }) => rolloutState === 'COMPLETED')
  return last === undefined || last.id === from.id ? undefined : last
}

const keyOf = ({ cluster, name }: Pick<ServiceRecord, 'cluster' | 'name'>): string => serviceKey(cluster, name)
