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
  /** Whether the primary deployment has failed: then nothing is started, and only what is too many stops. */
  readonly halted?: boolean
}

/** How a task counts for its service at the moment. */
export interface ServiceTask {
  readonly task: TaskRecord
  readonly healthy: boolean
  /** Whether it must give way: its host is draining, or its health check fails. */
  readonly replace: boolean
  /** Whether its health check fails: it runs, and may go on until its replacement does. */
  readonly unhealthy?: boolean
  /** Whether it is protected against scale-in and deployments. */
  readonly protected?: boolean
  /** When time alone will change one of these, in ms since the epoch. */
  readonly changesAt?: number
}

export interface ServicePlan {
  /** How many tasks of the primary deployment to start. */
  readonly start: number
  readonly stop: readonly TaskRecord[]
  /** Whether the two percentages leave no way on although something must change. */
  readonly blocked: boolean
}

/** Chooses `count` of the candidates for a stop, or all when they are fewer. May return more in their order: the first `count` go. */
export type StopOrder = (candidates: readonly ServiceTask[], count: number) => readonly ServiceTask[]

/**
 * The next step of a service towards its goal: what to start and what to stop now, without ever having more than the maximum RUNNING and
 * PENDING, and without stopping a healthy task that the minimum still needs (ECS developer guide, "Deployment configuration parameters").
 *
 * `tasks` are those that are wanted and not stopped. Old deployments' tasks, and those to be replaced, leave as the primary's become
 * healthy; surplus of the primary leaves at once, since then the desired count itself went down. A task whose health check fails stays
 * until its replacement is healthy, where the maximum has room for both; else such tasks go one by one.
 */
export function planService(goal: ServiceGoal, tasks: readonly ServiceTask[], stopOrder: StopOrder): ServicePlan {
  const bounds = boundsOf(goal)
  const staying = tasks.filter((each) => isPrimary(each, goal) && !each.replace)
  const ailing = tasks.filter((each) => isPrimary(each, goal) && each.unhealthy === true)
  const leaving = tasks.filter((each) => !isPrimary(each, goal) || (each.replace && each.unhealthy !== true))

  const surplus = firstToGo(staying.filter(isFree), staying.length - goal.desiredCount, stopOrder)
  if (goal.halted) return haltedPlan(goal, tasks, surplus, [...ailing, ...leaving], stopOrder)
  const missing = Math.max(0, goal.desiredCount - staying.length)
  const spare = countHealthy(tasks) - countHealthy(surplus) - bounds.lower
  const gone = [
    ...surplus,
    ...leavingNow(leaving.filter(isFree), spare, stopOrder),
    ...replacedNow(ailing, countHealthy(staying) - countHealthy(surplus), goal),
  ]
  const room = (stopped: number) => Math.max(0, bounds.upper - (tasks.length - stopped))
  const waits = staying.some(({ healthy }) => !healthy)
  if (missing > 0 && room(gone.length) === 0 && !waits) gone.push(...firstToGo(without(ailing, gone), 1, stopOrder))

  const start = Math.min(missing, room(gone.length))
  return {
    start,
    stop: gone.map(({ task }) => task),
    blocked:
      (missing > 0 || leaving.length > 0) &&
      start === 0 &&
      gone.length === 0 &&
      !waits &&
      !leaving.some((each) => each.protected),
  }
}

/** How many healthy tasks a service must keep, and how many tasks in all it may have. */
export const boundsOf = (
  goal: Pick<ServiceGoal, 'desiredCount' | 'minimumHealthyPercent' | 'maximumPercent'>,
): { readonly lower: number; readonly upper: number } => ({
  lower: Math.ceil((goal.desiredCount * goal.minimumHealthyPercent) / 100),
  upper: Math.floor((goal.desiredCount * goal.maximumPercent) / 100),
})

/** A failed deployment keeps what runs, of itself and of those before it, as long as the desired count needs it. */
function haltedPlan(
  goal: ServiceGoal,
  tasks: readonly ServiceTask[],
  surplus: readonly ServiceTask[],
  leaving: readonly ServiceTask[],
  stopOrder: StopOrder,
): ServicePlan {
  const spare = countHealthy(tasks) - countHealthy(surplus) - goal.desiredCount
  const stop = spare < 0 ? surplus : [...surplus, ...leavingNow(leaving.filter(isFree), spare, stopOrder)]
  return { start: 0, stop: stop.map(({ task }) => task), blocked: false }
}

/** Unhealthy ones may always go, healthy ones as far as the minimum can spare them. */
function leavingNow(leaving: readonly ServiceTask[], spare: number, stopOrder: StopOrder): readonly ServiceTask[] {
  const unhealthy = leaving.filter(({ healthy }) => !healthy)
  const healthy = leaving.filter((each) => each.healthy)
  return [...unhealthy, ...firstToGo(healthy, spare, stopOrder)]
}

const firstToGo = (candidates: readonly ServiceTask[], count: number, stopOrder: StopOrder): readonly ServiceTask[] =>
  count <= 0 ? [] : stopOrder(candidates, count).slice(0, count)

/** Of tasks whose health check fails, those that healthy ones stand in for. */
const replacedNow = (ailing: readonly ServiceTask[], healthyStaying: number, goal: ServiceGoal): ServiceTask[] =>
  ailing.slice(0, Math.max(0, ailing.length - Math.max(0, goal.desiredCount - healthyStaying)))

const without = (tasks: readonly ServiceTask[], gone: readonly ServiceTask[]): ServiceTask[] =>
  tasks.filter((each) => !gone.includes(each))

const isFree = (each: ServiceTask): boolean => !each.protected

const isPrimary = ({ task }: ServiceTask, goal: ServiceGoal): boolean => task.deploymentId === goal.primaryDeploymentId

const countHealthy = (tasks: readonly ServiceTask[]): number => tasks.filter(({ healthy }) => healthy).length
