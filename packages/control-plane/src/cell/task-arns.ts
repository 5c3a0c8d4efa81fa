import { type ArnScope, containerArn, parseArn, taskArn } from '@berth/shared/arn.ts'
import type { TaskContainerRecord, TaskRecord } from './records.ts'
import type { ReadonlyTables } from './tables.ts'

/** The ARN of a task, which its record does not hold: there may be a million of them. */
export const arnOfTask = (scope: ArnScope, { cluster, id }: Pick<TaskRecord, 'cluster' | 'id'>): string =>
  taskArn(scope, cluster, id)

/** The ARN of a container of a task. */
export const arnOfContainer = (
  scope: ArnScope,
  { cluster, id }: Pick<TaskRecord, 'cluster' | 'id'>,
  container: Pick<TaskContainerRecord, 'id'>,
): string => containerArn(scope, cluster, id, container.id)

/** The task that an ARN names, if there is one. */
export function taskOfArn(tables: ReadonlyTables, scope: ArnScope, arn: string): TaskRecord | undefined {
  const task = tables.tasks.get(parseArn(arn)?.path.at(-1) ?? '')
  return task !== undefined && arnOfTask(scope, task) === arn ? task : undefined
}
