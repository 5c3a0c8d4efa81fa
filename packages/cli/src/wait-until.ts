import { type Clock, sleep } from '@berth/shared/clock.ts'

export interface WaitOptions {
  readonly clock: Clock
  readonly everyMs: number
  readonly deadlineMs: number
  readonly signal?: AbortSignal
}

/**
 * Asks again and again until there is an answer, and gives it back; `undefined` when the deadline passes first.
 *
 * @throws the signal's reason; what `ask` throws.
 */
export async function waitUntil<T>(
  { clock, everyMs, deadlineMs, signal }: WaitOptions,
  ask: () => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = clock.monotonic() + deadlineMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (clock.monotonic() >= deadline) return undefined
    await sleep(clock, everyMs, signal)
  }
}
