import { randomBelow, seededRandom } from '@berth/shared/random.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FitCells, FitOrder } from './fit-index.ts'
import { propertyRuns } from './testing/property-runs.ts'

interface Entry {
  readonly key: number
  readonly cpu: number
  readonly memory: number
}

/** All slots that a walk finds, in its order. */
function walk(order: FitOrder, minKey: number, cpu: number, memory: number): number[] {
  const cursor = order.walkFrom(minKey)
  const found: number[] = []
  for (let slot = order.next(cursor, cpu, memory); slot >= 0; slot = order.next(cursor, cpu, memory)) found.push(slot)
  return found
}

/** What a sorted list would answer; equal hosts in any order, so places are compared and not slots. */
const placesOf = (entries: Iterable<Entry>, cpu: number, memory: number): Entry[] =>
  [...entries]
    .filter((entry) => entry.cpu >= cpu && entry.memory >= memory)
    .toSorted((a, b) => a.key - b.key || a.cpu - b.cpu || a.memory - b.memory)

describe('an order of hosts', () => {
  it('finds every host that has enough, in order, whatever came and went before', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0 }),
        fc.constantFrom(1, 5, 40, 1000, 4000),
        fc.constantFrom(1, 60, 500, 70_000, 2 ** 31 - 1),
        (seed, hosts, maxKey) => {
          const random = seededRandom(seed)
          const cells = new FitCells()
          cells.ensureSlot(hosts)
          const order = new FitOrder(cells, hosts, maxKey)
          const entries = new Map<number, Entry>()
          for (let step = 0; step < 300; step++) {
            const slot = randomBelow(random, hosts)
            expect(cells.has(slot)).toBe(entries.has(slot))
            if (entries.delete(slot)) {
              order.remove(slot)
              continue
            }
            // Few different values, so that hosts share places, and keys on both sides of what the order was made for.
            const key = randomBelow(random, 4) === 0 ? randomBelow(random, maxKey) : randomBelow(random, 12) - 2
            const entry = { key, cpu: randomBelow(random, 9), memory: randomBelow(random, 9) }
            entries.set(slot, entry)
            order.insert(slot, key, entry.cpu, entry.memory)
          }
          for (const [cpu, memory] of [
            [0, 0],
            [4, 4],
            [8, 1],
            [1, 8],
            [9, 0],
            [0, 9],
          ] as const) {
            const found = walk(order, -10, cpu, memory)
            expect(new Set(found).size).toBe(found.length)
            expect(found.map((slot) => entries.get(slot))).toEqual(placesOf(entries.values(), cpu, memory))
            const minKey = randomBelow(random, 12)
            const keys = walk(order, minKey, cpu, memory).map((slot) => (entries.get(slot) as Entry).key)
            const wanted = placesOf(entries.values(), cpu, memory).map(({ key }) => key)
            expect(keys.filter((key) => key >= minKey)).toEqual(wanted.filter((key) => key >= minKey))
          }
        },
      ),
      propertyRuns(400),
    )
  })

  it('counts keys beyond those it was made for into its outermost buckets, still in order', () => {
    const cells = new FitCells()
    cells.ensureSlot(4)
    const order = new FitOrder(cells, 4, 100)
    for (const [slot, key] of [5000, -7, 50, 200].entries()) order.insert(slot, key, 1, 1)
    expect(walk(order, -100, 1, 1)).toEqual([1, 2, 3, 0])
    expect(walk(order, 5000, 1, 1).at(-1)).toBe(0)
  })

  it('may put keys that lie thinly closer together, and stays in order', () => {
    const cells = new FitCells()
    cells.ensureSlot(6)
    const order = new FitOrder(cells, 4, 2 ** 30, (key) => Math.floor(key / 2 ** 20))
    for (const [slot, key] of [2 ** 30, 5, 2 ** 29, 4, 2 ** 29 + 1, 0].entries()) order.insert(slot, key, 1, 1)
    expect(walk(order, 0, 1, 1)).toEqual([5, 3, 1, 2, 4, 0])
    expect(walk(order, 2 ** 29, 1, 1)).toEqual([2, 4, 0])
  })

  it('skips the hosts before a key that are not in its bucket', () => {
    const cells = new FitCells()
    cells.ensureSlot(4)
    const order = new FitOrder(cells, 4, 2 ** 20)
    for (const [slot, key] of [0, 1000, 500_000, 2 ** 20].entries()) order.insert(slot, key, 1, 1)
    expect(walk(order, 400_000, 1, 1)).toEqual([2, 3])
    expect(walk(order, 2 ** 20, 1, 1)).toEqual([3])
  })

  it('shares its storage with other orders, and gives places that are free again to others', () => {
    const cells = new FitCells()
    const orders = [new FitOrder(cells, 10, 100), new FitOrder(cells, 10, 100)] as const
    for (let slot = 0; slot < 200; slot++) {
      cells.ensureSlot(slot)
      expect(cells.has(slot)).toBe(false)
      orders[slot % 2 === 0 ? 0 : 1].insert(slot, slot, slot, slot)
    }
    const room = cells.cells.length
    for (let time = 0; time < 50; time++) {
      for (let slot = 0; slot < 200; slot++) {
        orders[slot % 2 === 0 ? 0 : 1].remove(slot)
        orders[slot % 2 === 0 ? 0 : 1].insert(slot, 200 - slot, slot, slot)
      }
    }
    expect(cells.cells.length).toBe(room)
    expect(walk(orders[0], 0, 150, 0)).toEqual(Array.from({ length: 25 }, (_, at) => 198 - 2 * at))
    expect(walk(orders[1], 0, 0, 195)).toEqual([199, 197, 195])
  })
})
