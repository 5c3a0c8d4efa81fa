import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sleep } from './clock.ts'
import { virtualClock } from './virtual-clock.ts'

describe('virtual clock', () => {
  test('stands still by itself', async () => {
    const clock = virtualClock(1_000)
    await clock.settle()
    expect([clock.now(), clock.monotonic(), clock.nextTimer()]).toEqual([1_000, 0, undefined])
  })

  test('calls timers in the order of their moments, then of their making, each at its own moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(50), { maxLength: 40 }), async (delays) => {
        const clock = virtualClock(0)
        const fired: [number, number][] = []
        delays.forEach((delay, index) => clock.after(delay, () => fired.push([clock.now(), index])))
        await clock.advanceBy(50)
        const expected = delays.map((delay, index): [number, number] => [delay, index])
        expect(fired).toEqual(expected.sort(([a, i], [b, j]) => a - b || i - j))
      }),
    )
  })

  test('does not call a cancelled timer, nor one that lies beyond the moment asked for', async () => {
    const clock = virtualClock(0)
    const fired: string[] = []
    const cancel = clock.after(5, () => fired.push('cancelled'))
    clock.after(20, () => fired.push('late'))
    cancel()
    await clock.advanceTo(10)
    expect(fired).toEqual([])
    expect([clock.now(), clock.nextTimer()]).toEqual([10, 20])
  })

  test('runs what a timer caused before the next timer, with timers set on the way', async () => {
    const clock = virtualClock(0)
    const seen: string[] = []
    const walk = async () => {
      await sleep(clock, 10)
      for (let i = 0; i < 100; i++) await Promise.resolve()
      seen.push(`walked at ${clock.now()}`)
      await sleep(clock, 1)
      seen.push(`woke at ${clock.now()}`)
    }
    const walking = walk()
    clock.after(12, () => seen.push(`other at ${clock.now()}`))
    await clock.advanceBy(100)
    await walking
    expect(seen).toEqual(['walked at 10', 'woke at 11', 'other at 12'])
    expect(clock.now()).toBe(100)
  })

  test('a moment between two milliseconds is reached at the second, and never shown', async () => {
    const clock = virtualClock(1000)
    let shown = 0
    clock.after(10 / 3, () => (shown = clock.now()))
    expect(clock.nextTimer()).toBe(1004)
    await clock.advanceTo(1004)
    expect(shown).toBe(1003)
  })
})
