import { expect, test } from 'vitest'
import { killRedisUnderLoad } from '../../redis/durability.ts'

test('nothing that was acknowledged is lost when Redis is killed under load', async () => {
  const { kills, acknowledged, lost } = await killRedisUnderLoad(3, () => undefined)
  expect(kills).toBe(3)
  expect(acknowledged).toBeGreaterThan(100)
  expect(lost).toBe(0)
})
