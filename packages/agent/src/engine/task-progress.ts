import { isForward, type TaskStatus } from '@berth/shared/task-status.ts'
import { startGate } from './dependency-order.ts'
import {
  type ContainerState,
  isPerhapsStarting,
  type StopDecision,
  type TaskState,
  usesTaskNetwork,
} from './task-state.ts'

/**
 * The task once everything that follows from its containers has been decided: containers that can never start are given
 * up, the task stops when it must, and its status and times move on. `now` in ms since the epoch.
 */
export function settleTask(task: TaskState, now: number): TaskState {
  const stopped = decideStop(giveUpUnstartable(task, now), now)
  return moveOn(stopped.stop ? giveUpUnstarted(stopped) : stopped, now)
}

/** Gives up containers whose dependencies failed, and then those that depend on them. */
function giveUpUnstartable(task: TaskState, now: number): TaskState {
  if (task.stop) return task
  for (const container of task.containers) {
    if (container.launched || container.status === 'STOPPED') continue
    const gate = startGate(container, task, now)
    if (gate.kind !== 'failed') continue
    const reason = gate.reason
    const next = replace(task, container.name, (each) => ({
      ...each,
      status: 'STOPPED',
      reason: each.reason || reason,
    }))
    return giveUpUnstartable(next, now)
  }
  return task
}

function decideStop(task: TaskState, now: number): TaskState {
  const stop = task.stop ?? stopDecision(task)
  if (!stop || (stop === task.stop && task.times.stoppingAt !== 0)) return task
  return { ...task, stop, times: { ...task.times, stoppingAt: task.times.stoppingAt || now } }
}

/** Why the task must stop; `undefined` as long as it need not. */
export function stopDecision(task: TaskState): StopDecision | undefined {
  if (!task.assignment.shouldRun)
    return { code: 'UserInitiated', reason: task.assignment.stopReason || 'Task stopped by user' }
  const ended = task.containers.find((container) => container.status === 'STOPPED' && container.spec.essential)
  const cause = ended ?? (everyOwn(task, isStopped) ? task.containers.findLast((each) => !each.isPause) : undefined)
  if (!cause) return undefined
  if (!cause.launched) return { code: 'TaskFailedToStart', reason: cause.reason || 'Task failed to start' }
  return { code: 'EssentialContainerExited', reason: 'Essential container in task exited' }
}

/**
 * What has not been started when the task stops never will be, unless a call that would do so is already on its way: one of this agent's ends in
 * time, and one of an agent before it is met by removing the container.
 */
function giveUpUnstarted(task: TaskState): TaskState {
  const containers = task.containers.map((container): ContainerState => {
    const idle = container.operation === undefined || container.operation === 'pull'
    const waits = !container.alive && !container.unsure && container.status !== 'STOPPED'
    const mayStart = container.status !== 'RUNNING' || container.restarting
    return idle && waits && mayStart && !isPerhapsStarting(container)
      ? { ...container, status: 'STOPPED', restarting: false }
      : container
  })
  return { ...task, containers }
}

function moveOn(task: TaskState, now: number): TaskState {
  const reached = statusNow(task)
  const status = isForward(task.status, reached) ? reached : task.status
  const startedAt = task.times.startedAt || (status === 'RUNNING' ? now : 0)
  const executionStoppedAt =
    task.times.executionStoppedAt || (status === 'STOPPED' || task.containers.some(isEssentialEnded) ? now : 0)
  const stoppedAt = task.times.stoppedAt || (status === 'STOPPED' ? now : 0)
  const isTimeless =
    startedAt === task.times.startedAt &&
    executionStoppedAt === task.times.executionStoppedAt &&
    stoppedAt === task.times.stoppedAt
  if (status === task.status && isTimeless) return task
  return { ...task, status, times: { ...task.times, startedAt, executionStoppedAt, stoppedAt } }
}

/** The status that a task's containers amount to at this moment; the task itself never goes back. */
export function statusNow(task: TaskState): TaskStatus {
  if (!task.stop) {
    if (everyOwn(task, hasBegun)) return 'RUNNING'
    return usesTaskNetwork(task.assignment) ? 'ACTIVATING' : 'PENDING'
  }
  if (!everyOwn(task, isOver)) return everyOwn(task, isNotStopping) ? 'DEACTIVATING' : 'STOPPING'
  return task.containers.every(isOver) ? 'STOPPED' : 'DEPROVISIONING'
}

const isOver = (container: ContainerState): boolean =>
  container.status === 'STOPPED' &&
  !container.alive &&
  !container.unsure &&
  (container.operation === undefined || container.operation === 'pull')

const isNotStopping = ({ operation, status }: ContainerState): boolean => operation !== 'stop' && status === 'RUNNING'

const isEssentialEnded = ({ spec, status, launched }: ContainerState): boolean =>
  spec.essential && status === 'STOPPED' && launched

const isStopped = ({ status }: ContainerState): boolean => status === 'STOPPED'

const hasBegun = ({ launched, status }: ContainerState): boolean => launched || status === 'STOPPED'

/** Whether something holds for all containers of the definition. */
const everyOwn = (task: TaskState, holds: (container: ContainerState) => boolean): boolean =>
  task.containers.every((container) => container.isPause || holds(container))

const replace = (task: TaskState, name: string, change: (container: ContainerState) => ContainerState): TaskState => ({
  ...task,
  containers: task.containers.map((container) => (container.name === name ? change(container) : container)),
})
