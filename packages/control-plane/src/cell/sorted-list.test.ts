import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { SortedList } from './sorted-list.ts'

test('is in order whatever was added and taken out, when it is looked at', () => {
  const step = fc.record({ add: fc.boolean(), item: fc.nat({ max: 30 }), look: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const list = new SortedList<number>((a, b) => a - b)
      const items = new Set<number>()
      for (const { add, item, look } of steps) {
        if (!add) list.remove(item)
        else if (!items.has(item)) list.add(item)
        if (add) items.add(item)
        else items.delete(item)
        expect(list.size).toBe(items.size)
        if (!look) continue
        const sorted = [...items].sort((a, b) => a - b)
        expect(list.firstOnes(40)).toEqual(sorted)
        expect(list.first()).toBe(sorted[0])
        expect(list.countBefore(item)).toBe(sorted.filter((other) => other < item).length)
      }
    }),
  )
})
