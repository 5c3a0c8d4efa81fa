import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { expect, test } from 'vitest'
import { type EcsClient, EcsError, UnreachableError } from '../ecs/ecs-client.ts'
import { patientClient } from './patient-client.ts'

/** Fails so often with an error of this type, then answers. */
function failing(times: number, type: string) {
  let calls = 0
  const ecs: EcsClient = async <Output>(operation: string) => {
    if (++calls <= times) throw new EcsError(operation, type, 'not now')
    return 'answer' as Output
  }
  return { ecs, calls: () => calls }
}

test('looking is tried again while the control plane cannot answer', async () => {
  const clock = virtualClock()
  const retried: string[] = []
  const { ecs } = failing(3, 'ServerException')
  const answer = patientClient(ecs, clock, ({ message }) => retried.push(message))('DescribeTasks', {})
  await clock.advanceBy(5000)
  expect(await answer).toBe('answer')
  expect(retried).toEqual(Array(3).fill('DescribeTasks: ServerException: not now'))
})

test('so is a look that nothing answered in time', async () => {
  const clock = virtualClock()
  let calls = 0
  const ecs: EcsClient = async <Output>() => {
    if (++calls === 1) throw new UnreachableError('no answer')
    return 'answer' as Output
  }
  const answer = patientClient(ecs, clock, () => undefined)('DescribeTasks', {})
  await clock.advanceBy(5000)
  expect(await answer).toBe('answer')
})

test('so is what carries a token by which it is done once', async () => {
  const clock = virtualClock()
  const { ecs } = failing(2, 'ServerException')
  const answer = patientClient(ecs, clock, () => undefined)('RunTask', { clientToken: 'one' })
  await clock.advanceBy(5000)
  expect(await answer).toBe('answer')
})

test.each([
  ['RunTask', {}, 'ServerException'],
  ['RunTask', { clientToken: 'one' }, 'InvalidParameterException'],
  ['DescribeTasks', {}, 'ClusterNotFoundException'],
])('%s of %o that fails with %s is not', async (operation, input, type) => {
  const { ecs, calls } = failing(1, type)
  await expect(patientClient(ecs, virtualClock(), () => undefined)(operation, input)).rejects.toThrow(type)
  expect(calls()).toBe(1)
})

test('patience ends', async () => {
  const clock = virtualClock()
  const { ecs } = failing(Infinity, 'ServerException')
  const failed = expect(patientClient(ecs, clock, () => undefined)('ListTasks', {})).rejects.toThrow('not now')
  await clock.advanceBy(60_000)
  await failed
})
