import type { CapacityProviderStrategyItem, Deployment, Service } from '@aws-sdk/client-ecs'
import { type ArnScope, clusterArn, serviceDeploymentArn, serviceRevisionArn } from '@berth/shared/arn.ts'
import { type DeploymentRecord, serviceKey, type ServiceRecord, type TaskRecord } from '../../cell/records.ts'
import { serviceEvents } from '../../cell/service-changes.ts'
import { revisionIdOf } from '../../cell/service-deployments.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import { countTasks } from '../../cell/task-health.ts'
import { taskSetsOf } from '../../cell/task-sets.ts'
import { resolvedPlatformVersion } from './launch-choice.ts'
import { tagListOf } from './tag-set.ts'
import { taskSetAnswer } from './task-set-json.ts'

/** A service as ECS answers it, its tasks counted now. Tags are shown where they were asked for, else the list is empty. */
export function serviceAnswer(
  scope: ArnScope,
  tables: ReadonlyTables,
  service: ServiceRecord,
  { includeTags }: { readonly includeTags: boolean },
): Service {
  const tasks = [...tables.tasks.by('serviceUnsettled', serviceKey(service.cluster, service.name))]
  const { running, pending } = countTasks(tasks)
  const onFargate = service.platformVersion !== undefined
  return {
    serviceArn: service.arn,
    serviceName: service.name,
    clusterArn: clusterArn(scope, service.cluster),
    loadBalancers: [],
    serviceRegistries: [],
    status: service.status,
    desiredCount: service.desiredCount,
    runningCount: running,
    pendingCount: pending,
    launchType: service.launchType,
    ...strategyAnswer(service.capacityProviderStrategy),
    platformVersion: service.platformVersion,
    ...(onFargate && { platformFamily: 'Linux' }),
    taskDefinition: service.taskDefinitionArn,
    deploymentConfiguration: service.deploymentConfiguration,
    ...taskSetsAnswer(scope, tables, service),
    deployments: service.deployments.map((deployment) => deploymentAnswer(deployment, tasks)),
    roleArn: service.role,
    events: serviceEvents(tables, service.cluster, service.name).map(({ id, createdAt, message }) => ({
      id,
      createdAt: new Date(createdAt),
      message,
    })),
    createdAt: new Date(service.createdAt),
    ...currentAnswer(scope, service, tasks),
    placementConstraints: [...service.placementConstraints],
    placementStrategy: [...service.placementStrategy],
    networkConfiguration: service.networkConfiguration,
    healthCheckGracePeriodSeconds: service.healthCheckGracePeriodSeconds,
    schedulingStrategy: service.schedulingStrategy,
    deploymentController: { type: service.deploymentController },
    tags: includeTags ? tagListOf(service.tags) : [],
    createdBy: service.createdBy,
    enableECSManagedTags: service.enableECSManagedTags,
    propagateTags: service.propagateTags,
    enableExecuteCommand: service.enableExecuteCommand,
    availabilityZoneRebalancing: service.availabilityZoneRebalancing,
  }
}

/** Only what an external controller deploys has task sets, and it has no deployments. */
const taskSetsAnswer = (scope: ArnScope, tables: ReadonlyTables, service: ServiceRecord): Pick<Service, 'taskSets'> =>
  service.deploymentController === 'EXTERNAL'
    ? {
        taskSets: taskSetsOf(tables, service).map((set) =>
          taskSetAnswer(scope, tables, service, set, { includeTags: false }),
        ),
      }
    : {}

/** Where the service goes, and the revisions that its tasks are of. */
function currentAnswer(
  scope: ArnScope,
  { cluster, name, deployments, currentServiceDeployment: id }: ServiceRecord,
  tasks: readonly TaskRecord[],
): Pick<Service, 'currentServiceDeployment' | 'currentServiceRevisions'> {
  if (id === undefined) return {}
  return {
    currentServiceDeployment: serviceDeploymentArn(scope, cluster, name, id),
    currentServiceRevisions: deployments.map((deployment) => {
      const { running, pending } = countTasks(tasks.filter(({ deploymentId }) => deploymentId === deployment.id))
      return {
        arn: serviceRevisionArn(scope, cluster, name, revisionIdOf(deployment)),
        requestedTaskCount: deployment.desiredCount,
        runningTaskCount: running,
        pendingTaskCount: pending,
      }
    }),
  }
}

/** Beside a launch type ECS shows no strategy at all. */
const strategyAnswer = (strategy: readonly CapacityProviderStrategyItem[]) =>
  strategy.length > 0 && { capacityProviderStrategy: [...strategy] }

function deploymentAnswer(deployment: DeploymentRecord, serviceTasks: readonly TaskRecord[]): Deployment {
  const { running, pending } = countTasks(serviceTasks.filter(({ deploymentId }) => deploymentId === deployment.id))
  const platformVersion = resolvedPlatformVersion(deployment.platformVersion)
  return {
    id: deployment.id,
    status: deployment.status,
    taskDefinition: deployment.taskDefinitionArn,
    desiredCount: deployment.desiredCount,
    pendingCount: pending,
    runningCount: running,
    failedTasks: deployment.failedTasks,
    createdAt: new Date(deployment.createdAt),
    updatedAt: new Date(deployment.updatedAt),
    ...(deployment.capacityProviderStrategy.length > 0
      ? strategyAnswer(deployment.capacityProviderStrategy)
      : { launchType: deployment.launchType }),
    ...(platformVersion !== undefined && { platformVersion, platformFamily: 'Linux' }),
    networkConfiguration: deployment.networkConfiguration,
    rolloutState: deployment.rolloutState,
    rolloutStateReason: deployment.rolloutStateReason,
  }
}
