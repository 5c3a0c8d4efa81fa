import { taskStatusRank } from '@berth/shared/task-status.ts'
import type { TaskRecord } from './records.ts'

/**
 * The health of a task by the developer guide's rule: UNHEALTHY when an essential container with a health check is, HEALTHY when all of
 * those are, and UNKNOWN else; a task without any such check is UNKNOWN.
 */
export function taskHealth(task: Pick<TaskRecord, 'containers'>): 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN' {
  const checked = task.containers.filter(({ essential, hasHealthCheck }) => essential && hasHealthCheck)
  if (checked.some(({ healthStatus }) => healthStatus === 'UNHEALTHY')) return 'UNHEALTHY'
  if (checked.length > 0 && checked.every(({ healthStatus }) => healthStatus === 'HEALTHY')) return 'HEALTHY'
  return 'UNKNOWN'
}

/** What ECS counts a task under: not yet running, running, on its way out, or gone. */
export type TaskPhase = 'pending' | 'running' | 'stopping' | 'stopped'

export function taskPhase({ lastStatus }: Pick<TaskRecord, 'lastStatus'>): TaskPhase {
  const rank = taskStatusRank[lastStatus]
  if (rank < taskStatusRank.RUNNING) return 'pending'
  if (rank === taskStatusRank.RUNNING) return 'running'
  return rank < taskStatusRank.STOPPED ? 'stopping' : 'stopped'
}

/** `runningCount` and `pendingCount` of services, deployments and container instances. */
export interface TaskCounts {
  readonly running: number
  readonly pending: number
}

/** Counts tasks by phase. A task that is to stop before it ran is pending no more. */
export function countTasks(tasks: Iterable<TaskRecord>): TaskCounts {
  let running = 0
  let pending = 0
  for (const task of tasks) {
    const phase = taskPhase(task)
    if (phase === 'running') running++
    else if (phase === 'pending' && task.desiredStatus === 'RUNNING') pending++
  }
  return { running, pending }
}
