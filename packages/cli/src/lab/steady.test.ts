import { expect, test } from 'vitest'
import type { HostView } from './fleet-view.ts'
import { type ServiceView, unrest } from './steady.ts'

const host = (over: Partial<HostView> = {}): HostView => ({
  arn: '',
  zone: '',
  status: 'ACTIVE',
  connected: true,
  running: 2,
  pending: 0,
  cpu: 0,
  memory: 0,
  freeCpu: 0,
  freeMemory: 0,
  ...over,
})
const service = (over: Partial<ServiceView> = {}): ServiceView => ({
  serviceName: 'web',
  runningCount: 3,
  desiredCount: 3,
  pendingCount: 0,
  deployments: [{ rolloutState: 'COMPLETED' }],
  events: [],
  ...over,
})

test('a cluster in which everything is as it should be is steady', () => {
  expect(unrest([host(), host({ connected: false, running: 0 })], 1, [service()])).toBeUndefined()
})

test.each([
  ['a killed host counts as connected still', [host(), host()], 1, [], '2 hosts are connected, 1 are up'],
  ['a host is away and has its tasks still', [host(), host({ connected: false })], 1, [], 'not given up yet'],
  ['a task is pending', [host({ pending: 1 })], 1, [], '1 tasks are pending'],
  ['a service lacks a task', [host()], 1, [service({ runningCount: 2 })], 'service web has 2 of 3'],
  ['a deployment goes on', [host()], 1, [service({ deployments: [{ rolloutState: 'IN_PROGRESS' }] })], 'service web'],
  ['an old deployment is there', [host()], 1, [service({ deployments: [{}, {}] })], 'service web'],
])('not while %s', (_what, hosts, up, services, words) => {
  expect(unrest(hosts, up, services)).toContain(words)
})
