import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { computedDesiredCount } from './task-sets.ts'

const share = (desiredCount: number, scalePercent: number, status: 'ACTIVE' | 'DRAINING' = 'ACTIVE'): number =>
  computedDesiredCount({ desiredCount }, { status, scalePercent })

describe('the share of a task set', () => {
  const tenths = fc.integer({ min: 0, max: 1000 }).map((value) => value / 10)

  test('is the least whole number of tasks that is not below its percentage', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.integer({ min: 0, max: 1000 }), (desired, perMille) => {
        // Worked out in integers, which know no hair's breadth.
        const exact = Math.ceil((desired * perMille) / 1000)
        expect(share(desired, perMille / 10)).toBe(exact)
      }),
    )
  })

  test('never goes down as the percentage or the desired count goes up, and all of it is all', () => {
    fc.assert(
      fc.property(fc.nat(5000), tenths, tenths, fc.nat(10), (desired, one, other, more) => {
        const [low, high] = one < other ? [one, other] : [other, one]
        expect(share(desired, low)).toBeLessThanOrEqual(share(desired, high))
        expect(share(desired, one)).toBeLessThanOrEqual(share(desired + more, one))
        expect(share(desired, 100)).toBe(desired)
      }),
    )
  })

  test('of sets that have all of the service between them is never less than the service wants', () => {
    fc.assert(
      fc.property(fc.nat(5000), tenths, (desired, percent) => {
        const both = share(desired, percent) + share(desired, 100 - percent)
        expect(both).toBeGreaterThanOrEqual(desired)
        expect(both).toBeLessThanOrEqual(desired + 1)
      }),
    )
  })

  test('of one that is being deleted is nothing', () => {
    expect(share(10, 100, 'DRAINING')).toBe(0)
  })
})
