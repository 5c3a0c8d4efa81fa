import type { Transaction } from './cell.ts'
import { ofServiceKey, serviceKey, type ServiceRecord, type TaskSetRecord } from './records.ts'
import type { ReadonlyTables } from './tables.ts'

/**
 * How many tasks a task set is to have: its share of the service's desired count, rounded up (ECS API reference,
 * `TaskSet.computedDesiredCount`). One that is being deleted is to have none.
 */
export function computedDesiredCount(
  { desiredCount }: Pick<ServiceRecord, 'desiredCount'>,
  { status, scalePercent }: Pick<TaskSetRecord, 'status' | 'scalePercent'>,
): number {
  if (status === 'DRAINING') return 0
  // A share that is a whole number of tasks may come out of floating point a hair above it.
  return Math.ceil(Number(((desiredCount * scalePercent) / 100).toFixed(6)))
}

/** The task sets of a service, oldest first. */
export const taskSetsOf = (
  tables: ReadonlyTables,
  { cluster, name }: Pick<ServiceRecord, 'cluster' | 'name'>,
): TaskSetRecord[] =>
  [...tables.taskSets.by('service', serviceKey(cluster, name))].sort(
    (a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1),
  )

/** Writes a task set under its key. */
export const putTaskSet = (tx: Transaction, taskSet: TaskSetRecord): void =>
  tx.put('taskSets', ofServiceKey(taskSet.service, taskSet.id), taskSet)

/** Takes a task set, whose tasks are gone, out of the cell. */
export const deleteTaskSet = (tx: Transaction, { service, id }: TaskSetRecord): void =>
  tx.delete('taskSets', ofServiceKey(service, id))

/** The task set with another scale or status. It is not stable until its service's controller has found it so. */
export const changedTaskSet = (
  taskSet: TaskSetRecord,
  changes: Partial<Pick<TaskSetRecord, 'scalePercent' | 'status'>>,
  now: number,
): TaskSetRecord => ({
  ...taskSet,
  ...changes,
  ...(taskSet.stable && { stable: false, stabilityAt: now }),
  updatedAt: now,
})

/** The service with what its tasks are made from as its primary task set says, or with nothing of it where it has none. */
export function followPrimaryTaskSet(service: ServiceRecord, primary: TaskSetRecord | undefined): ServiceRecord {
  const { taskDefinitionArn: _d, launchType: _l, platformVersion: _p, networkConfiguration: _n, ...rest } = service
  if (primary === undefined) return { ...rest, capacityProviderStrategy: [] }
  const { taskDefinitionArn, launchType, capacityProviderStrategy, platformVersion, networkConfiguration } = primary
  return {
    ...rest,
    taskDefinitionArn,
    ...(capacityProviderStrategy.length === 0 && { launchType }),
    capacityProviderStrategy,
    ...(platformVersion !== undefined && { platformVersion }),
    ...(networkConfiguration !== undefined && { networkConfiguration }),
  }
}
