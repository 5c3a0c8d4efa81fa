import { silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { memoryStore } from '@berth/control-plane/store/memory/memory-store.ts'
import { redisStore } from '@berth/control-plane/store/redis/redis-store.ts'
import { type Fence, type Store, StoreUnavailableError } from '@berth/control-plane/store/store.ts'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RedisProcess, startRedis } from '../../redis/redis-process.ts'

let redis: RedisProcess
let cells = 0

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.remove())

const holder = fc.constantFrom('one', 'two')

/** Leases are taken and given back, and batches come with any fence that there was, or never was, and with numbers around the next. */
const step = fc.oneof(
  fc.record({ do: fc.constant('acquire' as const), holder }),
  fc.record({ do: fc.constant('release' as const), fence: fc.nat({ max: 5 }) }),
  fc.record({
    do: fc.constant('commit' as const),
    fence: fc.nat({ max: 5 }),
    epochOff: fc.constantFrom(0, 0, 0, 1, -1),
    sequence: fc.constantFrom(-1, 0, 1, 1, 1, 2),
    changes: fc.array(
      fc.record({
        table: fc.constantFrom('tasks', 'hosts'),
        key: fc.constantFrom('a', 'b', 'a/b', ''),
        value: fc.option(fc.integer().map(String), { nil: null }),
      }),
      { maxLength: 4 },
    ),
  }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A store answers once its connection is made. */
async function connected(store: Store): Promise<void> {
  for (;;) {
    const answered = await store.load().catch((error: unknown) => error)
    if (!(answered instanceof StoreUnavailableError)) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** What a store says to the steps, without how long a lease still lasts, and what it holds in the end. */
async function lifeOf(store: Store, steps: readonly Step[]): Promise<unknown> {
  const said: unknown[] = []
  const fences: Fence[] = [{ epoch: 7, holder: 'nobody' }]
  let next = 1
  for (const step of steps) {
    if (step.do === 'acquire') {
      const lease = await store.acquireLease(step.holder, 60_000, { api: '', agents: '' })
      if (lease.kind === 'held') fences.push(lease.fence)
      said.push([lease.kind, lease.kind === 'held' ? lease.fence : lease.by])
      continue
    }
    const fence = fences[fences.length - 1 - (step.fence % fences.length)] as Fence
    if (step.do === 'release') await store.releaseLease(fence)
    else {
      const { changes } = step
      const batch = {
        fence: { ...fence, epoch: fence.epoch + step.epochOff },
        sequence: next - 1 + step.sequence,
        changes,
      }
      const outcome = await store.commit(batch)
      if (outcome.kind === 'committed' && batch.sequence === next) next++
      said.push(outcome)
    }
  }
  const { sequence, records } = await store.load()
  const held = records.map(({ table, key, value }) => `${table} ${key} ${value}`).toSorted()
  return { said, sequence, held }
}

test("the commit script's checks and those of the store in memory agree, whatever comes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const cell = `agreement-${++cells}`
      const script = redisStore({ address: { url: redis.url }, cell, random: systemRandom(), log: silentLog })
      try {
        await connected(script)
        expect(await lifeOf(script, steps)).toEqual(await lifeOf(memoryStore({ clock: virtualClock() }), steps))
      } finally {
        await script.close()
      }
    }),
    { numRuns: 60 },
  )
})
