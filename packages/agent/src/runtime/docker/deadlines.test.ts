import { describe, expect, it } from 'vitest'
import type { Clock } from '@berth/shared/clock.ts'
import { withDeadline } from './deadlines.ts'

/** A clock whose timers go off when told, and that knows how many are left. */
function handClock() {
  const timers = new Set<() => void>()
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    after(_delayMs, wake) {
      timers.add(wake)
      return () => timers.delete(wake)
    },
  }
  return { clock, timers }
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('some socket error')))
  })

describe('a deadline', () => {
  it('ends the work with a timeout that names it', async () => {
    const { clock, timers } = handClock()
    const work = withDeadline(clock, 'list', 1_500, new AbortController().signal, untilAborted)
    for (const wake of timers) wake()
    await expect(work).rejects.toMatchObject({ fault: 'timeout', message: 'Could not list within 1.5 s' })
  })

  it('ends with the reason of the signal', async () => {
    const stop = new AbortController()
    const work = withDeadline(handClock().clock, 'list', 1, stop.signal, untilAborted)
    stop.abort(new Error('enough'))
    await expect(work).rejects.toThrow('enough')
  })

  it('leaves nothing behind when the work is done, or fails', async () => {
    const { clock, timers } = handClock()
    const { signal } = new AbortController()
    expect(await withDeadline(clock, 'list', 1, signal, () => Promise.resolve('done'))).toBe('done')
    await expect(withDeadline(clock, 'list', 1, signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(timers.size).toBe(0)
  })
})
