import { type Clock } from '@berth/shared/clock.ts'
import { RuntimeError } from '../container-runtime.ts'

/** What the engine is asked to do, as far as its patience differs. */
export type Operation =
  | 'version'
  | 'info'
  | 'inspect'
  | 'list'
  | 'create'
  | 'start'
  | 'stop'
  | 'kill'
  | 'remove'
  | 'pull'
  | 'load'
  | 'image'
  | 'volume'
  | 'network'
  | 'watch'

export type Deadlines = Readonly<Record<Operation, number>>

/**
 * How long each operation may take, in ms, before it fails with `timeout`. The long ones are those of Amazon's agent
 * (`dockerclient/timeout.go`), which met slow disks that we have not; waiting for a slot does not count.
 */
export const defaultDeadlines: Deadlines = {
  version: 10_000,
  info: 30_000,
  inspect: 30_000,
  list: 60_000,
  create: 240_000,
  start: 180_000,
  /** Comes on top of the time that the container itself is given to stop. */
  stop: 30_000,
  kill: 30_000,
  remove: 300_000,
  pull: 7_200_000,
  load: 60_000,
  image: 30_000,
  volume: 300_000,
  network: 60_000,
  /** Until the stream of events is open; from then on it may be silent for ever. */
  watch: 30_000,
}

/**
 * Runs `work` with a signal that aborts when `signal` does, or after `ms` on `clock`.
 *
 * @throws RuntimeError `timeout`; the signal's reason; what `work` throws.
 */
export async function withDeadline<T>(
  clock: Clock,
  what: string,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const own = new AbortController()
  const onAbort = (): void => own.abort(signal.reason)
  const cancel = clock.after(ms, () => {
    own.abort(new RuntimeError('timeout', `Could not ${what} within ${ms / 1000} s`))
  })
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await work(own.signal)
  } catch (error) {
    if (own.signal.aborted) throw own.signal.reason
    throw error
  } finally {
    cancel()
    signal.removeEventListener('abort', onAbort)
  }
}
