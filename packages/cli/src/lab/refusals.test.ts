import { expect, test } from 'vitest'
import { refusalInEvent, Refusals } from './refusals.ts'

test('the commonest reason comes first', () => {
  const refusals = new Refusals()
  refusals.add('RESOURCE:CPU')
  refusals.add('RESOURCE:MEMORY', 3)
  refusals.add('RESOURCE:CPU')
  expect(Object.entries(refusals.byReason())).toEqual([
    ['RESOURCE:MEMORY', 3],
    ['RESOURCE:CPU', 2],
  ])
  expect(refusals.total).toBe(5)
})

test('events that differ in an id alone give one reason', () => {
  const event = (id: string) =>
    `(service web) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance ${id}) has insufficient CPU units available.`
  const reason = refusalInEvent(event('0123456789abcdef0123456789abcdef'))
  expect(reason).toContain('insufficient CPU units')
  expect(refusalInEvent(event('fedcba9876543210fedcba9876543210'))).toBe(reason)
})

test('other events are no refusals', () => {
  expect(refusalInEvent('(service web) has reached a steady state.')).toBeUndefined()
})
