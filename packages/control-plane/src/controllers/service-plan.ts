import type { TaskRecord } from '../cell/records.ts'

/** What a plan needs to know of a service. */
export interface ServiceGoal {
  readonly desiredCount: number
  /** The deployment that new tasks belong to. */
  readonly primaryDeploymentId: string
  /** Lower bound of healthy tasks, in percent of the desired count, rounded up. */
  readonly minimumHealthyPercent: number
  /** Upper bound of RUNNING and PENDING tasks, in percent of the desired count, rounded down. */
  readonly maximumPercent: number
}

/** How a task counts for its service at the moment. */
export interface ServiceTask {
  readonly task: TaskRecord
  readonly healthy: boolean
  /** Whether it must give way: its host is draining, or its health check fails. */
  readonly replace: boolean
}

export interface ServicePlan {
  /** How many tasks of the primary deployment to start. */
  readonly start: number
  readonly stop: readonly TaskRecord[]
  /** Whether the two percentages leave no way on although something must change. */
  readonly blocked: boolean
}

/** Orders candidates for a stop, first to go first. */
export type StopOrder = (candidates: readonly ServiceTask[]) => readonly ServiceTask[]

/**
 * The next step of a service towards its goal: what to start and what to stop now, without ever having more than the maximum RUNNING and
 * PENDING, and without stopping a healthy task that the minimum still needs (ECS developer guide, "Deployment configuration parameters").
 *
 * `tasks` are those that are wanted and not stopped. Old deployments' tasks, and those to be replaced, leave as the primary's become
 * healthy; surplus of the primary leaves at once, since then the desired count itself went down.
 */
export function planService(goal: ServiceGoal, tasks: readonly ServiceTask[], stopOrder: StopOrder): ServicePlan {
  const lower = Math.ceil((goal.desiredCount * goal.minimumHealthyPercent) / 100)
  const upper = Math.floor((goal.desiredCount * goal.maximumPercent) / 100)
  const staying = tasks.filter((each) => isPrimary(each, goal) && !each.replace)
  const leaving = tasks.filter((each) => !isPrimary(each, goal) || each.replace)

  const surplus = stopOrder(staying).slice(0, Math.max(0, staying.length - goal.desiredCount))
  const missing = Math.max(0, goal.desiredCount - staying.length)
  const freeToLeave = leavingNow(
    leaving,
    tasks.filter(({ healthy }) => healthy).length - countHealthy(surplus) - lower,
    stopOrder,
  )

  const stopped = surplus.length + freeToLeave.length
  const start = Math.min(missing, Math.max(0, upper - (tasks.length - stopped)))
  const waits = staying.some(({ healthy }) => !healthy)
  return {
    start,
    stop: [...surplus, ...freeToLeave].map(({ task }) => task),
    blocked: (missing > 0 || leaving.length > 0) && start === 0 && stopped === 0 && !waits,
  }
}

/** Unhealthy ones may always go, healthy ones as far as the minimum can spare them. */
function leavingNow(leaving: readonly ServiceTask[], spare: number, stopOrder: StopOrder): readonly ServiceTask[] {
  const unhealthy = leaving.filter(({ healthy }) => !healthy)
  const healthy = leaving.filter((each) => each.healthy)
  return [...unhealthy, ...stopOrder(healthy).slice(0, Math.max(0, spare))]
}

const isPrimary = ({ task }: ServiceTask, goal: ServiceGoal): boolean => task.deploymentId === goal.primaryDeploymentId

const countHealthy = (tasks: readonly ServiceTask[]): number => tasks.filter(({ healthy }) => healthy).length
