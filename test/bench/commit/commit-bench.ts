import { parseArgs } from 'node:util'
import { Cell } from '@berth/control-plane/cell/cell.ts'
import { redisStore } from '@berth/control-plane/store/redis/redis-store.ts'
import type { Fence, Store } from '@berth/control-plane/store/store.ts'
import { systemClock } from '@berth/shared/clock.ts'
import { silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { Redis } from 'ioredis'
import { type RedisProcess, startRedis } from '../../redis/redis-process.ts'
import { median, quantile, renderTable, type Row } from '../measure.ts'

/** Batches on their way at once, in the store's runs as in those of the ceiling: what a cell allows itself. */
const inFlight = 4
/** About what a task's record takes. */
const recordBytes = 1200
const recordText = JSON.stringify({ task: 'x'.repeat(recordBytes) })

interface Effort {
  /** How long one measurement lasts, in ms. */
  readonly measureMs: number
  readonly rounds: number
  readonly loadedRecords: number
}

const efforts = {
  short: { measureMs: 300, rounds: 3, loadedRecords: 20_000 },
  full: { measureMs: 1500, rounds: 5, loadedRecords: 200_000 },
} as const satisfies Record<string, Effort>

/**
 * How fast changes become durable in a Redis of its own that syncs every write. Disks differ and swing, so that each figure stands beside its
 * ceiling, measured in turn with it: the same records in groups of the same size with no fence and no feed, as one plain MSET and as pipelined SETs.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { short: { type: 'boolean', default: false } } })
  const effort = values.short ? efforts.short : efforts.full
  const redis = await startRedis()
  try {
    const rows = [
      ...(await commitsByBatchSize(redis, effort)),
      ...(await transactionsByWriters(redis, effort)),
      ...(await loading(redis, effort)),
    ]
    process.stdout.write(`${renderTable(rows)}\n`)
  } finally {
    await redis.remove()
  }
  return 0
}

async function commitsByBatchSize(redis: RedisProcess, effort: Effort): Promise<Row[]> {
  const client = new Redis(redis.url)
  const leader = await lead(redis, 'commits')
  const rows: Row[] = []
  for (const size of [1, 10, 50, 100, 500]) {
    const ours: number[] = []
    const msets: number[] = []
    const sets: number[] = []
    let sequence = (await leader.store.load()).sequence
    let written = 0
    for (let round = 0; round < effort.rounds; round++) {
      msets.push(size * (await rate(effort.measureMs, () => setAtOnce(client, size, (written += size)))))
      sets.push(size * (await rate(effort.measureMs, () => setOneByOne(client, size, (written += size)))))
      ours.push(
        size *
          (await rate(effort.measureMs, async () => {
            const changes = records(size, (written += size))
            const outcome = await leader.store.commit({ fence: leader.fence, sequence: ++sequence, changes })
            if (outcome.kind !== 'committed') throw new Error(`a commit was ${outcome.kind}`)
          })),
      )
    }
    rows.push({ what: `records committed, ${size} a batch`, figure: median(ours), unit: '/s' })
    rows.push({ what: `  ceiling: one MSET of ${size}`, figure: median(msets), unit: '/s' })
    rows.push({ what: `  ${size} pipelined SETs`, figure: median(sets), unit: '/s' })
    const ratios = ours.map((figure, round) => figure / (msets[round] ?? Number.NaN))
    rows.push({ what: '  commits, to the ceiling', figure: median(ratios), unit: '' })
  }
  client.disconnect()
  await leader.store.close()
  return rows
}

/** The whole way of a change: a transaction in the cell, group commit, Redis, and back to the one who waits. */
async function transactionsByWriters(redis: RedisProcess, { measureMs }: Effort): Promise<Row[]> {
  const rows: Row[] = []
  for (const writers of [1, 16, 256, 2048]) {
    const { store, fence } = await lead(redis, `writers-${writers}`)
    const cell = new Cell(
      {
        store,
        fence,
        clock: systemClock,
        random: systemRandom(),
        log: silentLog,
        defer: (run) => void setImmediate(run),
        onLost: (reason) => {
          throw new Error(reason)
        },
      },
      await store.load(),
    )
    const waits: number[] = []
    let written = 0
    const oneWrite = async () => {
      const key = `token-${written++ % 10_000}`
      const at = performance.now()
      await cell.transact((tx) =>
        tx.put('clientTokens', key, { key, fingerprint: recordText, taskIds: [], createdAt: written }),
      )
      waits.push(performance.now() - at)
    }
    const perSecond = await rate(measureMs, oneWrite, writers)
    rows.push({ what: `transactions, ${writers} waiting at once`, figure: perSecond, unit: '/s' })
    rows.push({ what: '  half of them durable within', figure: quantile(waits, 0.5), unit: 'ms' })
    rows.push({ what: '  99 of 100 within', figure: quantile(waits, 0.99), unit: 'ms' })
    cell.close('measured')
    await store.close()
  }
  return rows
}

async function loading(redis: RedisProcess, { loadedRecords }: Effort): Promise<Row[]> {
  const { store, fence } = await lead(redis, 'loading')
  const batch = 1000
  for (let sequence = 1; sequence * batch <= loadedRecords; sequence++)
    await store.commit({ fence, sequence, changes: records(batch, sequence * batch) })
  const from = performance.now()
  const { records: loaded } = await store.load()
  const seconds = (performance.now() - from) / 1000
  await store.close()
  return [{ what: `records loaded, of ${loadedRecords}`, figure: loaded.length / seconds, unit: '/s' }]
}

async function lead(redis: RedisProcess, cell: string): Promise<{ store: Store; fence: Fence }> {
  const store = redisStore({ address: { url: redis.url }, cell, random: systemRandom(), log: silentLog })
  const lease = await store.acquireLease('bench', 3600_000, { api: '', agents: '' })
  if (lease.kind !== 'held') throw new Error('the lease of a new cell was not free')
  return { store, fence: lease.fence }
}

const records = (count: number, from: number) =>
  Array.from({ length: count }, (_, n) => ({ table: 'tasks', key: `task-${from + n}`, value: recordText }))

async function setAtOnce(client: Redis, count: number, from: number): Promise<void> {
  await client.mset(Array.from({ length: count }, (_, n) => [`plain-${from + n}`, recordText]).flat())
}

async function setOneByOne(client: Redis, count: number, from: number): Promise<void> {
  const group = client.pipeline()
  for (let n = 0; n < count; n++) group.set(`plain-${from + n}`, recordText)
  await group.exec()
}

/** How often a second `work` is done, with `atOnce` of it going on at any time. */
async function rate(durationMs: number, work: () => Promise<void>, atOnce = inFlight): Promise<number> {
  const from = performance.now()
  let done = 0
  const worker = async () => {
    while (performance.now() - from < durationMs) {
      await work()
      done++
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return done / ((performance.now() - from) / 1000)
}
