/** Cancels a timer; calling it twice, or after the timer fired, does nothing. */
export type CancelTimer = () => void

/**
 * Where time comes from. Everything in Berth that asks what time it is, or wants to be woken, is given a clock,
 * so that a simulation can run days in seconds and replay them exactly.
 */
export interface Clock {
  /** Wall-clock time in ms since the Unix epoch: for timestamps that people see. May jump. */
  now(): number
  /** Monotonic time in ms from an arbitrary start: for deadlines and leases. Never jumps. */
  monotonic(): number
  /** Calls `wake` once after `delayMs` (at least 0). A timer only wakes; it must never be the only holder of a fact. */
  after(delayMs: number, wake: () => void): CancelTimer
}

/** The machine's own clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, wake) {
    const timer = setTimeout(wake, Math.min(Math.max(0, delayMs), 2 ** 31 - 1))
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/**
 * Resolves after `delayMs` on `clock`, or rejects with the signal's reason as soon as `signal` aborts.
 *
 * @throws the abort reason when `signal` is, or becomes, aborted.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error)
      return
    }
    const onAbort = () => {
      cancel()
      reject(signal?.reason as Error)
    }
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
