import { systemRandom } from '@berth/shared/random.ts'
import { silentLog } from '@berth/shared/log.ts'
import { redisStore, type RedisStoreOptions } from '@berth/control-plane/store/redis/redis-store.ts'
import { describeStoreContract } from '@berth/control-plane/store/store-contract.ts'
import { type Fence, type Store, StoreUnavailableError } from '@berth/control-plane/store/store.ts'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type RedisProcess, startRedis } from '../../redis/redis-process.ts'

let redis: RedisProcess
let cells = 0
const opened: Store[] = []

beforeAll(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
})
afterAll(() => redis.remove())

const open = (cell: string, options: Partial<RedisStoreOptions> = {}): Store => {
  const store = redisStore({ address: { url: redis.url }, cell, random: systemRandom(), log: silentLog, ...options })
  opened.push(store)
  return store
}
const newCell = () => `test-${++cells}`
const passTime = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

async function lead(store: Store, holder: string, ttlMs = 60_000): Promise<Fence> {
  const lease = await eventually(() => store.acquireLease(holder, ttlMs, { api: '', agents: '' }))
  if (lease.kind !== 'held') throw new Error(`${holder} did not get the lease`)
  return lease.fence
}

/** Tries again, as a leader does, while the store does not answer. */
async function eventually<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      await passTime(20)
    }
  }
}

async function withClient<T>(use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redis.url)
  try {
    return await use(client)
  } finally {
    client.disconnect()
  }
}

const change = (key: string, value: unknown) => ({ table: 'tasks', key, value: JSON.stringify(value) })

describeStoreContract('redis', async () => {
  const cell = newCell()
  return {
    async open() {
      const store = open(cell)
      await store.load()
      return store
    },
    passTime,
    close: async () => {},
  }
})

describe('a Redis that fails', () => {
  test('killed in the middle of commits, it loses nothing that was acknowledged, and the store goes on by itself', async () => {
    const store = open(newCell())
    const fence = await lead(store, 'p1')
    const progress = { sequence: 0, acknowledged: 0 }
    const flood = async (stop: AbortSignal) => {
      while (!stop.aborted) {
        const next = ++progress.sequence
        const outcome = await store.commit({ fence, sequence: next, changes: [change(`k${next}`, next)] })
        if (outcome.kind !== 'committed') return
        progress.acknowledged = Math.max(progress.acknowledged, next)
      }
    }
    for (let kills = 0; kills < 3; kills++) {
      const stop = new AbortController()
      const flooding = Promise.allSettled(Array.from({ length: 8 }, () => flood(stop.signal)))
      const enough = progress.acknowledged + 100
      await vi.waitUntil(() => progress.acknowledged >= enough, { timeout: 30_000, interval: 5 })
      await redis.kill()
      stop.abort()
      await flooding
      await redis.start()
      const loaded = await eventually(() => store.load())
      expect(loaded.sequence).toBeGreaterThanOrEqual(progress.acknowledged)
      expect(loaded.records).toHaveLength(loaded.sequence)
      progress.sequence = loaded.sequence
    }
    expect(await eventually(() => store.renewLease(fence, 1000))).toEqual({ kind: 'held', fence })
  })

  test('a batch whose answer was lost is sent again and is in once', async () => {
    const store = open(newCell(), { commandTimeoutMs: 300 })
    const fence = await lead(store, 'p1')
    redis.freeze()
    const first = store.commit({ fence, sequence: 1, changes: [change('a', 1)] })
    await expect(first).rejects.toBeInstanceOf(StoreUnavailableError)
    redis.thaw()
    expect(await eventually(() => store.commit({ fence, sequence: 1, changes: [change('a', 'again')] }))).toEqual({
      kind: 'committed',
    })
    const { sequence, records } = await store.load()
    expect(sequence).toBe(1)
    expect(records).toHaveLength(1)
  })

  test('while it is down every call fails as unavailable, and none waits for ever', async () => {
    const store = open(newCell(), { commandTimeoutMs: 300 })
    const fence = await lead(store, 'p1')
    await redis.kill()
    try {
      const calls = [
        store.commit({ fence, sequence: 1, changes: [] }),
        store.load(),
        store.acquireLease('p1', 1000, { api: '', agents: '' }),
        store.renewLease(fence, 1000),
        store.releaseLease(fence),
        store.safety(),
        store.feed(0, new AbortController().signal)[Symbol.asyncIterator]().next(),
      ]
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'StoreUnavailableError' } })
      }
    } finally {
      await redis.start()
    }
    expect(await eventually(() => store.commit({ fence, sequence: 1, changes: [] }))).toEqual({ kind: 'committed' })
  })

  test('scripts that somebody flushed are loaded again', async () => {
    const store = open(newCell())
    const fence = await lead(store, 'p1')
    await withClient((client) => client.script('FLUSH'))
    const late = await Promise.allSettled(
      [1, 2, 3].map((sequence) => store.commit({ fence, sequence, changes: [change('a', sequence)] })),
    )
    expect(late.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    for (const sequence of [1, 2, 3])
      expect(await eventually(() => store.commit({ fence, sequence, changes: [] }))).toEqual({ kind: 'committed' })
  })

  test('emptied, it fences its leader, who never gets the same epoch again', async () => {
    const store = open(newCell())
    const fence = await lead(store, 'p1')
    await store.commit({ fence, sequence: 1, changes: [change('a', 1)] })
    await withClient((client) => client.flushall())
    expect(await store.commit({ fence, sequence: 2, changes: [] })).toEqual({ kind: 'fenced', by: undefined })
    expect((await store.renewLease(fence, 1000)).kind).toBe('taken')
    expect(await lead(store, 'p1')).toEqual({ epoch: fence.epoch + 1, holder: 'p1' })
  })

  test('gone back to an older state, it does not take what would leave a hole', async () => {
    const cell = newCell()
    const store = open(cell)
    const fence = await lead(store, 'p1')
    await store.commit({ fence, sequence: 1, changes: [change('a', 1)] })
    const old = await withClient(async (client) => {
      const key = `{berth:${cell}}:cell`
      const dump = await client.dumpBuffer(key)
      return () => withClient((again) => again.restore(key, 0, dump, 'REPLACE'))
    })
    await store.commit({ fence, sequence: 2, changes: [change('a', 2)] })
    await old()
    expect(await store.commit({ fence, sequence: 3, changes: [] })).toEqual({ kind: 'out-of-sequence', durable: 1 })
  })

  test('whose clock is set back keeps nobody out for longer than a lease was granted for', async () => {
    const cell = newCell()
    const [one, two] = [open(cell), open(cell)]
    const grantedMs = 300
    await lead(one, 'p1', grantedMs)
    // To the lease it is the same whether the clock goes back by an hour, or the deadline lies an hour further on.
    await withClient((client) => client.hincrby(`{berth:${cell}}:cell`, 'deadline', 3600_000))
    const asked = await two.acquireLease('p2', 60_000, { api: '', agents: '' })
    expect(asked.kind === 'taken' ? asked.expiresInMs : Number.NaN).toBeLessThanOrEqual(grantedMs)
    await passTime(grantedMs + 50)
    expect(await lead(two, 'p2')).toMatchObject({ holder: 'p2' })
  })

  test('a feed that somebody wrote to does not hold up commits', async () => {
    const cell = newCell()
    const store = open(cell)
    const fence = await lead(store, 'p1')
    await withClient((client) => client.xadd(`{berth:${cell}}:feed`, '99-0', 'part', 'of something else'))
    expect(await store.commit({ fence, sequence: 1, changes: [change('a', 1)] })).toEqual({ kind: 'committed' })
    const stop = new AbortController()
    const entry = await store.feed(0, stop.signal)[Symbol.asyncIterator]().next()
    expect(entry.value).toMatchObject({ sequence: 1, changes: [change('a', 1)] })
    stop.abort()
  })
})

describe('a Redis with a replica', () => {
  let replica: RedisProcess

  beforeAll(async () => {
    replica = await startRedis({ settings: { replicaof: `127.0.0.1 ${redis.port}`, 'repl-diskless-sync-delay': '0' } })
    await replicaInStep()
  })
  afterAll(() => replica.remove())

  const replicaInStep = () =>
    withClient(async (client) => {
      while ((await client.wait(1, 200)) < 1) await passTime(50)
    })

  test('a batch that the replica confirms is committed; one that it does not is not, until it does', async () => {
    const store = open(newCell(), { waitReplicas: 1, waitReplicasMs: 200 })
    const fence = await lead(store, 'p1')
    expect(await store.commit({ fence, sequence: 1, changes: [] })).toEqual({ kind: 'committed' })
    replica.freeze()
    const unconfirmed = store.commit({ fence, sequence: 2, changes: [change('a', 1)] })
    await expect(unconfirmed).rejects.toBeInstanceOf(StoreUnavailableError)
    await expect(store.commit({ fence, sequence: 2, changes: [change('a', 1)] })).rejects.toBeInstanceOf(
      StoreUnavailableError,
    )
    const other = store.commit({ fence: { ...fence, holder: 'p2' }, sequence: 3, changes: [] })
    expect(await other).toEqual({ kind: 'fenced', by: fence })
    replica.thaw()
    const again = await eventually(() => store.commit({ fence, sequence: 2, changes: [change('a', 1)] }))
    expect(again).toEqual({ kind: 'committed' })
  })

  test('a retry on a new connection is not taken for confirmed either', async () => {
    const cell = newCell()
    const options = { waitReplicas: 1, waitReplicasMs: 200 }
    const store = open(cell, options)
    const fence = await lead(store, 'p1')
    replica.freeze()
    await expect(store.commit({ fence, sequence: 1, changes: [] })).rejects.toBeInstanceOf(StoreUnavailableError)
    const fresh = open(cell, options)
    await fresh.load()
    await expect(fresh.commit({ fence, sequence: 1, changes: [] })).rejects.toBeInstanceOf(StoreUnavailableError)
    replica.thaw()
    await replicaInStep()
  })

  test('a replica is refused as a store', async () => {
    const store = open(newCell(), { address: { url: replica.url }, commandTimeoutMs: 500 })
    await expect(store.load()).rejects.toBeInstanceOf(StoreUnavailableError)
    await expect(store.acquireLease('p1', 1000, { api: '', agents: '' })).rejects.toBeInstanceOf(StoreUnavailableError)
  })
})

describe('what Redis says of its own safety', () => {
  test('with a log that is synced always it is durable', async () => {
    expect(await open(newCell()).safety()).toEqual({ durable: true, warnings: [] })
  })

  test('with a log that is synced once a second it is not', async () => {
    await withClient((client) => client.config('SET', 'appendfsync', 'everysec'))
    const report = await open(newCell()).safety()
    await withClient((client) => client.config('SET', 'appendfsync', 'always'))
    expect(report.durable).toBe(false)
    expect(report.warnings.join()).toContain('appendfsync everysec')
  })
})
