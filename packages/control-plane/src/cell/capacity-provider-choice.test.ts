import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseCapacityProviders } from './capacity-provider-choice.ts'

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

describe('chooseCapacityProviders', () => {
  test.each([
    [
      'base first',
      [
        { capacityProvider: 'a', weight: 0, base: 2 },
        { capacityProvider: 'b', weight: 1 },
      ],
      3,
      { a: 2, b: 1 },
    ],
    [
      'by weight',
      [
        { capacityProvider: 'a', weight: 1 },
        { capacityProvider: 'b', weight: 3 },
      ],
      8,
      { a: 2, b: 6 },
    ],
    [
      'weight beside base',
      [
        { capacityProvider: 'a', weight: 1, base: 1 },
        { capacityProvider: 'b', weight: 1 },
      ],
      5,
      { a: 3, b: 2 },
    ],
    [
      'none to one without weight',
      [
        { capacityProvider: 'a', weight: 1 },
        { capacityProvider: 'b', weight: 0 },
      ],
      4,
      { a: 4 },
    ],
  ])('%s', (_, strategy, tasks, shares) => {
    expect(count(chooseCapacityProviders(strategy, tasks))).toEqual(shares)
  })

  test('goes on from what is there', () => {
    const strategy = [
      { capacityProvider: 'a', weight: 1 },
      { capacityProvider: 'b', weight: 1 },
    ]
    expect(chooseCapacityProviders(strategy, 3, new Map([['a', 3]]))).toEqual(['b', 'b', 'b'])
  })

  test('one at a time or together is the same, and nobody is more than one task off its share', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(weights, fc.nat(60), (weights, tasks) => {
        const strategy = weights.map((weight, index) => ({ capacityProvider: `p${index}`, weight }))
        const together = chooseCapacityProviders(strategy, tasks)
        const existing = new Map<string, number>()
        for (let task = 0; task < tasks; task++) {
          const [next = ''] = chooseCapacityProviders(strategy, 1, existing)
          expect(next).toBe(together[task])
          existing.set(next, (existing.get(next) ?? 0) + 1)
        }
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        for (const [index, weight] of weights.entries())
          expect(existing.get(`p${index}`) ?? 0).toBeLessThan((tasks * weight) / total + weights.length)
      }),
    )
  })
})
