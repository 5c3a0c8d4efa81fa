import type {
  DeploymentLifecycleHookDetail,
  ServiceDeployment,
  ServiceDeploymentBrief,
  ServiceRevision,
  ServiceRevisionSummary,
} from '@aws-sdk/client-ecs'
import { type ArnScope, clusterArn, serviceArn, serviceDeploymentArn, serviceRevisionArn } from '@berth/shared/arn.ts'
import type { PauseRecord, ServiceDeploymentRecord, ServiceRevisionRecord } from '../../cell/records.ts'
import { isUnfinished, revisionIdOf } from '../../cell/service-deployments.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import { countTasks } from '../../cell/task-health.ts'
import { resolvedPlatformVersion } from './launch-choice.ts'

/** Cluster and name of the service that a record is of. */
function serviceOf({ service }: Pick<ServiceDeploymentRecord, 'service'>): [cluster: string, name: string] {
  const slash = service.indexOf('/')
  return [service.slice(0, slash), service.slice(slash + 1)]
}

const dated = (at: number | undefined): Date | undefined => (at === undefined ? undefined : new Date(at))

/** What both answers about a service deployment say. */
function commonAnswer(scope: ArnScope, record: ServiceDeploymentRecord) {
  const [cluster, name] = serviceOf(record)
  return {
    serviceDeploymentArn: serviceDeploymentArn(scope, cluster, name, record.id),
    serviceArn: serviceArn(scope, cluster, name),
    clusterArn: clusterArn(scope, cluster),
    createdAt: dated(record.createdAt),
    startedAt: dated(record.startedAt),
    finishedAt: dated(record.finishedAt),
    status: record.status,
    statusReason: record.statusReason,
  }
}

/** A service deployment as a list shows it. */
export const serviceDeploymentBrief = (scope: ArnScope, record: ServiceDeploymentRecord): ServiceDeploymentBrief => ({
  ...commonAnswer(scope, record),
  targetServiceRevisionArn: serviceRevisionArn(scope, ...serviceOf(record), record.targetRevision),
})

/** A service deployment as ECS describes it, with the tasks of its revisions counted now. */
export function serviceDeploymentAnswer(
  scope: ArnScope,
  tables: ReadonlyTables,
  record: ServiceDeploymentRecord,
): ServiceDeployment {
  const { rollback } = record
  return {
    ...commonAnswer(scope, record),
    stoppedAt: dated(record.stoppedAt),
    updatedAt: dated(record.updatedAt),
    lifecycleStage: record.lifecycleStage,
    ...(record.pauses !== undefined && {
      lifecycleHookDetails: record.pauses.map((pause) => pauseAnswer(record, pause)),
    }),
    sourceServiceRevisions: record.sourceRevisions.map((id) => revisionSummary(scope, tables, record, id)),
    targetServiceRevision: revisionSummary(scope, tables, record, record.targetRevision),
    deploymentConfiguration: record.deploymentConfiguration,
    ...(rollback && {
      rollback: {
        reason: rollback.reason,
        startedAt: dated(rollback.startedAt),
        serviceRevisionArn: serviceRevisionArn(scope, ...serviceOf(record), rollback.revision),
      },
    }),
    deploymentCircuitBreaker: record.circuitBreaker,
    alarms: { status: 'DISABLED', alarmNames: [], triggeredAlarmNames: [] },
  }
}

/** A pause that nobody ended before its deployment did has failed. */
const pauseAnswer = (record: ServiceDeploymentRecord, pause: PauseRecord): DeploymentLifecycleHookDetail => ({
  hookId: pause.hookId,
  targetType: 'PAUSE',
  status: pause.status === 'AWAITING_ACTION' && !isUnfinished(record) ? 'FAILED' : pause.status,
  expiresAt: new Date(pause.expiresAt),
  timeoutAction: pause.timeoutAction,
})

function revisionSummary(
  scope: ArnScope,
  tables: ReadonlyTables,
  { service }: ServiceDeploymentRecord,
  id: string,
): ServiceRevisionSummary {
  const deployment = tables.services.get(service)?.deployments.find((each) => revisionIdOf(each) === id)
  const tasks = [...tables.tasks.by('serviceUnsettled', service)]
  const { running, pending } = countTasks(tasks.filter(({ deploymentId }) => deploymentId === `ecs-svc/${id}`))
  return {
    arn: serviceRevisionArn(scope, ...serviceOf({ service }), id),
    requestedTaskCount: deployment?.desiredCount ?? 0,
    runningTaskCount: running,
    pendingTaskCount: pending,
  }
}

/** A service revision as ECS describes it. */
export function serviceRevisionAnswer(scope: ArnScope, record: ServiceRevisionRecord): ServiceRevision {
  const [cluster, name] = serviceOf(record)
  const { capacityProviderStrategy: strategy } = record
  const platformVersion = resolvedPlatformVersion(record.platformVersion)
  return {
    serviceRevisionArn: serviceRevisionArn(scope, cluster, name, record.id),
    serviceArn: serviceArn(scope, cluster, name),
    clusterArn: clusterArn(scope, cluster),
    taskDefinition: record.taskDefinitionArn,
    ...(strategy.length > 0 ? { capacityProviderStrategy: [...strategy] } : { launchType: record.launchType }),
    ...(platformVersion !== undefined && { platformVersion, platformFamily: 'Linux' }),
    loadBalancers: [],
    serviceRegistries: [],
    networkConfiguration: record.networkConfiguration,
    containerImages: [...record.containerImages],
    guardDutyEnabled: false,
    createdAt: new Date(record.createdAt),
  }
}
