import type { DeploymentRecord, TaskRecord } from '../cell/records.ts'
import type { ControlPlaneSettings } from '../control-plane-deps.ts'

/** What a deployment or a task set remembers of tasks that failed one after another. */
export type StartFailures = Pick<DeploymentRecord, 'failedTasks' | 'throttleSteps' | 'notBefore'>

/** Ended although nobody asked it to. */
export const hasFailed = (task: Pick<TaskRecord, 'stopCode'>): boolean =>
  task.stopCode === 'TaskFailedToStart' || task.stopCode === 'EssentialContainerExited'

/**
 * The failures after one more: a task that never ran makes the next one wait, longer each time; one that ran and ended is replaced at once
 * (ECS developer guide, "Service throttle logic").
 */
export function failuresAfter(
  { failedTasks, throttleSteps }: StartFailures,
  task: Pick<TaskRecord, 'startedAt'>,
  { baseMs, maxMs }: ControlPlaneSettings['restartThrottle'],
  now: number,
): Partial<StartFailures> {
  if (task.startedAt !== undefined) return { failedTasks: failedTasks + 1 }
  const wait = Math.min(maxMs, baseMs * 2 ** Math.min(throttleSteps, 30))
  return { failedTasks: failedTasks + 1, throttleSteps: throttleSteps + 1, notBefore: now + wait }
}

/** What a task that runs changes: the count of failures in a row ends, and the throttle with it. */
export const failuresEnded = ({ failedTasks, throttleSteps }: StartFailures): Partial<StartFailures> =>
  failedTasks === 0 && throttleSteps === 0 ? {} : { failedTasks: 0, throttleSteps: 0, notBefore: 0 }
