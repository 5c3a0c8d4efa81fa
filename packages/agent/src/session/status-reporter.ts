import type { CancelTimer, Clock } from '@berth/shared/clock.ts'
import type { StatusReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { TaskEngine } from '../engine/task-engine.ts'
import { sessionTimes, tasksPerReport } from './session-options.ts'

interface ReporterDeps {
  readonly clock: Clock
  readonly engine: TaskEngine
  /** Counts up within one run of the agent. */
  readonly nextSequence: () => number
  readonly send: (report: StatusReport) => void
}

/**
 * Brings the engine's news to the control plane over one session: gathers it for a moment, sends one report at a time, sends
 * it again until it is acknowledged, and only then the next. So a slow control plane sees fewer and not older reports.
 */
export class StatusReporter {
  readonly #deps: ReporterDeps
  #inFlight: StatusReport | undefined
  #cancelTimer: CancelTimer | undefined

  constructor(deps: ReporterDeps) {
    this.#deps = deps
  }

  /** There is news. */
  reportSoon(): void {
    if (this.#inFlight || this.#cancelTimer) return
    this.#wake(sessionTimes.reportWindowMs, () => this.#report())
  }

  acknowledged(sequence: number): void {
    if (this.#inFlight?.sequence !== sequence) return
    this.#deps.engine.acknowledge(this.#inFlight.tasks)
    this.#inFlight = undefined
    this.#cancel()
    this.#report()
  }

  stop(): void {
    this.#cancel()
    this.#inFlight = undefined
  }

  #report(): void {
    const tasks = this.#deps.engine.pendingReports(tasksPerReport)
    if (tasks.length === 0) return
    this.#inFlight = { sequence: this.#deps.nextSequence(), tasks: [...tasks] }
    this.#send(this.#inFlight)
  }

  #send(report: StatusReport): void {
    this.#deps.send(report)
    this.#wake(sessionTimes.reportAgainMs, () => this.#send(report))
  }

  #wake(delayMs: number, wake: () => void): void {
    this.#cancelTimer = this.#deps.clock.after(delayMs, () => {
      this.#cancelTimer = undefined
      wake()
    })
  }

  #cancel(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }
}
