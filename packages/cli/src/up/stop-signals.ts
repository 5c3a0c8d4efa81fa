import type { Clock } from '@berth/shared/clock.ts'

export interface StopSignals {
  /** Aborted by the first signal. */
  readonly first: AbortSignal
  /** Aborted by one that follows later: somebody has lost patience. */
  readonly second: AbortSignal
  /** Resolves with the first signal. */
  readonly received: Promise<void>
  /** The first signal. */
  readonly name: NodeJS.Signals | undefined
  /** Gives the signals back their usual meaning. */
  release(): void
}

/** npm passes a Ctrl-C on that the terminal has sent to everybody already: what follows so soon, in ms, is the same one. */
const sameWithinMs = 500

/** Takes the signals by which a process is asked to stop. */
export function stopSignals(clock: Clock): StopSignals {
  const first = new AbortController()
  const second = new AbortController()
  const { promise: received, resolve } = Promise.withResolvers<void>()
  let name: NodeJS.Signals | undefined
  let at = 0
  const onSignal = (signal: NodeJS.Signals): void => {
    if (name === undefined) {
      name = signal
      at = clock.monotonic()
      first.abort(new Error(`stopped by ${signal}`))
      resolve()
    } else if (clock.monotonic() - at > sameWithinMs) {
      second.abort()
    }
  }
  const taken = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of taken) process.on(signal, onSignal)
  return {
    first: first.signal,
    second: second.signal,
    received,
    get name() {
      return name
    },
    release: () => taken.forEach((signal) => process.off(signal, onSignal)),
  }
}
