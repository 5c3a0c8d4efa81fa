import type { Clock } from '@berth/shared/clock.ts'

export interface JoinGateOptions {
  /** Joins that may come at once. */
  readonly burst: number
  /** Joins a second that are taken for long. */
  readonly perSecond: number
}

/**
 * As many joins as one control plane takes beside everything else: a join is a transaction, a full set of assignments and a report of every task
 * of the host. Those that are turned away come again after a pause of their own choice, so that thousands of hosts that lost their leader at
 * the same moment are back within seconds, and users' requests are answered meanwhile.
 */
export const defaultJoinGateOptions: JoinGateOptions = { burst: 200, perSecond: 250 }

/** Lets so many through in a time; tokens gather up to the burst while nobody comes. */
export class JoinGate {
  readonly #clock: Clock
  readonly #options: JoinGateOptions
  #tokens: number
  #countedAt: number

  constructor(clock: Clock, options: JoinGateOptions = defaultJoinGateOptions) {
    this.#clock = clock
    this.#options = options
    this.#tokens = options.burst
    this.#countedAt = clock.monotonic()
  }

  /** Whether one more may join now. */
  admit(): boolean {
    const { burst, perSecond } = this.#options
    const now = this.#clock.monotonic()
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#countedAt) / 1000) * perSecond)
    this.#countedAt = now
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
