import type { CancelTimer, Clock } from '@berth/shared/clock.ts'
import type { Heartbeat } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { TaskEngine } from '../engine/task-engine.ts'
import { sessionTimes } from './session-options.ts'

interface HeartDeps {
  readonly clock: Clock
  readonly engine: TaskEngine
  readonly send: (heartbeat: Heartbeat) => void
  /** Nothing came back for too long. */
  readonly onSilence: () => void
}

const leastMs = 100

/** Beats until it is stopped, and notices when nobody answers. */
export class Heart {
  readonly #deps: HeartDeps
  #intervalMs: number
  #sequence = 0
  #answeredAt: number
  #cancel: CancelTimer = () => {}

  /** `intervalMs` as the control plane wants it; 0 would flood it. */
  constructor(deps: HeartDeps, intervalMs: number) {
    this.#deps = deps
    this.#intervalMs = Math.max(leastMs, intervalMs)
    this.#answeredAt = deps.clock.monotonic()
  }

  start(): void {
    this.#cancel = this.#deps.clock.after(this.#intervalMs, () => this.#beat())
  }

  /** From now on it beats so often, where that is not 0. */
  answered(intervalMs: number): void {
    this.#answeredAt = this.#deps.clock.monotonic()
    if (intervalMs > 0) this.#intervalMs = Math.max(leastMs, intervalMs)
  }

  stop(): void {
    this.#cancel()
  }

  #beat(): void {
    const silentMs = this.#deps.clock.monotonic() - this.#answeredAt
    if (silentMs > sessionTimes.missedHeartbeats * this.#intervalMs) return this.#deps.onSilence()
    const { healthy, message } = this.#deps.engine.health()
    this.#deps.send({ sequence: ++this.#sequence, engineHealthy: healthy, engineMessage: message })
    return this.start()
  }
}
