import { silentLog } from '@berth/shared/log.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { type VirtualClock, virtualClock } from '@berth/shared/virtual-clock.ts'
import { beforeEach, describe, expect, test } from 'vitest'
import { type CallFate, memoryStore, type MemoryStoreFaults } from '../store/memory/memory-store.ts'
import { type MemoryWorld, memoryWorld } from '../store/memory/memory-world.ts'
import { type Fence, type Store, StoreUnavailableError } from '../store/store.ts'
import { Cell, CellClosedError, type Transaction } from './cell.ts'

let clock: VirtualClock
let world: MemoryWorld
beforeEach(() => {
  clock = virtualClock()
  world = memoryWorld()
})

/** Each commit takes 100 ms there, and 100 ms back. */
const slowCommits: MemoryStoreFaults = { delayMs: (operation) => (operation === 'commit' ? 100 : 0) }

interface Opened {
  readonly cell: Cell
  readonly store: Store
  readonly fence: Fence
  /** How many records each commit wrote. */
  readonly commits: number[]
  readonly lost: string[]
}

/** A cell over the world, led by `p1`, who may take it from itself. The fates are those of its commits, then all is well. */
async function openCell(fates: CallFate[] = [], faults: MemoryStoreFaults = {}): Promise<Opened> {
  const fate = (operation: string) => (operation === 'commit' ? (fates.shift() ?? 'done') : 'done')
  const store = memoryStore({ clock, world, faults: { fate, ...faults } })
  const outcome = await store.acquireLease('p1', 5000, { api: '', agents: '' })
  if (outcome.kind !== 'held') throw new Error('the lease is taken')
  const commits: number[] = []
  const lost: string[] = []
  const counting: Store = {
    ...store,
    commit(batch) {
      commits.push(batch.changes.length)
      return store.commit(batch)
    },
  }
  const cell = await Cell.open(
    {
      store: counting,
      fence: outcome.fence,
      clock,
      random: seededRandom(1),
      log: silentLog,
      defer: (run) => void setImmediate(run),
      onLost: (reason) => lost.push(reason),
    },
    await store.load(),
  )
  return { cell, store, fence: outcome.fence, commits, lost }
}

const putFamily =
  (family: string, latestRevision = 1) =>
  (tx: Transaction) => {
    tx.put('families', family, { family, latestRevision })
    return family
  }
const revisionOf = (family: string) => (tables: Cell['tables']) => tables.families.get(family)?.latestRevision

/** What the store has, by family. */
const stored = () =>
  Object.fromEntries(
    Array.from(world.state.tables.get('families') ?? [], ([family, text]) => [
      family,
      (JSON.parse(text) as { latestRevision: number }).latestRevision,
    ]),
  )

/** Notes whether, and how, a promise ended. */
function watch<T>(promise: Promise<T>) {
  const seen: { state: 'waiting' | 'done' | 'failed'; value?: T; error?: unknown } = { state: 'waiting' }
  promise.then(
    (value) => Object.assign(seen, { state: 'done', value }),
    (error: unknown) => Object.assign(seen, { state: 'failed', error }),
  )
  return seen
}

describe('a transaction', () => {
  test('resolves with its result, and not before what it wrote is in the store', async () => {
    const { cell } = await openCell([], slowCommits)
    const writing = watch(cell.transact(putFamily('web')))
    expect(revisionOf('web')(cell.tables)).toBe(1)
    await clock.advanceBy(199)
    expect(writing.state).toBe('waiting')
    await clock.advanceBy(1)
    expect(writing).toMatchObject({ state: 'done', value: 'web' })
    expect(stored()).toEqual({ web: 1 })
  })

  test('that throws leaves nothing behind, neither in memory nor in the store', async () => {
    const { cell, commits } = await openCell()
    await cell.transact(putFamily('web', 1))
    const failing = cell.transact((tx) => {
      tx.put('families', 'web', { family: 'web', latestRevision: 2 })
      tx.put('families', 'web', { family: 'web', latestRevision: 3 })
      tx.put('families', 'api', { family: 'api', latestRevision: 1 })
      tx.delete('families', 'web')
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect([...cell.tables.families.values()]).toEqual([{ family: 'web', latestRevision: 1 }])
    await cell.settle()
    expect(stored()).toEqual({ web: 1 })
    expect(commits).toEqual([1])
  })

  test('that throws because of what it saw says so once what it saw is durable', async () => {
    const { cell } = await openCell([], slowCommits)
    const writing = watch(cell.transact(putFamily('web')))
    const refused = watch(
      cell.transact(({ tables }) => {
        if (tables.families.get('web')) throw new Error('there is one already')
      }),
    )
    await clock.advanceBy(199)
    expect([writing.state, refused.state]).toEqual(['waiting', 'waiting'])
    await clock.advanceBy(1)
    expect([writing.state, refused.state]).toEqual(['done', 'failed'])
  })

  test('sees its own writes', async () => {
    const { cell } = await openCell()
    const seen = await cell.transact((tx) => {
      tx.put('families', 'web', { family: 'web', latestRevision: 7 })
      const written = revisionOf('web')(tx.tables)
      tx.delete('families', 'web')
      return [written, tx.tables.families.size]
    })
    expect(seen).toEqual([7, 0])
  })

  test('is not started inside another', async () => {
    const { cell } = await openCell()
    let inner: Promise<unknown> = Promise.resolve()
    await cell.transact(() => {
      inner = cell.transact(putFamily('web'))
      inner.catch(() => {})
    })
    await expect(inner).rejects.toThrow('inside another')
  })

  test('that writes nothing costs no commit', async () => {
    const { cell, commits } = await openCell()
    await cell.transact((tx) => tx.delete('families', 'never there'))
    expect(commits).toEqual([])
  })
})

describe('group commit', () => {
  test('what is written in one turn of the loop shares a batch, in which a record stands once', async () => {
    const { cell, commits } = await openCell()
    const turns = Array.from({ length: 50 }, (_, n) => cell.transact(putFamily(`f${n % 10}`, n)))
    await Promise.all(turns)
    expect(commits).toEqual([10])
    expect(stored()['f9']).toBe(49)
  })

  test('at most four batches are on their way, and what comes meanwhile shares the next', async () => {
    const { cell, commits } = await openCell([], slowCommits)
    const writes: Promise<unknown>[] = []
    for (let n = 0; n < 20; n++) {
      writes.push(cell.transact(putFamily(`f${n}`)))
      await clock.advanceBy(1)
    }
    expect(commits).toEqual([1, 1, 1, 1])
    await clock.advanceBy(1000)
    await Promise.all(writes)
    expect(commits).toEqual([1, 1, 1, 1, 16])
  })
})

describe('a read', () => {
  test('waits for the durability of what it can have seen', async () => {
    const { cell } = await openCell([], slowCommits)
    const writing = watch(cell.transact(putFamily('web')))
    const reading = watch(cell.read(revisionOf('web')))
    await clock.advanceBy(150)
    const later = watch(cell.read(revisionOf('web')))
    await clock.advanceBy(49)
    expect([writing.state, reading.state, later.state]).toEqual(['waiting', 'waiting', 'waiting'])
    await clock.advanceBy(1)
    expect([writing.state, reading.value, later.value]).toEqual(['done', 1, 1])
  })

  test('does not wait for what was written after it', async () => {
    const { cell } = await openCell([], slowCommits)
    const first = watch(cell.transact(putFamily('a')))
    const reading = watch(cell.read(revisionOf('a')))
    await clock.advanceBy(150)
    const second = watch(cell.transact(putFamily('b')))
    await clock.advanceBy(50)
    expect([first.state, reading.state, second.state]).toEqual(['done', 'done', 'waiting'])
  })

  test('of a quiet cell asks nobody', async () => {
    const { cell, commits } = await openCell()
    expect(await cell.read(({ families }) => families.size)).toBe(0)
    expect(commits).toEqual([])
  })
})

describe('while the store does not take writes', () => {
  test.each<[string, CallFate[]]>([
    ['refused', ['refused']],
    ['refused with all that were on their way', ['refused', 'refused', 'refused']],
    ['in, with its answer lost', ['answer lost']],
    ['refused, and the ones after it answered out of sequence', ['refused', 'done', 'done']],
    ['in, with its answer lost, and lost again', ['answer lost', 'done', 'answer lost', 'answer lost', 'refused']],
  ])('a batch that is %s is sent again, in order, until it is in once', async (_, fates) => {
    const { cell, lost } = await openCell(fates)
    const durable: string[] = []
    cell.onDurable((changes) => durable.push(...changes.map(({ key }) => key)))
    const writes: Promise<string>[] = []
    for (const family of ['a', 'b', 'c']) {
      writes.push(cell.transact(putFamily(family)))
      await new Promise(setImmediate)
      if (!cell.available) break
    }
    await clock.advanceBy(5000)
    const written = await Promise.all(writes)
    expect(lost).toEqual([])
    expect(durable).toEqual(written)
    expect(Object.keys(stored())).toEqual(written)
    expect(cell.available).toBe(true)
  })

  test('nothing new is written, and those who watch are told when it goes on', async () => {
    const { cell } = await openCell(['refused'])
    let available = 0
    cell.onAvailable(() => available++)
    const writing = watch(cell.transact(putFamily('a')))
    await clock.settle()
    expect(cell.available).toBe(false)
    await expect(cell.transact(putFamily('b'))).rejects.toBeInstanceOf(StoreUnavailableError)
    expect(cell.tables.families.size).toBe(1)
    await clock.advanceBy(1000)
    expect([writing.state, available]).toEqual(['done', 1])
    await cell.transact(putFamily('b'))
    expect(stored()).toEqual({ a: 1, b: 1 })
  })

  test('who waits for longer than the time allowed is told that it is not known', async () => {
    const { cell } = await openCell(Array.from({ length: 1000 }, () => 'refused'))
    const writing = watch(cell.transact(putFamily('a')))
    const reading = watch(cell.read(revisionOf('a')))
    await clock.advanceBy(3999)
    expect([writing.state, reading.state]).toEqual(['waiting', 'waiting'])
    await clock.advanceBy(1)
    expect(writing.error).toBeInstanceOf(StoreUnavailableError)
    expect(reading.error).toBeInstanceOf(StoreUnavailableError)
  })
})

describe('the end of leadership', () => {
  test('a cell that is fenced refuses all that waits and all that comes, and says so once', async () => {
    const { cell, lost } = await openCell([], slowCommits)
    const writes = [watch(cell.transact(putFamily('a'))), watch(cell.read(revisionOf('a')))]
    Object.assign(world.state, { epoch: 2, holder: 'p2' })
    await clock.advanceBy(1000)
    expect(writes.map(({ error }) => error)).toEqual([expect.any(CellClosedError), expect.any(CellClosedError)])
    await expect(cell.transact(putFamily('b'))).rejects.toBeInstanceOf(CellClosedError)
    await expect(cell.read(revisionOf('a'))).rejects.toBeInstanceOf(CellClosedError)
    expect(lost).toEqual(['fenced by epoch 2 of p2'])
    expect(stored()).toEqual({})
  })

  test('a store that went back ends it too', async () => {
    const { cell, lost } = await openCell()
    await cell.transact(putFamily('a', 1))
    const before = world.snapshot()
    await cell.transact(putFamily('a', 2))
    world.restore(before)
    await expect(cell.transact(putFamily('a', 3))).rejects.toBeInstanceOf(CellClosedError)
    expect(lost).toHaveLength(1)
    expect(stored()).toEqual({ a: 1 })
  })

  test('closed, it writes nothing more, and whoever settles is let go', async () => {
    const { cell, lost } = await openCell([], slowCommits)
    const writing = watch(cell.transact(putFamily('a')))
    const settling = watch(cell.settle())
    cell.close('it is time')
    await clock.advanceBy(1000)
    expect([writing.state, settling.state]).toEqual(['failed', 'done'])
    expect(stored()).toEqual({})
    expect(lost).toEqual([])
  })
})

describe('those who watch', () => {
  test('are told what was applied at once and what is durable later, in the same order, with before and after', async () => {
    const { cell } = await openCell()
    const applied: unknown[] = []
    const durable: unknown[] = []
    cell.onApplied((changes) => applied.push(...changes))
    const stop = cell.onDurable((changes) => durable.push(...changes))
    const writes = [cell.transact(putFamily('a', 1)), cell.transact(putFamily('a', 2))]
    expect(applied).toEqual([
      { table: 'families', key: 'a', before: undefined, after: { family: 'a', latestRevision: 1 } },
      {
        table: 'families',
        key: 'a',
        before: { family: 'a', latestRevision: 1 },
        after: { family: 'a', latestRevision: 2 },
      },
    ])
    expect(durable).toEqual([])
    await Promise.all(writes)
    expect(durable).toEqual(applied)
    stop()
    await cell.transact(putFamily('b'))
    expect(durable).toHaveLength(2)
  })

  test('do not hold one another up when one fails', async () => {
    const { cell } = await openCell()
    const told: number[] = []
    cell.onDurable(() => {
      throw new Error('a watcher that fails')
    })
    cell.onDurable((changes) => told.push(changes.length))
    await cell.transact(putFamily('a'))
    expect(told).toEqual([1])
  })
})

test('a cell opened over what another wrote has the same tables and indexes', async () => {
  const { cell } = await openCell()
  await cell.transact((tx) => {
    for (let n = 0; n < 5000; n++) putFamily(`f${n}`, n)(tx)
  })
  await cell.transact((tx) => tx.delete('families', 'f17'))
  const { cell: next } = await openCell()
  expect(next.tables.families.size).toBe(4999)
  expect(new Map(next.tables.families.entries())).toEqual(new Map(cell.tables.families.entries()))
})
