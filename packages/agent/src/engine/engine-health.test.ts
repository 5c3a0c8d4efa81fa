import { getEventListeners } from 'node:events'
import { silentLog } from '@berth/shared/log.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { expect, test } from 'vitest'
import { fakeRuntime } from '../runtime/fake/fake-runtime.ts'
import { FakeWorld } from '../runtime/fake/fake-world.ts'
import { defaultEngineOptions } from './engine-deps.ts'
import { EngineHealth } from './engine-health.ts'

function probed() {
  const clock = virtualClock()
  const random = seededRandom(1)
  const world = new FakeWorld({ clock, random })
  const deps = { runtime: fakeRuntime(world, 'host'), clock, random, log: silentLog }
  return { clock, world, health: new EngineHealth(deps, defaultEngineOptions), stop: new AbortController() }
}

test('a probe leaves nothing with the signal of the agent', async () => {
  const { health, stop } = probed()
  expect(await health.probe(stop.signal)).toBe(true)
  expect(getEventListeners(stop.signal, 'abort')).toEqual([])
})

test('a probe that is not answered in time says so', async () => {
  const { clock, world, health, stop } = probed()
  world.breakEngine('hung')
  const answered = health.probe(stop.signal)
  await clock.advanceBy(defaultEngineOptions.probeTimeoutMs)
  expect(await answered).toBe(false)
  expect(health.message).toBe('The container engine has not answered for 10 s.')
})

test('a probe ends with the agent', async () => {
  const { world, health, stop } = probed()
  world.breakEngine('hung')
  const ended = expect(health.probe(stop.signal)).rejects.toThrow('The agent stops.')
  stop.abort(new Error('The agent stops.'))
  await ended
  expect(health.message).toBe('')
  await expect(health.probe(stop.signal)).rejects.toThrow('The agent stops.')
})
