import type { ContainerStatus, DesiredTaskStatus } from '@berth/shared/task-status.ts'
import { createGate, type Gate, startGate, stopGate } from './dependency-order.ts'
import { type ContainerState, desiredStatus, isPerhapsStarting, type Operation, type TaskState } from './task-state.ts'

/** Something to be done to a container now. */
export interface ContainerAction {
  readonly container: ContainerState
  readonly operation: Operation
}

/** What is to be done for a task. */
export interface Plan {
  readonly actions: readonly ContainerAction[]
  /** When to plan again if nothing happens before, in ms since the epoch; `undefined` when only a happening can change it. */
  readonly wakeAt: number | undefined
}

interface Step {
  readonly operation: Operation
  readonly gate: (container: ContainerState, task: TaskState, now: number) => Gate
}

const always = (): Gate => ({ kind: 'open' })

const pull: Step = { operation: 'pull', gate: always }
const create: Step = { operation: 'create', gate: createGate }
const start: Step = { operation: 'start', gate: startGate }
const startAgain: Step = { operation: 'start', gate: always }
const stopInOrder: Step = { operation: 'stop', gate: stopGate }
const stopNow: Step = { operation: 'stop', gate: always }
const inspect: Step = { operation: 'inspect', gate: always }
const discard: Step = { operation: 'discard', gate: always }

type Situation =
  | ContainerStatus
  | 'CREATED, and it may be starting'
  | 'RUNNING, ended and to start again'
  | 'STOPPED, yet it runs'

/** Desired status of the task x status of the container -> what comes next. */
const steps: Readonly<Record<DesiredTaskStatus, Readonly<Record<Situation, Step | undefined>>>> = {
  RUNNING: {
    PENDING: pull,
    PULLED: create,
    CREATED: start,
    'CREATED, and it may be starting': start,
    RUNNING: undefined,
    'RUNNING, ended and to start again': startAgain,
    STOPPED: undefined,
    'STOPPED, yet it runs': stopNow,
  },
  STOPPED: {
    PENDING: undefined,
    PULLED: undefined,
    CREATED: undefined,
    'CREATED, and it may be starting': discard,
    RUNNING: stopInOrder,
    'RUNNING, ended and to start again': undefined,
    STOPPED: undefined,
    'STOPPED, yet it runs': stopNow,
  },
}

/** What is to be done now for a settled task, with nothing that is already under way. `now` in ms since the epoch. */
export function planTask(task: TaskState, now: number): Plan {
  let actions: ContainerAction[] | undefined
  let wakeAt: number | undefined
  for (const container of task.containers) {
    const step = container.operation === undefined ? nextStep(container, desiredStatus(task)) : undefined
    const gate = step?.gate(container, task, now)
    if (step && gate?.kind === 'open') (actions ??= []).push({ container, operation: step.operation })
    // A dependency that fails in time ends the wait also of a container that is still being pulled or created.
    const wait = container.launched || container.status === 'STOPPED' ? undefined : startGate(container, task, now)
    if (wait?.kind === 'closed' && wait.until !== undefined) wakeAt = Math.min(wakeAt ?? wait.until, wait.until)
  }
  return actions === undefined && wakeAt === undefined ? nothing : { actions: actions ?? [], wakeAt }
}

/** As most plans: something is under way, or nothing has to be done. */
const nothing: Plan = { actions: [], wakeAt: undefined }

function nextStep(container: ContainerState, desired: DesiredTaskStatus): Step | undefined {
  if (container.unsure && container.runtimeId !== '') return inspect
  return steps[desired][situation(container)]
}

function situation(container: ContainerState): Situation {
  if (container.status === 'STOPPED' && container.alive) return 'STOPPED, yet it runs'
  if (isPerhapsStarting(container)) return 'CREATED, and it may be starting'
  if (container.status === 'RUNNING' && container.restarting) return 'RUNNING, ended and to start again'
  return container.status
}
