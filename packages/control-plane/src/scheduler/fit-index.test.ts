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

/** All slots that a walk finds, in its order; of a walk that does not end, more than there are. */
function walk(order: FitOrder, minKey: number, cpu: number, memory: number): number[] {
  const cursor = order.walkFrom(minKey)
  const found: number[] = []
  const next = () => order.next(cursor, cpu, memory)
  for (let slot = next(); slot >= 0 && found.length <= 4000; slot = next()) found.push(slot)
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
        // Amounts that the tree tells apart, and such as it cannot.
        fc.constantFrom(0, 100_000, 2 ** 31 - 10),
        (seed, hosts, maxKey, least) => {
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
            const entry = { key, cpu: least + randomBelow(random, 9), memory: least + randomBelow(random, 9) }
            entries.set(slot, entry)
            order.insert(slot, key, entry.cpu, entry.memory)
          }
          for (const [cpu, memory] of [
            [0, 0],
            [least, least],
            [least + 4, least + 4],
            [least + 8, least + 1],
            [least + 1, least + 8],
            [least + 9, least],
            [least, least + 9],
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
    let room = 0
    for (let time = 0; time < 50; time++) {
      if (time === 1) room = cells.cells.length
      for (let slot = 0; slot < 200; slot++) {
        orders[slot % 2 === 0 ? 0 : 1].remove(slot)
        orders[slot % 2 === 0 ? 0 : 1].insert(slot, 200 - slot, slot, slot)
      }
    }
    expect(cells.cells.length).toBe(room)
    expect(walk(orders[0], 0, 150, 0)).toEqual(Array.from({ length: 25 }, (_, at) => 198 - 2 * at))
    expect(walk(orders[1], 0, 0, 195)).toEqual([199, 197, 195])
  })

  it('keeps equal hosts as one, whichever of them come and go', () => {
    const cells = new FitCells()
    cells.ensureSlot(9_999)
    const room = cells.cells.length
    const order = new FitOrder(cells, 10_000, 100)
    for (let slot = 0; slot < 10_000; slot++) order.insert(slot, 50, 7, 7)
    expect(cells.cells.length).toBe(room)
    // The last that came, which is found first, the first that came, and all between but every hundredth.
    for (let slot = 0; slot < 10_000; slot++) if (slot % 100 !== 50) order.remove(slot)
    const left = Array.from({ length: 100 }, (_, at) => 9_950 - 100 * at)
    expect(walk(order, 0, 7, 7)).toEqual(left)
    for (const slot of left) order.remove(slot)
    expect(walk(order, 0, 0, 0)).toEqual([])
  })

  it('keeps a thousand different hosts of one key in order, as they come and as most of them go', () => {
    const cells = new FitCells()
    cells.ensureSlot(999)
    const order = new FitOrder(cells, 1000, 100)
    // Each number below 1000 once, in leaps.
    for (let slot = 0; slot < 1000; slot++) order.insert(slot, 50, (slot * 389) % 1000, 1)
    expect(walk(order, 50, 0, 1).map((slot) => (slot * 389) % 1000)).toEqual(
      Array.from({ length: 1000 }, (_, at) => at),
    )
    for (let slot = 0; slot < 1000; slot++) if ((slot * 389) % 1000 >= 3) order.remove(slot)
    expect(walk(order, 50, 3, 0)).toEqual([])
    expect(walk(order, 50, 2, 0).map((slot) => (slot * 389) % 1000)).toEqual([2])
  })
})
