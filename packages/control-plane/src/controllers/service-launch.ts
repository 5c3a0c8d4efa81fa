import type { DeploymentRecord, ServiceRecord, TagRecord, TaskDefinitionRecord } from '../cell/records.ts'
import type { TaskLaunch } from '../cell/task-launch.ts'

/** What the tasks of a deployment are launched from. */
export function serviceLaunch(
  service: ServiceRecord,
  deployment: DeploymentRecord,
  definition: TaskDefinitionRecord,
): TaskLaunch {
  const provider = deployment.capacityProviderStrategy[0]?.capacityProvider
  return {
    cluster: service.cluster,
    definition,
    launchType: deployment.launchType,
    ...(provider !== undefined && { capacityProviderName: provider }),
    group: `service:${service.name}`,
    startedBy: deployment.id,
    serviceName: service.name,
    deploymentId: deployment.id,
    overrides: {},
    ...(deployment.networkConfiguration && { networkConfiguration: deployment.networkConfiguration }),
    placementConstraints: service.placementConstraints,
    placementStrategy: service.placementStrategy,
    ...(deployment.platformVersion !== undefined && { platformVersion: deployment.platformVersion }),
    enableExecuteCommand: service.enableExecuteCommand,
    tags: taskTags(service, definition),
  }
}

/** Propagated tags, and the ones that ECS manages: of equal keys, its own count. */
function taskTags(service: ServiceRecord, definition: TaskDefinitionRecord): TagRecord {
  const propagated =
    service.propagateTags === 'SERVICE'
      ? service.tags
      : service.propagateTags === 'TASK_DEFINITION'
        ? definition.tags
        : {}
  if (!service.enableECSManagedTags) return propagated
  return {
    ...propagated,
    'aws:ecs:clusterName': service.cluster,
    'aws:ecs:serviceName': service.name,
  }
}
