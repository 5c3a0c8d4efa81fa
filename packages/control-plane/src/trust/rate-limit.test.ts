import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { expect, test } from 'vitest'
import { rateLimit } from './rate-limit.ts'

test('lets a burst through, and then as many as there are in a second', async () => {
  const clock = virtualClock()
  const mayPass = rateLimit(clock, { perSecond: 10, burst: 3 })
  const passed = (tries: number) => Array.from({ length: tries }, mayPass).filter(Boolean).length
  expect(passed(10)).toBe(3)
  await clock.advanceBy(200)
  expect(passed(10)).toBe(2)
  await clock.advanceBy(60_000)
  expect(passed(10)).toBe(3)
})
