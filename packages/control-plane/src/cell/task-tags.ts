import type { ServiceRecord, TagRecord, TaskDefinitionRecord } from './records.ts'

/** The tags that ECS itself gives to tasks where `enableECSManagedTags` asks for it. */
export const managedTags = (cluster: string, serviceName?: string): TagRecord => ({
  'aws:ecs:clusterName': cluster,
  ...(serviceName !== undefined && { 'aws:ecs:serviceName': serviceName }),
})

/** The tags of a task that a service starts, from the service or its definition as `propagateTags` says. */
export function serviceTaskTags(service: ServiceRecord, definition: TaskDefinitionRecord): TagRecord {
  const propagated = { NONE: {}, SERVICE: service.tags, TASK_DEFINITION: definition.tags }[service.propagateTags]
  return { ...propagated, ...(service.enableECSManagedTags && managedTags(service.cluster, service.name)) }
}
