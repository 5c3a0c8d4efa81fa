import { silentLog } from '@berth/shared/log.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { virtualClock } from '@berth/shared/virtual-clock.ts'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../store/memory/memory-store.ts'
import { Cell } from './cell.ts'
import type { HostRecord, TaskDefinitionRecord } from './records.ts'
import { endTask, hostDeregistered } from './task-changes.ts'
import type { StoredDefinition } from './task-demand.ts'
import type { TaskLaunch } from './task-blueprint.ts'
import { judgeHostFor, launchTaskOn, launchTasks } from './task-launch.ts'

const clock = virtualClock()
const scope = { partition: 'aws', region: 'us-east-1', account: '123456789012' }
const deps = { clock, scope, random: seededRandom(3) }

async function cellWith(hosts: readonly HostRecord[]): Promise<Cell> {
  const store = memoryStore({ clock })
  const lease = await store.acquireLease('test', 60_000, { api: '', agents: '' })
  if (lease.kind !== 'held') throw new Error('the lease of a new store is taken')
  const cell = new Cell(
    { ...deps, store, fence: lease.fence, log: silentLog, defer: queueMicrotask, onLost: () => {} },
    await store.load(),
  )
  await cell.transact((tx) => {
    for (const host of hosts) tx.put('hosts', host.id, host)
  })
  return cell
}

const host = (id: string, more: Partial<HostRecord> = {}): HostRecord => ({
  id,
  arn: `arn:${id}`,
  cluster: 'default',
  agentHostId: id,
  ec2InstanceId: `i-${id}`,
  status: 'ACTIVE',
  agentConnected: true,
  lost: false,
  engineHealthy: true,
  offersFargate: false,
  agentVersion: '1.0.0',
  agentHash: 'x',
  dockerVersion: '29.0.0',
  address: '127.0.0.1',
  cpu: 1000,
  memoryMib: 1000,
  gpuIds: [],
  networkInterfaces: 2,
  reservedTcpPorts: [],
  reservedUdpPorts: [],
  dynamicPorts: { first: 50_000, last: 50_004 },
  attributes: [],
  tags: {},
  registeredAt: 0,
  version: 1,
  ...more,
})

const launchOf = (definition: StoredDefinition, more: Partial<TaskLaunch> = {}): TaskLaunch => ({
  cluster: 'default',
  definition: definitionRecord(definition),
  launchType: 'EC2',
  group: 'family:web',
  overrides: {},
  placementConstraints: [],
  placementStrategy: [],
  enableExecuteCommand: false,
  tags: {},
  ...more,
})

const definitionRecord = (definition: StoredDefinition): TaskDefinitionRecord => ({
  arn: 'web:1',
  family: 'web',
  revision: 1,
  status: 'ACTIVE',
  definition,
  registeredAt: 0,
  registeredBy: 'me',
  tags: {},
})

describe('launchTasks', () => {
  test('each GPU goes to one container', async () => {
    const cell = await cellWith([host('a', { gpuIds: ['g0', 'g1', 'g2'] })])
    const resourceRequirements = [{ type: 'GPU' as const, value: '1' }]
    const launch = launchOf({ containerDefinitions: [{ name: 'app', image: 'i', memory: 1, resourceRequirements }] })
    const outcome = await cell.transact((tx) => launchTasks(tx, deps, launch, 5))
    expect(outcome.unplaced).toBe(2)
    expect(outcome.tasks.flatMap(({ containers }) => containers.flatMap(({ gpuIds }) => gpuIds)).sort()).toEqual([
      'g0',
      'g1',
      'g2',
    ])
  })

  test('a task in awsvpc mode takes an interface, in one of the subnets', async () => {
    const cell = await cellWith([host('a')])
    const launch = launchOf(
      { networkMode: 'awsvpc', containerDefinitions: [{ name: 'app', image: 'i', memory: 1 }] },
      { networkConfiguration: { awsvpcConfiguration: { subnets: ['s1', 's2'], securityGroups: ['g'] } } },
    )
    const { tasks, unplaced, explanation } = await cell.transact((tx) => launchTasks(tx, deps, launch, 3))
    expect(unplaced).toBe(1)
    expect(explanation?.removed).toEqual({ eni: 1 })
    for (const { networkInterface } of tasks) {
      expect(['s1', 's2']).toContain(networkInterface?.subnetId)
      expect(networkInterface).toMatchObject({ securityGroups: ['g'], status: 'PRECREATED' })
      expect(networkInterface?.networkInterfaceId).toMatch(/^eni-[0-9a-f]{17}$/)
    }
  })

  test('constraints of the definition and of the launch hold together', async () => {
    const attributes = [{ name: 'rack', value: '1', fromAgent: false }]
    const cell = await cellWith([host('a', { attributes }), host('b', { attributes }), host('c')])
    const definition: StoredDefinition = {
      containerDefinitions: [{ name: 'app', image: 'i', memory: 1 }],
      placementConstraints: [{ type: 'memberOf', expression: 'attribute:rack == 1' }],
    }
    const launch = launchOf(definition, { placementConstraints: [{ type: 'distinctInstance' }] })
    const { tasks } = await cell.transact((tx) => launchTasks(tx, deps, launch, 4))
    expect(tasks.map(({ hostId = '' }) => hostId).sort()).toEqual(['a', 'b'])
  })

  test('hosts are never promised more than they have, and get all of it back', async () => {
    const sizes = fc.record({
      cpu: fc.integer({ min: 0, max: 600 }),
      memory: fc.integer({ min: 1, max: 600 }),
      hostPort: fc.constantFrom(undefined, 0, 8080, 8081),
      count: fc.integer({ min: 1, max: 8 }),
      end: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(sizes, { maxLength: 20 }), async (launches) => {
        const cell = await cellWith([host('a'), host('b')])
        for (const { cpu, memory, hostPort, count, end } of launches) {
          const portMappings = hostPort === undefined ? [] : [{ containerPort: 80, hostPort }]
          const launch = launchOf({ containerDefinitions: [{ name: 'app', image: 'i', cpu, memory, portMappings }] })
          const { tasks, unplaced } = await cell.transact((tx) => launchTasks(tx, deps, launch, count))
          expect(tasks.length + unplaced).toBe(count)
          if (end)
            await cell.transact((tx) => {
              for (const task of tasks) tx.put('tasks', task.id, endTask(task, hostDeregistered, 1))
            })
          for (const id of ['a', 'b']) assertAccounts(cell, id)
        }
      }),
      { numRuns: 50 },
    )
  })
})

/** What a host has left is what its live tasks leave, and no port of it is held twice. */
function assertAccounts(cell: Cell, hostId: string): void {
  const live = [...cell.tables.tasks.by('host', hostId)].filter(({ lastStatus }) => lastStatus !== 'STOPPED')
  const sum = (amount: (task: (typeof live)[number]) => number) => live.reduce((total, task) => total + amount(task), 0)
  expect(cell.fleet.hosts.roomOn(hostId)).toMatchObject({
    cpu: 1000 - sum(({ claim }) => claim.cpu),
    memory: 1000 - sum(({ claim }) => claim.memoryMib),
  })
  expect(sum(({ claim }) => claim.cpu)).toBeLessThanOrEqual(1000)
  expect(sum(({ claim }) => claim.memoryMib)).toBeLessThanOrEqual(1000)
  const ports = live.flatMap(({ containers }) =>
    containers.flatMap(({ portGrants }) => portGrants.map(({ hostPort }) => hostPort)),
  )
  expect(new Set(ports).size).toBe(ports.length)
  expect(ports).not.toContain(0)
}

describe('launchTaskOn', () => {
  const launch = launchOf({
    containerDefinitions: [{ name: 'app', image: 'i', memory: 600, portMappings: [{ containerPort: 80 }] }],
  })

  test('goes to the host that is named, though another be better', async () => {
    const cell = await cellWith([host('a', { memoryMib: 700 }), host('b')])
    const outcome = await cell.transact((tx) => launchTaskOn(tx, deps, launch, 'b'))
    expect(outcome).toMatchObject({
      kind: 'launched',
      task: { hostId: 'b', containers: [{ portGrants: [{ containerPort: 80, hostPort: 50_000 }] }] },
    })
  })

  test('says what the host lacks, and that there is no such host', async () => {
    const cell = await cellWith([host('a', { status: 'DRAINING', memoryMib: 100 })])
    const refused = await cell.transact((tx) => launchTaskOn(tx, deps, launch, 'a'))
    expect(refused).toMatchObject({ kind: 'refused', verdict: { lacks: [{ rule: 'status' }, { rule: 'memory' }] } })
    expect(judgeHostFor(cell, launch, 'a')?.lacks).toHaveLength(2)
    expect(await cell.transact((tx) => launchTaskOn(tx, deps, launch, 'z'))).toEqual({ kind: 'missing' })
    expect(cell.tables.tasks.size).toBe(0)
  })
})
