import type { TaskDefinitionRecord } from './records.ts'
import type { ReadonlyTables } from './tables.ts'

/**
 * The task definitions whose deletion was asked for and that nothing uses any more: no task that has not stopped, no
 * service and none of its deployments or task sets. Their records can go; their numbers stay with the family.
 */
export function deletableTaskDefinitions(tables: ReadonlyTables): readonly TaskDefinitionRecord[] {
  const asked = Array.from(tables.taskDefinitions.values()).filter(({ status }) => status === 'DELETE_IN_PROGRESS')
  if (asked.length === 0) return []
  const used = usedTaskDefinitions(tables)
  return asked.filter(({ arn }) => !used.has(arn))
}

function usedTaskDefinitions(tables: ReadonlyTables): ReadonlySet<string> {
  const used = new Set<string>()
  for (const task of tables.tasks.values()) if (task.lastStatus !== 'STOPPED') used.add(task.taskDefinitionArn)
  for (const service of tables.services.values()) {
    if (service.status === 'INACTIVE') continue
    if (service.taskDefinitionArn !== undefined) used.add(service.taskDefinitionArn)
    for (const deployment of service.deployments) used.add(deployment.taskDefinitionArn)
  }
  for (const { taskDefinitionArn } of tables.taskSets.values()) used.add(taskDefinitionArn)
  return used
}
