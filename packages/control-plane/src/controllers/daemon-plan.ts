import type { TaskRecord } from '../cell/records.ts'
import { boundsOf, type ServiceGoal, type ServiceTask } from './service-plan.ts'

/** A host as a DAEMON service sees it. */
export interface DaemonHost {
  readonly hostId: string
  /** Whether a task is to run there; on a host that is not, none is. */
  readonly wanted: boolean
  /** Tasks of the service there that are wanted and have not ended. */
  readonly tasks: readonly ServiceTask[]
  /** Whether one more task of the primary deployment would find room there as it is. */
  readonly hasRoom: boolean
  /** Whether a task that was asked to stop is still there. */
  readonly stopping: boolean
  /** Whether what runs there stays for now although the host is not wanted any more: a draining host's replicas stop first. */
  readonly keeps?: boolean
}

export interface DaemonPlan {
  /** Hosts that get a task of the primary deployment now. */
  readonly start: readonly string[]
  readonly stop: readonly TaskRecord[]
  readonly blocked: boolean
}

/**
 * The next step of a service with one task on each wanted host. The desired count is the number of those. Where the maximum is 100 percent,
 * which is ECS's default for DAEMON, an old task ends before the new one on its host begins, so that both can have the same port; a higher one
 * allows so many hosts to run both for a while, where they have room for it. The minimum counts the hosts on which a healthy task must remain.
 */
export function planDaemon(goal: Omit<ServiceGoal, 'desiredCount'>, hosts: readonly DaemonHost[]): DaemonPlan {
  const wanted = hosts.filter((host) => host.wanted)
  const { lower, upper } = boundsOf({ ...goal, desiredCount: wanted.length })
  const strays = hosts.filter((host) => !host.wanted && !host.keeps).flatMap(({ tasks }) => tasks)
  if (goal.halted) return { start: [], stop: recordsOf(strays), blocked: false }

  const all = wanted.flatMap(({ tasks }) => tasks)
  const budget = {
    hosts: wanted.filter(({ tasks }) => tasks.some(isHealthy)).length - lower,
    tasks: upper - all.length - wanted.filter(({ stopping }) => stopping).length,
  }
  const stop = [...strays]
  const start: string[] = []
  for (const host of wanted) {
    const mayRunBoth = upper > wanted.length && host.hasRoom
    const move = moveOn(host, goal, { ...budget, mayRunBoth })
    if (move.stop.some(isHealthy) && !host.tasks.some((each) => each.healthy && !move.stop.includes(each)))
      budget.hosts--
    if (move.start) {
      budget.tasks--
      start.push(host.hostId)
    }
    stop.push(...move.stop)
  }
  const outdated = wanted.some(({ tasks }) => tasks.some((each) => !isCurrent(each, goal) && !each.protected))
  const waits = !all.every(isHealthy) || wanted.some(({ stopping }) => stopping)
  return { start, stop: recordsOf(stop), blocked: outdated && start.length === 0 && stop.length === 0 && !waits }
}

interface Move {
  readonly start: boolean
  readonly stop: readonly ServiceTask[]
}

/** What one wanted host does next, with what the whole service can still spare. */
function moveOn(
  { tasks, stopping }: DaemonHost,
  goal: Pick<ServiceGoal, 'primaryDeploymentId'>,
  budget: { readonly hosts: number; readonly tasks: number; readonly mayRunBoth: boolean },
): Move {
  const current = oneOf(tasks.filter((each) => isCurrent(each, goal)))
  const old = oneOf(tasks.filter((each) => !isCurrent(each, goal)))
  const surplus = [...current.others, ...old.others.filter(isFree)]
  const { mayRunBoth } = budget
  if (!current.kept && !old.kept) return { start: mayRunBoth || !stopping, stop: [] }
  if (!current.kept && mayRunBoth && budget.tasks > 0) return { start: true, stop: surplus }
  if (old.kept && isFree(old.kept) && mayGo(old.kept, current.kept, budget)) surplus.push(old.kept)
  return { start: false, stop: surplus }
}

/** One task is what a host is to have of each kind: a healthy one if there is one. */
function oneOf(tasks: readonly ServiceTask[]): { kept: ServiceTask | undefined; others: readonly ServiceTask[] } {
  const kept = tasks.find(isHealthy) ?? tasks[0]
  return { kept, others: tasks.filter((each) => each !== kept) }
}

/** An old task goes when a healthy one has its place; where the host is to run one only, at once if it is unhealthy or can be spared. */
function mayGo(
  old: ServiceTask,
  current: ServiceTask | undefined,
  budget: { readonly hosts: number; readonly mayRunBoth: boolean },
): boolean {
  return current?.healthy === true || (!budget.mayRunBoth && (!old.healthy || budget.hosts > 0))
}

const isFree = (each: ServiceTask): boolean => !each.protected

const isHealthy = ({ healthy }: ServiceTask): boolean => healthy

const isCurrent = ({ task, replace }: ServiceTask, { primaryDeploymentId }: Pick<ServiceGoal, 'primaryDeploymentId'>) =>
  task.deploymentId === primaryDeploymentId && !replace

const recordsOf = (tasks: readonly ServiceTask[]): TaskRecord[] => tasks.map(({ task }) => task)
