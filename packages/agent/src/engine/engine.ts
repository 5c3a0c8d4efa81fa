import { sleep, type CancelTimer } from '@berth/shared/clock.ts'
import type { Revision, TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { ContainerEvent, ContainerSnapshot } from '../runtime/container-runtime.ts'
import { admit } from './admission.ts'
import type { EngineDeps, EngineOptions } from './engine-deps.ts'
import { EngineHealth } from './engine-health.ts'
import { JournalDebt } from './journal-debt.ts'
import { ReportQueue } from './report-queue.ts'
import { Strangers } from './strangers.ts'
import { TaskActor, type TaskActorDeps } from './task-actor.ts'
import type { AssignmentSet, TaskEngine } from './task-engine.ts'
import { restoredTask, type TaskState } from './task-state.ts'

/** An engine at work. */
export interface RunningEngine extends TaskEngine {
  /** The tasks of this host as they are now, those that have stopped and are still kept among them. */
  tasks(): readonly TaskState[]
  /** Lets go of everything. Containers run on. */
  stop(): void
}

/**
 * Begins where the journal ends: the tasks in it go on once the runtime has said what runs.
 */
export function startEngine(deps: EngineDeps, options: EngineOptions): RunningEngine {
  const engine = new Engine(deps, options)
  engine.start()
  return engine
}

class Engine implements RunningEngine {
  readonly #deps: EngineDeps
  readonly #options: EngineOptions
  readonly #health: EngineHealth
  readonly #actorDeps: TaskActorDeps
  readonly #actors = new Map<string, TaskActor>()
  readonly #reports = new ReportQueue()
  readonly #strangers: Strangers
  readonly #ended = new AbortController()
  /** Tasks that wait for a port. */
  readonly #waiting = new Set<TaskActor>()
  readonly #cleanups = new Map<TaskActor, CancelTimer>()
  #ticks = 0
  /** Whether the runtime has been listed; before that, nothing is known of what runs. */
  #listed = false
  #listing: 'no' | 'yes' | 'once more' = 'no'
  readonly #debt: JournalDebt

  constructor(deps: EngineDeps, options: EngineOptions) {
    this.#deps = deps
    this.#options = options
    this.#health = new EngineHealth(deps, options)
    this.#debt = new JournalDebt(deps, this.#ended.signal)
    this.#strangers = new Strangers({ ...deps, options, signal: this.#ended.signal })
    this.#actorDeps = {
      ...deps,
      options,
      health: this.#health,
      signal: this.#ended.signal,
      tick: () => ++this.#ticks,
      onReport: (actor) => this.#reports.add(actor),
      onEnd: (actor) => this.#actorEnded(actor),
      record: (result) => this.#debt.write({ kind: 'result', result }),
    }
  }

  start(): void {
    for (const [taskArn, { assignment, result, released }] of this.#deps.journal.state.tasks) {
      const actor = new TaskActor(restoredTask(assignment, result), released, this.#actorDeps)
      this.#actors.set(taskArn, actor)
      if (actor.state.status === 'STOPPED') this.#actorEnded(actor)
    }
    const { signal } = this.#ended
    const onEvent = (event: ContainerEvent) => this.#actors.get(event.taskArn)?.hint(event)
    this.#keep(
      'watch',
      this.#deps.runtime.watch(onEvent, () => this.#list(), signal),
    )
    this.#keep('probe', this.#health.keepProbing(signal))
    this.#keep('list', this.#keepListing())
  }

  stop(): void {
    this.#ended.abort(new Error('The agent stops.'))
    for (const actor of this.#actors.values()) actor.letGo()
    for (const cancel of this.#cleanups.values()) cancel()
  }

  tasks(): readonly TaskState[] {
    return Array.from(this.#actors.values(), (actor) => actor.state)
  }

  held(): Revision {
    return this.#deps.journal.state.held
  }

  async apply(set: AssignmentSet): Promise<void> {
    const { journal } = this.#deps
    try {
      await journal.append({ kind: 'assignments', ...set })
    } catch (error) {
      this.#debt.failed(error)
      throw error
    }
    this.#debt.wrote()
    // Those that go are on their way out before those that come look for their ports.
    const released = set.full ? [...this.#actors.keys()] : set.removeTaskArns
    for (const taskArn of released) if (journal.state.tasks.get(taskArn)?.released !== false) this.#release(taskArn)
    for (const { taskArn } of set.put) this.#put(taskArn)
    if (set.full) this.#strangers.mayBeRemoved()
    this.#strangers.remove((taskArn) => this.#actors.has(taskArn))
  }

  pendingReports(limit: number): readonly TaskReport[] {
    return this.#reports.pending(limit)
  }

  acknowledge(reports: readonly TaskReport[]): void {
    this.#reports.acknowledge(reports)
  }

  reportAll(): void {
    for (const actor of this.#actors.values()) this.#reports.add(actor)
  }

  onReport(listener: () => void): void {
    this.#reports.listener = listener
  }

  health(): { readonly healthy: boolean; readonly message: string } {
    const message = this.#health.message || this.#debt.message
    return { healthy: message === '', message }
  }

  #put(taskArn: string): void {
    const journaled = this.#deps.journal.state.tasks.get(taskArn)
    if (!journaled) return
    const known = this.#actors.get(taskArn)
    if (known) {
      const wasReleased = known.released
      known.assign(journaled.assignment)
      if (wasReleased) this.#reports.add(known)
      if (!known.acts) this.#tryToBegin(known)
      return
    }
    const actor = new TaskActor(restoredTask(journaled.assignment, undefined), false, this.#actorDeps)
    this.#actors.set(taskArn, actor)
    // As when the host has lost its journal: what the last list had of the task counts, and what came after is in the next.
    const adopted = this.#strangers.adopt(taskArn)
    actor.reconcile(adopted, this.#ticks)
    if (adopted.length > 0) this.#list()
    this.#tryToBegin(actor)
  }

  #release(taskArn: string): void {
    const actor = this.#actors.get(taskArn)
    if (!actor) return
    actor.release()
    this.#reports.remove(actor)
    if (!actor.acts) this.#tryToBegin(actor)
    this.#dropIfDone(actor)
  }

  /** Lets a task begin if the runtime has been listed and the host has room. */
  #tryToBegin(actor: TaskActor): void {
    if (!this.#listed || actor.acts) return
    const { assignment, containers } = actor.state
    const hasBegun = containers.some((container) => container.runtimeId !== '')
    if (hasBegun || !assignment.shouldRun) return actor.begin()
    const admission = admit(assignment, this.#portHolders(), this.#options)
    if (admission.kind === 'admitted') actor.begin()
    else if (admission.kind === 'refused') actor.refuse(admission.reason)
    else this.#waiting.add(actor)
  }

  *#portHolders() {
    for (const { acts, state } of this.#actors.values()) {
      if (acts && state.status !== 'STOPPED')
        yield { assignment: state.assignment, isStopping: state.stop !== undefined }
    }
  }

  #actorEnded(actor: TaskActor): void {
    this.#scheduleCleanup(actor, actor.state.times.stoppedAt + this.#options.cleanupWaitMs - this.#deps.clock.now())
    this.#dropIfDone(actor)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const each of waiting) this.#tryToBegin(each)
  }

  #scheduleCleanup(actor: TaskActor, delayMs: number): void {
    this.#cleanups.get(actor)?.()
    this.#cleanups.delete(actor)
    if (actor.state.cleaned) return
    const cleanUp = () => {
      actor.cleanUp().catch((error: unknown) => {
        if (this.#ended.signal.aborted) return
        this.#deps.log.warn('A stopped task could not be removed yet.', { task: actor.taskArn, error })
        this.#scheduleCleanup(actor, this.#options.reconcileEveryMs)
      })
    }
    this.#cleanups.set(actor, this.#deps.clock.after(delayMs, cleanUp))
  }

  #dropIfDone(actor: TaskActor): void {
    const { taskArn } = actor.state.assignment
    if (!actor.released || !actor.state.cleaned || !this.#actors.delete(taskArn)) return
    this.#reports.remove(actor)
    this.#debt.write({ kind: 'dropped', taskArn })
  }

  async #keepListing(): Promise<void> {
    for (;;) {
      this.#list()
      await sleep(this.#deps.clock, this.#options.reconcileEveryMs, this.#ended.signal)
    }
  }

  /** Has the runtime listed, after the list that may be under way: that one may have missed what happened just now. */
  #list(): void {
    if (this.#listing !== 'no') {
      this.#listing = 'once more'
      return
    }
    this.#listing = 'yes'
    this.#keep('list', this.#listUntilDone())
  }

  async #listUntilDone(): Promise<void> {
    for (let attempt = 0; ;) {
      const askedAt = ++this.#ticks
      const snapshots = await this.#tryToList()
      if (!snapshots) {
        await this.#health.backOff(attempt++, this.#ended.signal)
        continue
      }
      attempt = 0
      this.#takeList(snapshots, askedAt)
      if (this.#listing === 'yes') break
      this.#listing = 'yes'
    }
    this.#listing = 'no'
  }

  async #tryToList(): Promise<readonly ContainerSnapshot[] | undefined> {
    try {
      const snapshots = await this.#deps.runtime.list(this.#ended.signal)
      this.#health.answered()
      return snapshots
    } catch (error) {
      this.#ended.signal.throwIfAborted()
      this.#health.silent(error)
      return undefined
    }
  }

  #takeList(snapshots: readonly ContainerSnapshot[], askedAt: number): void {
    const byTask = Map.groupBy(snapshots, (snapshot) => snapshot.taskArn)
    this.#listed = true
    this.#strangers.seen(byTask)
    for (const [taskArn, actor] of this.#actors) {
      actor.reconcile(byTask.get(taskArn) ?? [], askedAt)
      this.#strangers.adopt(taskArn)
    }
    for (const actor of this.#actors.values()) this.#tryToBegin(actor)
    this.#strangers.remove((taskArn) => this.#actors.has(taskArn))
  }

  /** Lets a loop run until the engine stops. */
  #keep(what: string, loop: Promise<unknown>): void {
    loop.catch((error: unknown) => {
      if (!this.#ended.signal.aborted) this.#deps.log.error('A loop of the engine ended.', { what, error })
    })
  }
}
