import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { expect, test } from 'vitest'
import type { TaskEngine } from '../engine/task-engine.ts'
import { Heart } from './heartbeat.ts'

function beatingHeart(intervalMs: number) {
  const clock = virtualClock()
  const beats: number[] = []
  let silent = false
  const engine = { health: () => ({ healthy: true, message: '' }) } as TaskEngine
  const heart = new Heart(
    { clock, engine, send: () => beats.push(clock.monotonic()), onSilence: () => (silent = true) },
    intervalMs,
  )
  heart.start()
  return { clock, heart, beats, isSilent: () => silent }
}

test('beats as often as the last answer asked, and goes on so when an answer does not say', async () => {
  const { clock, heart, beats } = beatingHeart(1000)
  await clock.advanceBy(1000)
  heart.answered(3000)
  await clock.advanceBy(1000)
  heart.answered(0)
  await clock.advanceBy(6000)
  expect(beats).toEqual([1000, 2000, 5000, 8000])
})

test('notices silence by the pace that it beats at', async () => {
  const { clock, heart, isSilent } = beatingHeart(1000)
  heart.answered(3000)
  await clock.advanceBy(9000)
  expect(isSilent()).toBe(false)
  await clock.advanceBy(9000)
  expect(isSilent()).toBe(true)
})
