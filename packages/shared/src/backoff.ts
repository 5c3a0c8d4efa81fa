import { type Random, randomFloat } from './random.ts'

/** How long to wait between tries of something that may fail. */
export interface BackoffOptions {
  /** Upper bound of the first wait, in ms. */
  readonly baseMs: number
  /** Upper bound of every wait, in ms. */
  readonly maxMs: number
}

/**
 * The wait before try number `attempt` (0 = the first retry), in ms: chosen evenly from 0 to min(max, base * 2^attempt).
 * This is "full jitter", which spreads many clients best (AWS Architecture Blog, "Exponential Backoff And Jitter").
 */
export function backoffDelay(attempt: number, options: BackoffOptions, random: Random): number {
  const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt, 30))
  return Math.floor(randomFloat(random) * ceiling)
}
