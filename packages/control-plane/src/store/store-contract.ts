import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FeedEntry, Fence, LeaderAddresses, LeaseOutcome, Store, StoredChange } from './store.ts'

/** One set of data, and as many processes that use it as a test wants. */
export interface StoreUnderTest {
  /** Another process's store over the same data, ready to be used. */
  open(): Promise<Store>
  /** Lets the store's own clock go on by `ms`. */
  passTime(ms: number): Promise<void>
  close(): Promise<void>
}

const put = (key: string, value: unknown, table = 'tasks'): StoredChange => ({
  table,
  key,
  value: JSON.stringify(value),
})
const end = (key: string, table = 'tasks'): StoredChange => ({ table, key, value: null })

const byName = (a: StoredChange, b: StoredChange) =>
  a.table < b.table || (a.table === b.table && a.key < b.key) ? -1 : 1
const sorted = (changes: readonly StoredChange[]) => changes.toSorted(byName)

const addressesOf = (holder: string): LeaderAddresses => ({ api: `http://${holder}:4566`, agents: `${holder}:4567` })

/** What every store promises. `makeStore` gives empty data each time. */
export function describeStoreContract(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`store contract: ${name}`, () => {
    let underTest: StoreUnderTest
    let opened: Store[]

    const open = async () => {
      const store = await underTest.open()
      opened.push(store)
      return store
    }
    const lead = async (store: Store, holder: string, ttlMs = 60_000): Promise<Fence> => {
      const lease = await store.acquireLease(holder, ttlMs, addressesOf(holder))
      if (lease.kind !== 'held') throw new Error(`${holder} did not get the lease: ${JSON.stringify(lease)}`)
      return lease.fence
    }
    const contents = async (store: Store) => {
      const { sequence, records } = await store.load()
      return { sequence, records: sorted(records) }
    }

    beforeEach(async () => {
      opened = []
      underTest = await makeStore()
    })
    afterEach(async () => {
      for (const store of opened) await store.close()
      await underTest.close()
    })

    describe('commits', () => {
      test('an empty store loads as nothing at sequence 0', async () => {
        expect(await (await open()).load()).toEqual({ sequence: 0, records: [] })
      })

      test('loads exactly what was committed, in another process too', async () => {
        const store = await open()
        const fence = await lead(store, 'p1')
        await store.commit({
          fence,
          sequence: 1,
          changes: [put('a', { n: 1 }), put('b', { n: 2 }), put('a', 0, 'hosts')],
        })
        await store.commit({ fence, sequence: 2, changes: [put('a', { n: 3 }), end('b'), end('never there')] })
        const expected = { sequence: 2, records: [put('a', 0, 'hosts'), put('a', { n: 3 })] }
        expect(await contents(store)).toEqual(expected)
        expect(await contents(await open())).toEqual(expected)
      })

      test('pipelined batches are applied in the order of the calls', async () => {
        const store = await open()
        const fence = await lead(store, 'p1')
        const sequences = Array.from({ length: 200 }, (_, index) => index + 1)
        const answered: number[] = []
        const outcomes = await Promise.all(
          sequences.map(async (sequence) => {
            const outcome = await store.commit({
              fence,
              sequence,
              changes: [put('last', sequence), put(`k${sequence}`, 1)],
            })
            answered.push(sequence)
            return outcome.kind
          }),
        )
        expect(new Set(outcomes)).toEqual(new Set(['committed']))
        expect(answered).toEqual(sequences)
        const { sequence, records } = await store.load()
        expect(sequence).toBe(200)
        expect(records).toHaveLength(201)
        expect(records).toContainEqual(put('last', 200))
      })

      test('a batch that is already in is answered as committed and changes nothing', async () => {
        const store = await open()
        const fence = await lead(store, 'p1')
        await store.commit({ fence, sequence: 1, changes: [put('a', 1)] })
        await store.commit({ fence, sequence: 2, changes: [put('a', 2)] })
        expect(await store.commit({ fence, sequence: 1, changes: [put('a', 'again')] })).toEqual({ kind: 'committed' })
        expect(await store.commit({ fence, sequence: 2, changes: [put('b', 'again')] })).toEqual({ kind: 'committed' })
        expect(await contents(store)).toEqual({ sequence: 2, records: [put('a', 2)] })
      })

      test('a gap is refused, with all that follows it, until it is filled', async () => {
        const store = await open()
        const fence = await lead(store, 'p1')
        await store.commit({ fence, sequence: 1, changes: [] })
        const refused = { kind: 'out-of-sequence', durable: 1 }
        expect(await store.commit({ fence, sequence: 3, changes: [put('a', 3)] })).toEqual(refused)
        expect(await store.commit({ fence, sequence: 4, changes: [put('a', 4)] })).toEqual(refused)
        expect(await contents(store)).toEqual({ sequence: 1, records: [] })
        expect(await store.commit({ fence, sequence: 2, changes: [put('a', 2)] })).toEqual({ kind: 'committed' })
        expect(await store.commit({ fence, sequence: 3, changes: [put('a', 3)] })).toEqual({ kind: 'committed' })
        expect(await contents(store)).toEqual({ sequence: 3, records: [put('a', 3)] })
      })

      test('an empty batch counts', async () => {
        const store = await open()
        const fence = await lead(store, 'p1')
        expect(await store.commit({ fence, sequence: 1, changes: [] })).toEqual({ kind: 'committed' })
        expect(await contents(store)).toEqual({ sequence: 1, records: [] })
      })

      test('of a record that a batch names twice the last value counts', async () => {
        const store = await open()
        const fence = await lead(store, 'p1')
        const changes = [put('a', 1), end('a'), put('b', 1), put('b', 2), end('c'), put('c', 1), put('d', 1), end('d')]
        await store.commit({ fence, sequence: 1, changes })
        expect((await contents(store)).records).toEqual([put('b', 2), put('c', 1)])
      })

      test('ten thousand changes are one batch', async () => {
        const store = await open()
        const fence = await lead(store, 'p1')
        const puts = Array.from({ length: 10_000 }, (_, n) => put(`k${n}`, { n }, `table ${n % 3}`))
        expect(await store.commit({ fence, sequence: 1, changes: puts })).toEqual({ kind: 'committed' })
        expect((await contents(store)).records).toEqual(sorted(puts))
        const ends = puts.slice(5).map(({ table, key }) => end(key, table))
        expect(await store.commit({ fence, sequence: 2, changes: ends })).toEqual({ kind: 'committed' })
        expect((await contents(store)).records).toEqual(sorted(puts.slice(0, 5)))
      })

      test('values of a mebibyte come back as they were', async () => {
        const store = await open()
        const fence = await lead(store, 'p1')
        const big = Array.from({ length: 4 }, (_, n) =>
          put(`big${n}`, String.fromCodePoint(0x1f600 + n).repeat(2 ** 18)),
        )
        await store.commit({ fence, sequence: 1, changes: big })
        expect((await contents(store)).records).toEqual(big)
      })

      test.each([
        ['__proto__'],
        ['constructor'],
        [''],
        [' '],
        ['a\nb\r\n$5'],
        ['a b/c:d{e}*'],
        ['ключ 鍵 🔑'],
        ['e\u0301'],
        ['\u00e9'],
        ['\0'],
        ['\u0001"x"'],
        ['\ud800'],
        ['\udfff'],
      ])('the key %j is a key like any other', async (key) => {
        const store = await open()
        const fence = await lead(store, 'p1')
        await store.commit({ fence, sequence: 1, changes: [put('other', 0), put(key, { key })] })
        expect((await contents(store)).records).toEqual(sorted([put('other', 0), put(key, { key })]))
        await store.commit({ fence, sequence: 2, changes: [end(key)] })
        expect((await contents(store)).records).toEqual([put('other', 0)])
      })

      test('keys that look alike once encoded stay apart', async () => {
        const store = await open()
        const fence = await lead(store, 'p1')
        const changes = ['\ud800', '\ud801', '\ufffd', '\u0001"\\ud800"'].map((key) => put(key, key))
        await store.commit({ fence, sequence: 1, changes })
        expect((await contents(store)).records).toEqual(sorted(changes))
      })
    })

    describe('the lease', () => {
      test('the first holder has epoch 1, and others are told who and where it is', async () => {
        const [one, two] = [await open(), await open()]
        expect(await one.acquireLease('p1', 60_000, addressesOf('p1'))).toEqual({
          kind: 'held',
          fence: { epoch: 1, holder: 'p1' },
        })
        const outcome = await two.acquireLease('p2', 60_000, addressesOf('p2'))
        expect(outcome).toMatchObject({ kind: 'taken', by: { epoch: 1, holder: 'p1' }, leader: addressesOf('p1') })
        const { expiresInMs } = outcome as LeaseOutcome & { kind: 'taken' }
        expect(expiresInMs).toBeGreaterThan(0)
        expect(expiresInMs).toBeLessThanOrEqual(60_000)
      })

      test('an expired lease is taken under a greater epoch', async () => {
        const [one, two] = [await open(), await open()]
        const old = await lead(one, 'p1', 50)
        await underTest.passTime(100)
        expect(await lead(two, 'p2')).toEqual({ epoch: old.epoch + 1, holder: 'p2' })
      })

      test('the epoch is as durable as the data: whoever comes later gets a greater one', async () => {
        const epochs: number[] = []
        for (const holder of ['p1', 'p2', 'p1', 'p3']) {
          const store = await open()
          const fence = await lead(store, holder)
          epochs.push(fence.epoch)
          await store.releaseLease(fence)
        }
        expect(epochs).toEqual([1, 2, 3, 4])
      })

      test('renewing keeps it', async () => {
        const [one, two] = [await open(), await open()]
        const fence = await lead(one, 'p1', 1000)
        for (let i = 0; i < 3; i++) {
          await underTest.passTime(500)
          expect(await one.renewLease(fence, 1000)).toEqual({ kind: 'held', fence })
        }
        expect((await two.acquireLease('p2', 1000, addressesOf('p2'))).kind).toBe('taken')
      })

      test('one that expired while nobody took it may be renewed, and commits under it are taken', async () => {
        const store = await open()
        const fence = await lead(store, 'p1', 50)
        await underTest.passTime(100)
        expect(await store.commit({ fence, sequence: 1, changes: [] })).toEqual({ kind: 'committed' })
        expect(await store.renewLease(fence, 60_000)).toEqual({ kind: 'held', fence })
        expect((await (await open()).acquireLease('p2', 1000, addressesOf('p2'))).kind).toBe('taken')
      })

      test('one that was taken over is not renewed, and says by whom', async () => {
        const [one, two] = [await open(), await open()]
        const old = await lead(one, 'p1', 50)
        await underTest.passTime(100)
        const fence = await lead(two, 'p2')
        expect(await one.renewLease(old, 60_000)).toMatchObject({ kind: 'taken', by: fence, leader: addressesOf('p2') })
        expect(await two.renewLease(fence, 60_000)).toEqual({ kind: 'held', fence })
      })

      test('a released lease is free at once, and its fence is of no use any more', async () => {
        const [one, two] = [await open(), await open()]
        const old = await lead(one, 'p1')
        await one.releaseLease(old)
        expect(await one.commit({ fence: old, sequence: 1, changes: [] })).toEqual({ kind: 'fenced', by: undefined })
        expect((await one.renewLease(old, 1000)).kind).toBe('taken')
        expect(await lead(two, 'p2')).toEqual({ epoch: 2, holder: 'p2' })
      })

      test('releasing what another has does nothing', async () => {
        const [one, two] = [await open(), await open()]
        const old = await lead(one, 'p1', 50)
        await underTest.passTime(100)
        const fence = await lead(two, 'p2')
        await one.releaseLease(old)
        await one.releaseLease({ ...fence, holder: 'p1' })
        expect(await two.commit({ fence, sequence: 1, changes: [] })).toEqual({ kind: 'committed' })
      })

      test('one whose holder is known to have ended is taken at once, and of no other', async () => {
        const [one, two] = [await open(), await open()]
        const old = await lead(one, 'p1')
        expect((await two.acquireLease('p2', 60_000, addressesOf('p2'), { predecessor: 'p0' })).kind).toBe('taken')
        const fence = { epoch: old.epoch + 1, holder: 'p2' }
        expect(await two.acquireLease('p2', 60_000, addressesOf('p2'), { predecessor: 'p1' })).toEqual({
          kind: 'held',
          fence,
        })
        expect(await one.commit({ fence: old, sequence: 1, changes: [] })).toEqual({ kind: 'fenced', by: fence })
        expect((await one.acquireLease('p3', 60_000, addressesOf('p3'), { predecessor: 'p1' })).kind).toBe('taken')
      })

      test('the epoch goes above one that somebody else has seen', async () => {
        const store = await open()
        const lease = await store.acquireLease('p1', 60_000, addressesOf('p1'), { aboveEpoch: 41 })
        expect(lease).toEqual({ kind: 'held', fence: { epoch: 42, holder: 'p1' } })
        expect(await store.acquireLease('p1', 60_000, addressesOf('p1'), { aboveEpoch: 7 })).toEqual({
          kind: 'held',
          fence: { epoch: 43, holder: 'p1' },
        })
      })

      test('the same process asking again gets a new epoch at once, and its old fence is of no use', async () => {
        const store = await open()
        const old = await lead(store, 'p1')
        const fence = await lead(store, 'p1')
        expect(fence).toEqual({ epoch: 2, holder: 'p1' })
        expect(await store.commit({ fence: old, sequence: 1, changes: [] })).toEqual({ kind: 'fenced', by: fence })
      })
    })

    describe('the fence', () => {
      test('without a lease nothing is written', async () => {
        const store = await open()
        const outcome = await store.commit({ fence: { epoch: 0, holder: '' }, sequence: 2, changes: [put('a', 1)] })
        expect(outcome.kind).not.toBe('committed')
        expect(await store.commit({ fence: { epoch: 1, holder: 'p1' }, sequence: 1, changes: [put('a', 1)] })).toEqual({
          kind: 'fenced',
          by: undefined,
        })
        expect(await contents(store)).toEqual({ sequence: 0, records: [] })
      })

      test.each([
        ['the epoch before', { epoch: 1, holder: 'p2' }],
        ['a later epoch', { epoch: 3, holder: 'p2' }],
        ['another holder of the same epoch', { epoch: 2, holder: 'p1' }],
        ['a name that only begins alike', { epoch: 2, holder: 'p22' }],
      ])('%s is refused', async (_, wrong) => {
        const store = await open()
        await lead(store, 'p1', 1)
        await underTest.passTime(20)
        const fence = await lead(store, 'p2')
        const outcome = await store.commit({ fence: wrong, sequence: 1, changes: [put('a', 1)] })
        expect(outcome).toEqual({ kind: 'fenced', by: fence })
        expect(await contents(store)).toEqual({ sequence: 0, records: [] })
      })

      test('late writes of an old leader are refused, be they the next, old or far ahead', async () => {
        const [one, two] = [await open(), await open()]
        const old = await lead(one, 'p1', 50)
        await one.commit({ fence: old, sequence: 1, changes: [put('a', 'old')] })
        await underTest.passTime(100)
        const fence = await lead(two, 'p2')
        expect((await two.load()).sequence).toBe(1)
        const late = await Promise.all(
          [1, 2, 3].map((sequence) => one.commit({ fence: old, sequence, changes: [put('a', 'late')] })),
        )
        expect(late).toEqual([1, 2, 3].map(() => ({ kind: 'fenced', by: fence })))
        expect(await two.commit({ fence, sequence: 2, changes: [put('b', 'new')] })).toEqual({ kind: 'committed' })
        expect(await contents(two)).toEqual({ sequence: 2, records: [put('a', 'old'), put('b', 'new')] })
      })
    })

    describe('the feed', () => {
      const take = async (feed: AsyncIterator<FeedEntry>, count: number) => {
        const entries: FeedEntry[] = []
        while (entries.length < count) {
          const next = await feed.next()
          if (next.done === true) break
          entries.push({ ...next.value, changes: sorted(next.value.changes) })
        }
        return entries
      }

      test('tells batches in order, those of before and those that come', async () => {
        const [writer, reader] = [await open(), await open()]
        const fence = await lead(writer, 'p1')
        const stop = new AbortController()
        await writer.commit({ fence, sequence: 1, changes: [put('a', 1), put('b', 1, 'hosts'), end('c')] })
        const feed = reader.feed(0, stop.signal)[Symbol.asyncIterator]()
        expect(await take(feed, 1)).toEqual([
          { sequence: 1, epoch: 1, changes: [put('b', 1, 'hosts'), put('a', 1), end('c')] },
        ])
        const next = take(feed, 2)
        await writer.commit({ fence, sequence: 2, changes: [] })
        await writer.commit({ fence, sequence: 3, changes: [end('a')] })
        expect(await next).toEqual([
          { sequence: 2, epoch: 1, changes: [] },
          { sequence: 3, epoch: 1, changes: [end('a')] },
        ])
        stop.abort()
        expect((await feed.next()).done).toBe(true)
      })

      test('resumes after the sequence that is named', async () => {
        const store = await open()
        const fence = await lead(store, 'p1')
        for (let sequence = 1; sequence <= 5; sequence++)
          await store.commit({ fence, sequence, changes: [put('a', sequence)] })
        const stop = new AbortController()
        const feed = store.feed(3, stop.signal)[Symbol.asyncIterator]()
        expect((await take(feed, 2)).map(({ sequence }) => sequence)).toEqual([4, 5])
        stop.abort()
      })

      test('a batch that was sent twice is told once', async () => {
        const store = await open()
        const fence = await lead(store, 'p1')
        for (const sequence of [1, 1, 2, 1, 2, 3])
          await store.commit({ fence, sequence, changes: [put('a', sequence)] })
        const stop = new AbortController()
        const feed = store.feed(0, stop.signal)[Symbol.asyncIterator]()
        expect((await take(feed, 3)).map(({ sequence }) => sequence)).toEqual([1, 2, 3])
        stop.abort()
      })

      test('a batch of many changes is one entry', async () => {
        const store = await open()
        const fence = await lead(store, 'p1')
        const changes = Array.from({ length: 1234 }, (_, n) =>
          n % 7 === 0 ? end(`k${n}`) : put(`k${n}`, n, `t${n % 2}`),
        )
        await store.commit({ fence, sequence: 1, changes })
        const stop = new AbortController()
        const feed = store.feed(0, stop.signal)[Symbol.asyncIterator]()
        expect(await take(feed, 1)).toEqual([{ sequence: 1, epoch: 1, changes: sorted(changes) }])
        stop.abort()
      })

      test('what is older than the feed is long is skipped, and the reader can see it', async () => {
        const store = await open()
        const fence = await lead(store, 'p1')
        const sequences = Array.from({ length: 3000 }, (_, n) => n + 1)
        await Promise.all(sequences.map((sequence) => store.commit({ fence, sequence, changes: [put('a', sequence)] })))
        const stop = new AbortController()
        const feed = store.feed(0, stop.signal)[Symbol.asyncIterator]()
        const first = (await take(feed, 1))[0]?.sequence ?? 0
        expect(first).toBeGreaterThan(1)
        const rest = await take(feed, 3000 - first)
        expect(rest.map(({ sequence }) => sequence)).toEqual(sequences.slice(first))
        stop.abort()
      })

      test('ends at once when its reader leaves while nothing comes', async () => {
        const store = await open()
        const stop = new AbortController()
        const feed = store.feed(0, stop.signal)[Symbol.asyncIterator]()
        const waiting = feed.next()
        stop.abort()
        expect((await waiting).done).toBe(true)
      })
    })
  })
}
