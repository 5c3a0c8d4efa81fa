import { describe, expect, test } from 'vitest'
import { type ClusterView, hostView, serviceView } from './cluster-view.ts'
import { statusReport, timeSpan } from './status-report.ts'

const empty: ClusterView = {
  endpoint: 'http://127.0.0.1:4566',
  account: '123456789012',
  region: 'us-east-1',
  upForMs: 200_000,
  supervised: true,
  processes: [{ name: 'redis', pid: 1, running: true, restarts: 0 }],
  hosts: [],
  services: [],
  tasks: [],
}

describe('the report', () => {
  test('says first that the store went back', () => {
    const storeReturn = { reason: 'a backup was restored', quarantinedUntil: 1_700_000_000_000, adoptedTasks: 2 }
    expect(statusReport({ ...empty, storeReturn })[1]).toBe(
      'THE STORE WENT BACK: a backup was restored. 2 tasks of hosts taken over; nothing is replaced or stopped by itself until 2023-11-14T22:13:20.000Z.',
    )
  })

  test('of a cluster at work is three tables', () => {
    const view: ClusterView = {
      ...empty,
      hosts: [
        {
          cluster: 'default',
          name: 'host-1',
          address: '127.70.1.1',
          zone: 'us-east-1a',
          cpu: { used: 256, total: 1024 },
          memoryMib: { used: 512, total: 4096 },
          tasks: 1,
          status: 'ACTIVE',
          connected: true,
        },
        {
          cluster: 'default',
          name: 'host-2',
          address: '127.70.1.2',
          zone: 'us-east-1b',
          cpu: { used: 0, total: 1024 },
          memoryMib: { used: 0, total: 4096 },
          tasks: 0,
          status: 'DRAINING',
          connected: false,
        },
      ],
      services: [
        {
          cluster: 'default',
          name: 'web',
          status: 'ACTIVE',
          desired: 2,
          running: 1,
          pending: 1,
          rollout: 'IN_PROGRESS',
          taskDefinition: 'web:3',
        },
      ],
      tasks: [{ cluster: 'default', running: 1, pending: 1, services: 1 }],
    }
    expect(statusReport(view).join('\n')).toMatchInlineSnapshot(`
      "Berth is up at http://127.0.0.1:4566 (account 123456789012, region us-east-1), for 3 minutes.

      HOST    CLUSTER  ADDRESS     ZONE               CPU          MEMORY  EC2 TASKS  STATE
      host-1  default  127.70.1.1  us-east-1a  256 / 1024  512 / 4096 MiB          1  connected
      host-2  default  127.70.1.2  us-east-1b    0 / 1024    0 / 4096 MiB          0  DRAINING, DISCONNECTED

      SERVICE  CLUSTER  TASK DEFINITION  DESIRED  RUNNING  PENDING  ROLLOUT
      web      default  web:3                  2        1        1  IN_PROGRESS

      CLUSTER  RUNNING TASKS  PENDING TASKS
      default              1              1"
    `)
  })

  test('of an empty one says so', () => {
    expect(statusReport(empty)).toEqual(expect.arrayContaining(['No hosts.', 'No services.', 'No clusters.']))
  })

  test('says first what is not well', () => {
    const processes = [
      { name: 'redis', pid: 1, running: true, restarts: 2 },
      { name: 'agent-1', pid: undefined, running: false, restarts: 0 },
    ]
    expect(statusReport({ ...empty, supervised: false, processes }).slice(1, 4)).toEqual([
      expect.stringContaining('Nobody looks after it'),
      'redis has been restarted 2 times.',
      'agent-1 is down.',
    ])
  })
})

test('a host is shown by its name, and one from elsewhere by its id', () => {
  const instance = {
    containerInstanceArn: 'arn:aws:ecs:us-east-1:1:container-instance/default/0123',
    status: 'ACTIVE',
    agentConnected: true,
    runningTasksCount: 2,
    pendingTasksCount: 1,
    registeredResources: [
      { name: 'CPU', integerValue: 100 },
      { name: 'MEMORY', integerValue: 1000 },
    ],
    remainingResources: [
      { name: 'CPU', integerValue: 40 },
      { name: 'MEMORY', integerValue: 1000 },
    ],
  }
  expect(hostView('default', instance, new Map())).toMatchObject({
    name: '0123',
    address: '',
    tasks: 3,
    cpu: { used: 60, total: 100 },
    memoryMib: { used: 0, total: 1000 },
  })
  const attributes = [{ name: 'berth.host', value: 'host-1' }]
  expect(hostView('default', { ...instance, attributes }, new Map([['host-1', '127.64.0.1']]))).toMatchObject({
    name: 'host-1',
    address: '127.64.0.1',
  })
})

test("a service's rollout is that of its newest deployment", () => {
  const service = { serviceName: 's', status: 'ACTIVE', desiredCount: 1, runningCount: 1, pendingCount: 0 }
  const deployments = [
    { status: 'ACTIVE', rolloutState: 'COMPLETED' },
    { status: 'PRIMARY', rolloutState: 'IN_PROGRESS' },
  ]
  expect(serviceView('c', { ...service, deployments }).rollout).toBe('IN_PROGRESS')
  expect(serviceView('c', service)).toMatchObject({ rollout: '', taskDefinition: '' })
})

test.each([
  [0, '0 seconds'],
  [-5, '0 seconds'],
  [1000, '1 second'],
  [119_000, '1 minute'],
  [7_200_000, '2 hours'],
  [400_000_000, '4 days'],
])('%i ms are %s', (ms, text) => {
  expect(timeSpan(ms)).toBe(text)
})
