import { sleep } from '@berth/shared/clock.ts'
import { randomBelow, seededRandom } from '@berth/shared/random.ts'
import { type VirtualClock, virtualClock } from '@berth/shared/virtual-clock.ts'
import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type MemoryWorld, memoryWorld } from '../store/memory/memory-world.ts'
import { type Store, StoreUnavailableError } from '../store/store.ts'
import { type Cell, CellClosedError } from './cell.ts'
import { addressesOf, type CellProcess, type CellProcessOptions, cellProcess, noting } from './testing/cell-process.ts'

/** One way of loading a cell of 50,000 tasks from a Redis that is busy, in ms. */
const loadMs = 1500

let clock: VirtualClock
let world: MemoryWorld
beforeEach(() => {
  clock = virtualClock()
  world = memoryWorld()
})

const process = (name: string, options: Partial<CellProcessOptions> = {}) =>
  cellProcess({ name, clock, world, ...options })

const started = async (name: string, options: Partial<CellProcessOptions> = {}) => {
  const one = process(name, options)
  void one.leadership.start()
  await clock.advanceBy(10)
  return one
}

const write = ({ leadership }: CellProcess, family: string, latestRevision = 1) =>
  leadership.currentCell().transact((tx) => tx.put('families', family, { family, latestRevision }))

const families = (one: CellProcess) => [...one.leadership.currentCell().tables.families.values()].map((f) => f.family)

/** Runs `work` to its end while virtual time goes on. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  work.catch(() => {})
  await clock.advanceBy(ms)
  return work
}

describe('one control plane', () => {
  test('takes the free lease, and runs its components in order until it stops them in the reverse', async () => {
    const history: string[] = []
    const one = await started('p1', { components: ['a', 'b', 'c'].map((name) => noting(name, history)) })
    expect(one.leadership.leading).toBe(true)
    expect(one.leadership.leader()).toEqual(addressesOf('p1'))
    expect(history).toEqual(['start a', 'start b', 'start c'])
    await within(1000, one.leadership.stop())
    expect(history.slice(3)).toEqual(['stop c', 'stop b', 'stop a'])
    expect(() => one.leadership.currentCell()).toThrow(CellClosedError)
  })

  test('keeps the lead for as long as it renews, under one epoch', async () => {
    const one = await started('p1')
    const cell = one.leadership.currentCell()
    await clock.advanceBy(3600_000)
    expect(one.leadership.currentCell()).toBe(cell)
    expect(one.history).toEqual(['start p1'])
  })

  test('what it wrote is there after a restart', async () => {
    const one = await started('p1')
    await within(10, write(one, 'web'))
    await within(10, one.leadership.stop())
    const again = await started('p1')
    expect(families(again)).toEqual(['web'])
    expect(again.leadership.currentCell().fence.epoch).toBe(2)
  })

  test('what was written right before it stops is durable, and so is what its components still wrote', async () => {
    const one = await started('p1', {
      components: [
        (() => {
          let running: Cell | undefined
          return {
            name: 'last words',
            start: (cell: Cell) => void (running = cell),
            stop: () =>
              void running?.transact((tx) => tx.put('families', 'last', { family: 'last', latestRevision: 1 })),
          }
        })(),
      ],
      faults: { delayMs: (operation) => (operation === 'commit' ? 100 : 0) },
    })
    const writing = write(one, 'web')
    await within(2000, one.leadership.stop())
    await writing
    expect(families(await started('p2'))).toEqual(['web', 'last'])
  })

  test('told to stop while it loads, it starts nothing and leaves the lease free', async () => {
    const one = await started('p1', { faults: { delayMs: (operation) => (operation === 'load' ? 500 : 0) } })
    expect(one.leadership.leading).toBe(false)
    await within(2000, one.leadership.stop())
    expect(one.history).toEqual([])
    expect(world.state.holder).toBe('')
  })

  test('keeps the lease while it loads for longer than the lease lasts', async () => {
    const slowly = (store: Store): Store => ({ ...store, load: () => sleep(clock, 30_000).then(() => store.load()) })
    const one = await started('p1', { through: slowly })
    const two = await started('p2')
    await clock.advanceBy(30_000)
    expect(one.leadership.currentCell().fence.epoch).toBe(1)
    expect(two.history).toEqual([])
  })

  test('a component that does not start ends this try, and the next one is made after a while', async () => {
    const history: string[] = []
    let failures = 2
    const failing = noting('b', history, () => {
      if (failures-- > 0) throw new Error('not today')
    })
    const one = await started('p1', { components: [noting('a', history), failing] })
    expect(history).toEqual(['start a', 'start b', 'stop b', 'stop a'])
    expect(world.state.holder).toBe('')
    await clock.advanceBy(10_000)
    expect(history.slice(8)).toEqual(['start a', 'start b'])
    expect(one.leadership.leading).toBe(true)
  })
})

describe('while the store does not answer', () => {
  const outage = (from: number, to: number) => ({
    fate: () => (clock.monotonic() >= from && clock.monotonic() < to ? ('refused' as const) : ('done' as const)),
  })

  test('for less than the lease is trusted, the cell goes on as it was, and what was being written becomes durable', async () => {
    const one = await started('p1', { faults: outage(2000, 4800) })
    const cell = one.leadership.currentCell()
    await clock.advanceBy(2000)
    await within(4000, write(one, 'web'))
    expect(one.leadership.currentCell()).toBe(cell)
    expect(one.history).toEqual(['start p1'])
  })

  test('for longer, the cell may not act, and is taken anew when the store is back', async () => {
    const one = await started('p1', { faults: outage(5000, 20_000) })
    await within(10, write(one, 'before'))
    const old = one.leadership.currentCell()
    await clock.advanceBy(5000 - clock.monotonic() + 3500)
    expect(() => one.leadership.currentCell()).toThrow(CellClosedError)
    expect(one.history).toEqual(['start p1', 'stop p1'])
    await expect(old.transact((tx) => tx.delete('families', 'before'))).rejects.toBeInstanceOf(CellClosedError)
    await clock.advanceBy(20_000)
    expect(one.history).toEqual(['start p1', 'stop p1', 'start p1'])
    expect(one.leadership.currentCell().fence.epoch).toBeGreaterThan(old.fence.epoch)
    expect(families(one)).toEqual(['before'])
  })

  test('told to stop, it does not wait for longer than its lease', async () => {
    const one = await started('p1', { faults: outage(1000, 3600_000) })
    await clock.advanceBy(1000)
    const writing = write(one, 'lost')
    writing.catch(() => {})
    await within(5000, one.leadership.stop())
    await expect(writing).rejects.toThrow()
  })
})

describe('two control planes', () => {
  test('the second stands by, knows where the first is, and leads at once when that one stops', async () => {
    const [one, two] = [await started('p1'), await started('p2')]
    expect(() => two.leadership.currentCell()).toThrow(CellClosedError)
    expect(two.leadership.leader()).toEqual(addressesOf('p1'))
    await within(10, write(one, 'web'))
    await within(10, one.leadership.stop())
    await clock.advanceBy(5000 / 3 + 100)
    expect(families(two)).toEqual(['web'])
    expect(two.leadership.leader()).toEqual(addressesOf('p2'))
  })

  test('the second leads within the length of the lease after the first is gone', async () => {
    const [one, two] = [await started('p1'), await started('p2')]
    one.freeze()
    await clock.advanceBy(5100)
    expect(two.leadership.leading).toBe(true)
  })

  test('a leader that stood still may not act from the moment it runs again, and its late write is refused', async () => {
    const [one, two] = [await started('p1'), await started('p2')]
    const old = one.leadership.currentCell()
    const late = write(one, 'late')
    late.catch(() => {})
    one.freeze()
    await clock.advanceBy(6000)
    await within(10, write(two, 'new'))
    expect(one.leadership.leading).toBe(false)
    one.thaw()
    expect(() => one.leadership.currentCell()).toThrow(CellClosedError)
    await clock.advanceBy(2000)
    await expect(late).rejects.toBeInstanceOf(CellClosedError)
    const commit = one.store.commit({ fence: old.fence, sequence: 2, changes: [] })
    expect(await commit).toEqual({ kind: 'fenced', by: two.leadership.currentCell().fence })
    expect(families(two)).toEqual(['new'])
    expect(one.leadership.leader()).toEqual(addressesOf('p2'))
    expect(one.history).toEqual(['start p1', 'stop p1'])
  })

  test.each([
    ['is killed', 'killed'],
    ['stands still past its lease', 'frozen'],
    ['is cut off from the store', 'cut off'],
  ] as const)(
    'a leader that %s is replaced within 5 s of the end of its lease, and its late writes are refused',
    async (_what, fault) => {
      let isCutOff = false
      const loading = { delayMs: (operation: string) => (operation === 'load' ? loadMs : 1) }
      const one = await started('p1', {
        faults: { ...loading, fate: () => (isCutOff ? ('refused' as const) : ('done' as const)) },
      })
      await clock.advanceBy(2 * loadMs + 1000)
      const standbys = [await started('p2', { faults: loading }), await started('p3', { faults: loading })]
      await clock.advanceBy(4000)
      const old = one.leadership.currentCell()
      if (fault === 'cut off') isCutOff = true
      else one.freeze()
      const late = write(one, 'late')
      late.catch(() => {})

      const leaseEndsAt = world.state.deadline
      const successor = () => standbys.find(({ leadership }) => leadership.leading)
      while (successor() === undefined && clock.monotonic() < leaseEndsAt + 60_000) await clock.advanceBy(10)
      await within(10, write(successor() as CellProcess, 'new'))
      expect(clock.monotonic()).toBeGreaterThan(leaseEndsAt)
      expect(clock.monotonic()).toBeLessThan(leaseEndsAt + 5000)

      if (fault === 'killed') return
      one.thaw()
      isCutOff = false
      await clock.advanceBy(5000)
      await expect(late).rejects.toBeInstanceOf(CellClosedError)
      const commit = one.store.commit({ fence: old.fence, sequence: 2, changes: [] })
      expect(await within(100, commit)).toMatchObject({ kind: 'fenced' })
      expect(one.leadership.leading).toBe(false)
      expect(families(successor() as CellProcess)).toEqual(['new'])
    },
  )

  test('a store that went back is noticed: the leader takes the cell anew, as the store has it', async () => {
    const one = await started('p1')
    await within(10, write(one, 'kept'))
    const before = world.snapshot()
    await within(10, write(one, 'forgotten'))
    world.restore(before)
    await expect(within(3000, write(one, 'next'))).rejects.toBeInstanceOf(CellClosedError)
    expect(families(one)).toEqual(['kept'])
    expect(one.history).toEqual(['start p1', 'stop p1', 'start p1'])
  })
})

test('under any mix of freezes and outages there is one leader at most, and nothing acknowledged is lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      clock = virtualClock()
      world = memoryWorld()
      const random = seededRandom(seed)
      const fates = ['done', 'done', 'done', 'refused', 'answer lost'] as const
      let trouble = false
      const faults = {
        delayMs: () => randomBelow(random, trouble ? 400 : 5),
        fate: () => (trouble ? (fates[randomBelow(random, fates.length)] ?? 'done') : 'done'),
      }
      const all = ['p1', 'p2', 'p3'].map((name) => process(name, { faults, ttlMs: 2000 }))
      for (const one of all) void one.leadership.start()
      const frozen = new Set<CellProcess>()
      const acknowledged: string[] = []
      for (let step = 0; step < 150; step++) {
        const one = all[randomBelow(random, all.length)] as CellProcess
        const dice = randomBelow(random, 20)
        if (dice === 0) {
          one.freeze()
          frozen.add(one)
        } else if (dice === 1) {
          one.thaw()
          frozen.delete(one)
        } else if (dice === 2) trouble = !trouble
        else if (one.leadership.leading && !frozen.has(one)) {
          const name = `family-${step}`
          write(one, name).then(
            () => acknowledged.push(name),
            (error: unknown) => {
              if (!(error instanceof CellClosedError) && !(error instanceof StoreUnavailableError)) throw error
            },
          )
        }
        await clock.advanceBy(randomBelow(random, 300))
        expect(all.filter(({ leadership }) => leadership.leading).length).toBeLessThanOrEqual(1)
      }
      trouble = false
      for (const one of all) one.thaw()
      await clock.advanceBy(20_000)
      const leaders = all.filter(({ leadership }) => leadership.leading)
      expect(leaders).toHaveLength(1)
      expect(families(leaders[0] as CellProcess)).toEqual(expect.arrayContaining(acknowledged))
      for (const { history } of all)
        history.forEach((entry, index) => expect(entry.startsWith(index % 2 === 0 ? 'start' : 'stop')).toBe(true))
    }),
    { numRuns: 40 },
  )
})
