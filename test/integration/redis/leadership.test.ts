import { type CellComponent, Leadership } from '@berth/control-plane/cell/leadership.ts'
import { redisStore } from '@berth/control-plane/store/redis/redis-store.ts'
import { systemClock } from '@berth/shared/clock.ts'
import { silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type RedisProcess, startRedis } from '../../redis/redis-process.ts'

let redis: RedisProcess
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.remove())

const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 30_000, interval: 10 })

function controlPlane(holder: string, cell: string) {
  const store = redisStore({
    address: { url: redis.url },
    cell,
    random: systemRandom(),
    log: silentLog,
    commandTimeoutMs: 300,
  })
  const history: string[] = []
  const noting: CellComponent = {
    name: 'noting',
    start: ({ fence }) => void history.push(`start ${fence.epoch}`),
    stop: () => void history.push('stop'),
  }
  const leadership = new Leadership({
    store,
    holder,
    addresses: { api: '', agents: holder },
    ttlMs: 1000,
    components: [noting],
    clock: systemClock,
    random: systemRandom(),
    log: silentLog,
    defer: (run) => void setImmediate(run),
  })
  const end = async () => {
    await leadership.stop()
    await store.close()
  }
  return { leadership, history, end }
}

const write = (leadership: Leadership, family: string) =>
  leadership.currentCell().transact((tx) => tx.put('families', family, { family, latestRevision: 1 }))

test.each<[string, () => Promise<void> | void, () => Promise<void> | void]>([
  ['crashes', () => redis.kill(), () => redis.start()],
  ['stands still', () => redis.freeze(), () => redis.thaw()],
])(
  'when Redis %s, the leader steps down, and leads again under a new epoch once it is back',
  async (how, fail, mend) => {
    const one = controlPlane('p1', how)
    await one.leadership.start()
    await until(() => one.leadership.leading)
    await write(one.leadership, 'web')
    await fail()
    await until(() => !one.leadership.leading && one.history.includes('stop'))
    await mend()
    await until(() => one.leadership.leading)
    expect(one.history.slice(0, 2)).toEqual(['start 1', 'stop'])
    expect(one.leadership.currentCell().fence.epoch).toBeGreaterThan(1)
    expect(one.leadership.currentCell().tables.families.get('web')).toBeDefined()
    await write(one.leadership, 'api')
    await one.end()
  },
)

test('a second control plane takes over from one that stops, and has all that it acknowledged', async () => {
  const [one, two] = [controlPlane('p1', 'two'), controlPlane('p2', 'two')]
  await one.leadership.start()
  await two.leadership.start()
  await until(() => one.leadership.leading)
  await until(() => two.leadership.leader()?.agents === 'p1')
  await write(one.leadership, 'web')
  await one.end()
  await until(() => two.leadership.leading)
  expect(two.leadership.currentCell().tables.families.size).toBe(1)
  await two.end()
})
