import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redisStore } from '@berth/control-plane/store/redis/redis-store.ts'
import type { CommitBatch, Store } from '@berth/control-plane/store/store.ts'
import { silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { Redis } from 'ioredis'
import { startRedis } from '../../redis/redis-process.ts'
import { median, quantile, type Row } from '../measure.ts'
import { type BenchCell, family, startBenchCell } from './bench-cell.ts'

/** Batches on their way at once: what a cell allows itself, and so what the ceiling is measured with. */
const inFlight = 4
const askedOfCeiling = 0.5
const askedPerSecond = 10_000
/** Of one RunTask of 10: five times what one fsync takes, and 10 ms. */
const askedFsyncs = 5
const askedBesideMs = 10
/** About what a batch of ten tasks writes. */
const fsyncBytes = 16 * 1024

interface Load {
  readonly count: number
  readonly callers: number
}
const loads = {
  /** A client beside others: what one of them waits is what matters. */
  ofTen: { count: 10, callers: 4 },
  ofHundred: { count: 100, callers: 8 },
} as const satisfies Record<string, Load>

/** RunTask until its tasks are on the disk of Redis, beside that Redis without a cell before it. */
export async function durableRows(hosts: number, short: boolean): Promise<Row[]> {
  const redis = await startRedis()
  const client = new Redis(redis.url)
  const store = recorded(
    redisStore({ address: { url: redis.url }, cell: 'bench', random: systemRandom(), log: silentLog }),
  )
  const directory = await mkdtemp(join(tmpdir(), 'berth-bench-fsync-'))
  try {
    const bench = await startBenchCell(store, hosts)
    const rounds = short ? 2 : 5
    const ms = short ? 300 : 2000
    const tens: Measured[] = []
    const hundreds: Measured[] = []
    const fsyncs: number[] = []
    for (let round = 0; round < rounds; round++) {
      fsyncs.push(...(await fsyncTimes(directory, ms / 4)))
      tens.push(await measure(bench, store, client, loads.ofTen, ms))
      hundreds.push(await measure(bench, store, client, loads.ofHundred, ms))
    }
    bench.cell.close('measured')
    return rowsOf(tens, hundreds, fsyncs)
  } finally {
    client.disconnect()
    await store.close()
    await redis.remove()
    await rm(directory, { recursive: true, force: true })
  }
}

interface Measured {
  readonly tasksPerSecond: number
  readonly tasksPerCpuSecond: number
  readonly waits: readonly number[]
  /** Records a second that plain writes of the same groups reach. */
  readonly ceiling: number
  readonly recordsPerBatch: number
}

async function measure(
  bench: BenchCell,
  store: RecordedStore,
  client: Redis,
  load: Load,
  ms: number,
): Promise<Measured> {
  store.batches.length = 0
  const waits: number[] = []
  const cpu = process.cpuUsage()
  const from = performance.now()
  let tasks = 0
  const caller = async () => {
    while (performance.now() - from < ms) {
      const at = performance.now()
      const answer = await bench.handlers.RunTask?.({ taskDefinition: family, count: load.count }, bench.context)
      waits.push(performance.now() - at)
      tasks += answer?.tasks?.length ?? 0
    }
  }
  await Promise.all(Array.from({ length: load.callers }, caller))
  const seconds = (performance.now() - from) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const records = store.batches.reduce((sum, { length }) => sum + length, 0)
  const recordsPerBatch = Math.max(1, Math.round(records / Math.max(1, store.batches.length)))
  const text = store.batches[0]?.[0] ?? 'x'
  return {
    tasksPerSecond: tasks / seconds,
    tasksPerCpuSecond: tasks / ((user + system) / 1e6),
    waits,
    ceiling: await plainWrites(client, recordsPerBatch, text, ms / 2),
    recordsPerBatch,
  }
}

/** The same records in the same groups, with nobody who decides, no fence and no feed: one MSET each. */
async function plainWrites(client: Redis, size: number, text: string, ms: number): Promise<number> {
  const from = performance.now()
  let written = 0
  const writer = async () => {
    while (performance.now() - from < ms) {
      const first = written
      written += size
      await client.mset(Array.from({ length: size }, (_, n) => [`plain-${(first + n) % 100_000}`, text]).flat())
    }
  }
  await Promise.all(Array.from({ length: inFlight }, writer))
  return written / ((performance.now() - from) / 1000)
}

interface RecordedStore extends Store {
  /** The records of each batch since the list was emptied. */
  readonly batches: string[][]
}

function recorded(store: Store): RecordedStore {
  const batches: string[][] = []
  return {
    ...store,
    batches,
    commit(batch: CommitBatch) {
      batches.push(batch.changes.flatMap(({ value }) => value ?? []))
      return store.commit(batch)
    },
  }
}

async function fsyncTimes(directory: string, ms: number): Promise<number[]> {
  const file = await open(join(directory, 'log'), 'a')
  const times: number[] = []
  const from = performance.now()
  const bytes = Buffer.alloc(fsyncBytes, 'x')
  while (performance.now() - from < ms) {
    await file.write(bytes)
    const at = performance.now()
    await file.datasync()
    times.push(performance.now() - at)
  }
  await file.close()
  return times
}

function rowsOf(tens: readonly Measured[], hundreds: readonly Measured[], fsyncs: readonly number[]): Row[] {
  const tenWaits = tens.flatMap(({ waits }) => waits)
  const tenP99 = quantile(tenWaits, 0.99)
  const fsyncP99 = quantile(fsyncs, 0.99)
  const limitMs = askedFsyncs * fsyncP99 + askedBesideMs
  const ratio = (of: readonly Measured[]) => median(of.map(({ tasksPerSecond, ceiling }) => tasksPerSecond / ceiling))
  const perSecond = median(hundreds.map(({ tasksPerSecond }) => tasksPerSecond))
  const ofTen = ratio(tens)
  const ofHundred = ratio(hundreds)
  return [
    { what: 'fsync of 16 KiB, half within', figure: quantile(fsyncs, 0.5), unit: 'ms' },
    { what: '  99 of 100 within', figure: fsyncP99, unit: 'ms' },
    {
      what: `RunTask of 10 until durable, ${loads.ofTen.callers} callers: half within`,
      figure: quantile(tenWaits, 0.5),
      unit: 'ms',
    },
    {
      what: '  99 of 100 within',
      figure: tenP99,
      unit: 'ms',
      asked: `<= ${askedFsyncs} x fsync + ${askedBesideMs} ms = ${limitMs.toFixed(1)}`,
      reached: tenP99 <= limitMs,
    },
    { what: '  tasks a second', figure: median(tens.map(({ tasksPerSecond }) => tasksPerSecond)), unit: '/s' },
    {
      what: '  to the ceiling: the same records in the same groups as plain MSETs',
      figure: ofTen,
      unit: '',
      asked: `>= ${askedOfCeiling}`,
      reached: ofTen >= askedOfCeiling,
    },
    {
      what: `RunTask of 100 until durable, ${loads.ofHundred.callers} callers: tasks a second`,
      figure: perSecond,
      unit: '/s',
      asked: `>= ${askedPerSecond}`,
      reached: perSecond >= askedPerSecond,
    },
    {
      what: '  tasks per CPU second of this process',
      figure: median(hundreds.map(({ tasksPerCpuSecond }) => tasksPerCpuSecond)),
      unit: '/s',
    },
    { what: '  records a batch', figure: median(hundreds.map(({ recordsPerBatch }) => recordsPerBatch)), unit: '' },
    { what: '  ceiling', figure: median(hundreds.map(({ ceiling }) => ceiling)), unit: '/s' },
    {
      what: '  to the ceiling',
      figure: ofHundred,
      unit: '',
      asked: `>= ${askedOfCeiling}`,
      reached: ofHundred >= askedOfCeiling,
    },
  ]
}
