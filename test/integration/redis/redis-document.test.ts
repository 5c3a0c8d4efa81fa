import { silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RedisProcess, startRedis } from '../../redis/redis-process.ts'
import { redisDocument } from '@berth/control-plane/store/redis/redis-document.ts'

let redis: RedisProcess
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.remove())

const open = () =>
  redisDocument({
    address: { url: redis.url },
    cell: 'c',
    name: 'd',
    waitReplicas: 0,
    random: systemRandom(),
    log: silentLog,
  })

test('of several writers that expect the same, one wins and all are told what it wrote', async () => {
  const documents = [open(), open(), open()]
  expect(await documents[0]?.read()).toBeUndefined()
  const seen = await Promise.all(documents.map((document, index) => document.swap(undefined, `by ${index}`)))
  expect(new Set(seen).size).toBe(1)
  const [now = ''] = seen
  expect(await documents[1]?.swap('something else', 'late')).toBe(now)
  expect(await documents[2]?.swap(now, 'next')).toBe('next')
  expect(await documents[0]?.read()).toBe('next')
  for (const document of documents) document.close()
})
