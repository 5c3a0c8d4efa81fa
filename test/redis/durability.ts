import { redisStore } from '@berth/control-plane/store/redis/redis-store.ts'
import type { Fence, Store } from '@berth/control-plane/store/store.ts'
import { silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { startRedis } from './redis-process.ts'

/** What came of killing Redis again and again while it was written to. */
export interface DurabilityRun {
  readonly kills: number
  /** Batches that were acknowledged. */
  readonly acknowledged: number
  /** Those of them that were not there after a kill. */
  readonly lost: number
}

/** Batches on their way at once: more than a cell has, so that a kill hits many. */
const inFlight = 32
/** Longer than it takes until the log is written to steadily; the kill then comes at some moment within as much again. */
const writeForMs = 300

/** Writes batches as a cell does, kills Redis under them with SIGKILL, starts it again over what it left, and looks what is there. */
export async function killRedisUnderLoad(
  rounds: number,
  onRound: (run: DurabilityRun) => void,
): Promise<DurabilityRun> {
  const redis = await startRedis()
  const random = systemRandom()
  const store = redisStore({ address: { url: redis.url }, cell: 'durability', random, log: silentLog })
  let run: DurabilityRun = { kills: 0, acknowledged: 0, lost: 0 }
  try {
    const fence = await eventually(() => lead(store))
    for (let round = 0; round < rounds; round++) {
      const { sequence } = await eventually(() => store.load())
      const acknowledged = await writeUntil(store, fence, sequence, async () => {
        await new Promise((resolve) => setTimeout(resolve, writeForMs * (1 + Math.random())))
        await redis.kill()
      })
      await redis.start()
      const { records } = await eventually(() => store.load())
      const there = new Set(records.map(({ key }) => Number(key)))
      const lost = acknowledged.filter((each) => !there.has(each)).length
      run = { kills: run.kills + 1, acknowledged: run.acknowledged + acknowledged.length, lost: run.lost + lost }
      onRound(run)
    }
    return run
  } finally {
    await store.close()
    await redis.remove()
  }
}

/** Keeps batches on their way until one fails, which `kill` brings about. Resolves with those that were acknowledged. */
async function writeUntil(store: Store, fence: Fence, last: number, kill: () => Promise<void>): Promise<number[]> {
  const acknowledged: number[] = []
  const killing = kill()
  let sequence = last
  let failed = false
  const write = async (): Promise<void> => {
    while (!failed) {
      const mine = ++sequence
      const changes = [{ table: 'tasks', key: String(mine), value: JSON.stringify({ mine, filler: 'x'.repeat(500) }) }]
      try {
        const outcome = await store.commit({ fence, sequence: mine, changes })
        if (outcome.kind === 'committed') acknowledged.push(mine)
        else failed = true
      } catch {
        failed = true
      }
    }
  }
  await Promise.all(Array.from({ length: inFlight }, write))
  await killing
  return acknowledged
}

async function lead(store: Store): Promise<Fence> {
  const lease = await store.acquireLease('durability', 3_600_000, { api: '', agents: '' })
  if (lease.kind !== 'held') throw new Error('the lease is not free')
  return lease.fence
}

async function eventually<T>(call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 60_000
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
