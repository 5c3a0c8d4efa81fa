import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { expect, test } from 'vitest'
import { type EcsClient, EcsError } from '../ecs/ecs-client.ts'
import { Refusals } from './refusals.ts'
import { runTasks } from './run-tasks.ts'

/** A RunTask that takes `room` tasks in all. */
function ecsWith(room: number, counts: number[] = []): EcsClient {
  let left = room
  return async <Output>(_operation: string, input: object) => {
    const { count } = input as { count: number }
    counts.push(count)
    const taken = Math.min(left, count)
    left -= taken
    await Promise.resolve()
    return {
      tasks: Array.from({ length: taken }, () => ({})),
      failures: Array.from({ length: count - taken }, () => ({ reason: 'RESOURCE:CPU' })),
    } as Output
  }
}

const deps = (ecs: EcsClient) => ({
  clock: virtualClock(),
  random: seededRandom(1),
  ecs,
  refusals: new Refusals(),
  signal: new AbortController().signal,
  tasksPerCall: 10,
  started: () => 0,
})

test('every task is asked for once, and none is lost between calls that overlap', async () => {
  const counts: number[] = []
  const all = deps(ecsWith(95, counts))
  expect(await runTasks({ input: {}, count: 95 }, all)).toBe(95)
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(95)
  expect(Math.max(...counts)).toBe(10)
  expect(all.refusals.total).toBe(0)
})

test('what is refused is counted by reason', async () => {
  const full = deps(ecsWith(30))
  expect(await runTasks({ input: {}, count: 50 }, full)).toBe(30)
  expect(full.refusals.byReason()).toEqual({ 'RESOURCE:CPU': 20 })
})

test('a call that is answered with an error is so many refusals of its type', async () => {
  const throttled = deps(() => Promise.reject(new EcsError('RunTask', 'ThrottlingException', 'slower')))
  expect(await runTasks({ input: {}, count: 25 }, throttled)).toBe(0)
  expect(throttled.refusals.byReason()).toEqual({ ThrottlingException: 25 })
})

test('no more is asked for while the hosts are far behind, though not for ever', async () => {
  const clock = virtualClock()
  let started = 0
  const all = { ...deps(ecsWith(100_000)), clock, tasksPerCall: 5000, started: () => started }
  let taken: number | undefined
  void runTasks({ input: {}, count: 100_000 }, all).then((count) => (taken = count))
  await clock.advanceBy(1000)
  expect(taken).toBeUndefined()
  started = 60_000
  await clock.advanceBy(60_000)
  expect(taken).toBe(100_000)
})
