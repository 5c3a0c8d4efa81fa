import type { ArnScope } from '@berth/shared/arn.ts'
import { TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { taskDefinitionKey, type TaskRecord } from '../cell/records.ts'
import type { ReadonlyTables } from '../cell/tables.ts'
import { pinnedDigests } from '../cell/version-consistency.ts'
import { taskAssignment } from './task-assignment.ts'

/** Everything that a host must run or bring to its end: its tasks that the cell has not seen STOPPED. */
export function assignmentsOfHost(tables: ReadonlyTables, hostId: string, scope: ArnScope): TaskAssignment[] {
  const assignments: TaskAssignment[] = []
  for (const task of tables.tasks.by('host', hostId)) {
    const assignment = assignmentOf(tables, task, scope)
    if (assignment) assignments.push(assignment)
  }
  return assignments
}

/** What a host is told of one task; nothing when its definition is gone, which the reaper never allows while the task is alive. */
export function assignmentOf(tables: ReadonlyTables, task: TaskRecord, scope: ArnScope): TaskAssignment | undefined {
  const definition = tables.taskDefinitions.get(taskDefinitionKey(task.family, task.revision))
  if (definition) return taskAssignment(task, definition, scope, pinnedDigests(tables, task))
  if (!task.handedBack) return undefined
  const shouldRun = task.desiredStatus === 'RUNNING'
  return TaskAssignment.fromPartial({ ...task.handedBack, shouldRun, stopReason: task.stoppedReason ?? '' })
}
