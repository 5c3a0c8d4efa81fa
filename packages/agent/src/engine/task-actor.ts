import type { CancelTimer } from '@berth/shared/clock.ts'
import type { TaskAssignment, TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { TaskResult } from '../journal/journal-record.ts'
import type { ContainerEvent, ContainerSnapshot } from '../runtime/container-runtime.ts'
import { performOperation } from './container-operation.ts'
import { failureReason } from './container-reason.ts'
import { planTask } from './container-transition.ts'
import type { EngineDeps, EngineOptions } from './engine-deps.ts'
import type { EngineHealth } from './engine-health.ts'
import { takeInput, type ContainerInput, type TaskInput } from './task-input.ts'
import { settleTask } from './task-progress.ts'
import { hasNews, taskReport } from './task-report.ts'
import { type ContainerState, isWorthRecording, type Operation, taskResult, type TaskState } from './task-state.ts'
import { taskVolumeNames } from './task-volumes.ts'

export interface TaskActorDeps extends EngineDeps {
  readonly options: EngineOptions
  readonly health: EngineHealth
  /** Aborts when the agent goes: then nothing is done or said any more. */
  readonly signal: AbortSignal
  /** Counts up; tells what was known before a list was asked for from what became known after. */
  readonly tick: () => number
  /** There is something new to tell the control plane. */
  readonly onReport: (actor: TaskActor) => void
  /** The task has come to its end, or its containers have been removed after it. */
  readonly onEnd: (actor: TaskActor) => void
  /** Journals a result, now or as soon as the journal takes it. */
  readonly record: (result: TaskResult) => void
}

/**
 * One task of this host, from its assignment to the removal of its containers. Everything that happens goes through `#take`,
 * one thing at a time: state and happening make a new state, and from that follow the operations that begin now. What is
 * decided, is decided by pure functions; the actor only carries it out.
 */
export class TaskActor {
  readonly #deps: TaskActorDeps
  /** When something was last heard of each container, by `tick`; in their order. */
  readonly #touched: number[]
  /** By container; there is none most of the time, and a host has many tasks. */
  #pulls: Map<string, AbortController> | undefined
  #state: TaskState
  #acts = false
  #cleaning = false
  #released: boolean
  /** The task as it was when there was last news of it, and what is reported of that, from when it was asked for until it was told. */
  #news: TaskState
  #report: TaskReport | undefined
  /** The task as it was when its result was last given to the journal. */
  #recorded: TaskState
  #cancelWake: CancelTimer | undefined

  constructor(state: TaskState, released: boolean, deps: TaskActorDeps) {
    this.#deps = deps
    this.#state = state
    this.#released = released
    this.#news = state
    this.#recorded = state
    this.#touched = state.containers.map(() => 0)
  }

  get state(): TaskState {
    return this.#state
  }

  get taskArn(): string {
    return this.#state.assignment.taskArn
  }

  /** The newest word on the task; the same object until there is news or it was told. */
  get report(): TaskReport {
    return (this.#report ??= taskReport(this.#news, this.#deps.options.hostAddress))
  }

  /** The control plane has the newest word on disk. */
  told(): void {
    this.#report = undefined
  }

  /** Whether the control plane needs no more word of the task. */
  get released(): boolean {
    return this.#released
  }

  /** Whether it does anything yet: a task does nothing before the runtime was listed and the host has room for it. */
  get acts(): boolean {
    return this.#acts
  }

  /** The agent goes: a pull that is under way is not waited for. */
  letGo(): void {
    for (const pull of this.#pulls?.values() ?? []) pull.abort(this.#deps.signal.reason)
  }

  /** Lets the task go on from where it is. */
  begin(): void {
    this.#acts = true
    this.#take({ kind: 'woken' })
  }

  /** The host cannot take the task. */
  refuse(reason: string): void {
    this.#acts = true
    this.#take({ kind: 'refused', decision: { code: 'TaskFailedToStart', reason } })
  }

  assign(assignment: TaskAssignment): void {
    this.#released = false
    this.#take({ kind: 'assigned', assignment })
  }

  /** The control plane needs no more word of the task; should it run nevertheless, it stops. */
  release(): void {
    this.#released = true
    const { assignment } = this.#state
    const stopReason = assignment.stopReason || 'The cluster does not know this task.'
    this.#take({ kind: 'assigned', assignment: { ...assignment, shouldRun: false, stopReason } })
  }

  /** The runtime says that something happened, which may be old news. */
  hint(event: ContainerEvent): void {
    const container = this.#container(event.containerName)
    if (!container || (container.runtimeId !== '' && container.runtimeId !== event.runtimeId)) return
    if (event.kind === 'health' && event.health) {
      this.#takeContainer(container.name, { kind: 'health', health: event.health })
    } else if (isNews(event, container)) {
      // A list that was asked for before this does not know it yet.
      this.#heardOf(container.name)
      this.#takeContainer(container.name, { kind: 'hinted', runtimeId: event.runtimeId })
    }
  }

  /** The runtime's list of this task's containers, asked for at tick `askedAt`. */
  reconcile(snapshots: readonly ContainerSnapshot[], askedAt: number): void {
    for (const [index, { name }] of this.#state.containers.entries()) {
      const container = this.#container(name)
      const snapshot = snapshots.find((each) => each.containerName === name)
      if (container) this.#reconcileContainer(container, snapshot, (this.#touched[index] ?? 0) <= askedAt)
    }
  }

  #reconcileContainer(container: ContainerState, snapshot: ContainerSnapshot | undefined, isNewer: boolean): void {
    const { name, operation, runtimeId } = container
    const isUnderWay = operation !== undefined && operation !== 'pull'
    if (!isUnderWay && isNewer) {
      this.#takeContainer(name, snapshot ? { kind: 'listed', snapshot } : { kind: 'unlisted' })
    } else if (runtimeId !== '' && operation !== 'stop' && operation !== 'inspect' && container.status !== 'STOPPED') {
      this.#takeContainer(name, { kind: 'hinted', runtimeId })
    }
  }

  /**
   * Removes the containers and volumes of a task that has stopped, once its end is on disk.
   *
   * @throws what the runtime or the journal throws; then some of it is left, and it can be called again.
   */
  async cleanUp(): Promise<void> {
    if (this.#state.status !== 'STOPPED' || this.#state.cleaned || this.#cleaning) return
    this.#cleaning = true
    try {
      const { runtime, journal, signal } = this.#deps
      await journal.append({ kind: 'result', result: taskResult(this.#state) })
      for (const { runtimeId, removed } of this.#state.containers.toReversed()) {
        if (runtimeId !== '' && !removed) await runtime.remove(runtimeId, signal)
      }
      for (const name of taskVolumeNames(this.#state.assignment)) await runtime.removeVolume(name, signal)
      if (!signal.aborted) this.#take({ kind: 'cleaned' })
    } finally {
      this.#cleaning = false
    }
  }

  #heardOf(name: string): void {
    this.#touched[this.#state.containers.findIndex((each) => each.name === name)] = this.#deps.tick()
  }

  #container(name: string): ContainerState | undefined {
    return this.#state.containers.find((container) => container.name === name)
  }

  #takeContainer(name: string, input: ContainerInput): void {
    this.#take({ kind: 'container', name, input })
  }

  #take(input: TaskInput): void {
    if (this.#deps.signal.aborted) return
    const before = this.#state
    const now = this.#deps.clock.now()
    this.#state = takeInput(this.#state, input, now)
    // A look that says what is known already, as most looks do. Where time alone decides, there is a wake for it.
    if (this.#state === before && input.kind === 'container') return
    if (this.#acts) this.#act(now)
    this.#publish()
    const ended = this.#state.status === 'STOPPED' && before.status !== 'STOPPED'
    if (ended || this.#state.cleaned !== before.cleaned) this.#deps.onEnd(this)
  }

  #act(now: number): void {
    this.#state = settleTask(this.#state, now)
    for (let plan = planTask(this.#state, now); ; plan = planTask(this.#state, now)) {
      for (const { container, operation } of plan.actions) this.#begin(operation, container, now)
      this.#state = settleTask(this.#state, now)
      if (plan.actions.length > 0) continue
      this.#wakeAt(plan.wakeAt, now)
      break
    }
    if (this.#pulls === undefined) return
    for (const [name, pull] of this.#pulls) if (this.#container(name)?.status === 'STOPPED') pull.abort()
  }

  #wakeAt(at: number | undefined, now: number): void {
    this.#cancelWake?.()
    this.#cancelWake =
      at === undefined ? undefined : this.#deps.clock.after(at - now, () => this.#take({ kind: 'woken' }))
  }

  #begin(operation: Operation, container: ContainerState, now: number): void {
    const { name } = container
    this.#state = takeInput(this.#state, { kind: 'container', name, input: { kind: 'began', operation } }, now)
    void this.#perform(operation, container)
  }

  async #perform(operation: Operation, container: ContainerState): Promise<void> {
    const { runtime, health, options, log, resources, signal } = this.#deps
    const pull = operation === 'pull' ? new AbortController() : undefined
    if (pull) (this.#pulls ??= new Map()).set(container.name, pull)
    let input: ContainerInput
    try {
      const task = () => this.#state
      const context = { runtime, health, options, log, resources, task, signal: pull?.signal ?? signal }
      input = await performOperation(operation, container, context)
    } catch (error) {
      const isAbandoned = signal.aborted || pull?.signal.aborted === true
      input = isAbandoned ? { kind: 'abandoned' } : this.#failed(operation, container, error)
    }
    if (pull) this.#pulls?.delete(container.name)
    if (this.#pulls?.size === 0) this.#pulls = undefined
    if (signal.aborted) return
    this.#heardOf(container.name)
    this.#takeContainer(container.name, input)
  }

  #failed(operation: Operation, container: ContainerState, error: unknown): ContainerInput {
    this.#deps.log.error('An operation failed in a way that it never should.', {
      taskArn: this.taskArn,
      container: container.name,
      operation,
      error,
    })
    return { kind: 'failed', operation, reason: failureReason(operation, error) }
  }

  #publish(): void {
    this.#record()
    if (!hasNews(this.#news, this.#state)) return
    this.#news = this.#state
    this.#report = undefined
    this.#deps.onReport(this)
  }

  /** Not waited for: until it is on disk, the runtime's list says the same. */
  #record(): void {
    if (!isWorthRecording(this.#recorded, this.#state)) return
    this.#recorded = this.#state
    this.#deps.record(taskResult(this.#state))
  }
}

/** Whether an event says something that is not known, or that the operation under way will not find out by itself. */
function isNews(event: ContainerEvent, container: ContainerState): boolean {
  switch (event.kind) {
    case 'created':
      return container.runtimeId === '' && container.operation !== 'create'
    case 'started':
      return !container.alive && container.operation !== 'start' && container.operation !== 'create'
    case 'died':
      return container.operation !== 'stop' && (container.alive || container.operation !== undefined)
    case 'removed':
      return container.runtimeId !== '' && !container.removed
    default:
      return false
  }
}
