import type { Clock } from '@berth/shared/clock.ts'

/**
 * The life of one process in a simulation: everything that comes to it (timers, answers, messages) passes through `gate`, so that a killed
 * process does nothing more, and a frozen one does it late. What it asked others for before goes on without it.
 */
export interface SimulatedProcess {
  /** The simulation's clock, as this process feels it. */
  readonly clock: Clock
  readonly state: 'alive' | 'frozen' | 'dead'
  /** Runs `happen` now, after the thaw, or never. */
  gate(happen: () => void): void
  /** An answer that reaches the process only while it lives. */
  answer<T>(promise: Promise<T>): Promise<T>
  kill(): void
  freeze(): void
  thaw(): void
}

/** A process that has just started. */
export function simulatedProcess(clock: Clock): SimulatedProcess {
  let state: SimulatedProcess['state'] = 'alive'
  let held: (() => void)[] = []
  const gate = (happen: () => void) => {
    if (state === 'alive') happen()
    else if (state === 'frozen') held.push(happen)
  }
  return {
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after(delayMs, wake) {
        let cancelled = false
        const cancel = clock.after(delayMs, () => gate(() => !cancelled && wake()))
        return () => {
          cancelled = true
          cancel()
        }
      },
    },
    get state() {
      return state
    },
    gate,
    answer: <T>(promise: Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        promise.then(
          (value) => gate(() => resolve(value)),
          (error: unknown) => gate(() => reject(error)),
        )
      }),
    kill() {
      state = 'dead'
      held = []
    },
    freeze() {
      if (state === 'alive') state = 'frozen'
    },
    thaw() {
      if (state !== 'frozen') return
      state = 'alive'
      const happened = held
      held = []
      for (const happen of happened) gate(happen)
    },
  }
}
