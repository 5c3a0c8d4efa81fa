import { expect, test } from 'vitest'
import { stopOrder } from './stop-order.ts'

const named = (...names: string[]) => names.map((name) => ({ name }))

test('agents end together and first, then the control plane, then Redis', () => {
  expect(stopOrder(named('redis', 'control-plane', 'agent-1', 'agent-2'))).toEqual([
    named('agent-1', 'agent-2'),
    named('control-plane'),
    named('redis'),
  ])
})

test('what was never started is not waited for', () => {
  expect(stopOrder(named('redis'))).toEqual([named('redis')])
  expect(stopOrder([])).toEqual([])
})
