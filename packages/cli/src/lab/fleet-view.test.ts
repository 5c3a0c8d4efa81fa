import { expect, test } from 'vitest'
import { fullnessOf, type HostView } from './fleet-view.ts'

const host = (usedCpu: number, usedMemory: number, connected = true): HostView => ({
  arn: '',
  zone: 'us-east-1a',
  status: 'ACTIVE',
  connected,
  running: 0,
  pending: 0,
  cpu: 1000,
  memory: 2000,
  freeCpu: 1000 - usedCpu,
  freeMemory: 2000 - usedMemory,
})

test('fullness is that of the hosts that are connected', () => {
  const fullness = fullnessOf([host(500, 0), host(0, 0), host(1000, 2000, false)])
  expect(fullness).toMatchObject({ cpu: 0.25, memory: 0, hostsUsed: 1 })
})

test('a host is as full as the larger of its shares', () => {
  expect(fullnessOf([host(100, 1800)])).toMatchObject({ p10: 0.9, p50: 0.9, p90: 0.9 })
})

test('the packing ratio is 1 where nothing could stand on fewer hosts, and 2 on twice as many', () => {
  expect(fullnessOf([host(1000, 0), host(500, 0), host(0, 0)]).packingRatio).toBe(1)
  expect(fullnessOf([host(400, 0), host(500, 0), host(0, 0)]).packingRatio).toBe(2)
})

test('where nothing runs there is no packing ratio', () => {
  expect(fullnessOf([host(0, 0)]).packingRatio).toBe(0)
  expect(fullnessOf([])).toMatchObject({ cpu: 0, packingRatio: 0 })
})
