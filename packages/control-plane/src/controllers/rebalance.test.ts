import { describe, expect, test } from 'vitest'
import type { HostRecord, TaskRecord } from '../cell/records.ts'
import { hostIds } from '../api/ecs/testing/test-cluster.ts'
import { berthCaller } from '../api/berth/testing/call-berth.ts'
import { clusterWithServices } from './testing/service-cluster.ts'

const zones = ['zone-0', 'zone-1', 'zone-2']

/** Three hosts in three zones, of which those that are named are not there yet. */
async function clusterWithout(...absent: readonly number[]) {
  const cluster = await clusterWithServices(3)
  const setHost = async (at: number, change: Partial<HostRecord>) => {
    const host = cluster.cell.tables.hosts.get(hostIds[at] as string) as HostRecord
    await cluster.put('hosts', host.id, { ...host, ...change })
  }
  for (const at of absent) await setHost(at, { agentConnected: false, disconnectedAt: cluster.clock.now() })
  /** Hosts do their work and time goes by. At each step the service has what it must. */
  const goOn = async (steps = 30, least = 0) => {
    for (let step = 0; step < steps; step++) {
      await cluster.clock.settle()
      expect(cluster.running().length).toBeGreaterThanOrEqual(least)
      await cluster.hostsWork()
      expect(cluster.running().length).toBeGreaterThanOrEqual(least)
      await cluster.clock.advanceBy(1000)
    }
  }
  const create = (more: object = {}) =>
    cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 4, ...more })
  const setting = (value: string, budget = '1') =>
    cluster.call('UpdateClusterSettings', {
      cluster: 'default',
      settings: [
        { name: 'berth.rebalancing', value },
        { name: 'berth.rebalancingBudget', value: budget },
      ],
    } as never)
  const byZone = () => zones.map((zone) => cluster.running().filter((task) => task.availabilityZone === zone).length)
  const moves = () => cluster.tasks().filter(({ move }) => move !== undefined)
  return {
    ...cluster,
    setHost,
    returns: (at: number) => setHost(at, { agentConnected: true }),
    goOn,
    create,
    setting,
    byZone,
    moves,
  }
}

describe('zones', () => {
  test('are evened out when a host comes back, in ECS words, and no task stops before its successor is healthy', async () => {
    const cluster = await clusterWithout(2)
    await cluster.create()
    await cluster.goOn(10)
    expect(cluster.byZone()).toEqual([2, 2, 0])
    await cluster.returns(2)
    await cluster.goOn(30, 4)
    expect(cluster.byZone().toSorted((a, b) => a - b)).toEqual([1, 1, 2])
    expect(cluster.moves()).toHaveLength(1)
    const said = await cluster.said()
    expect(said?.slice(0, 4)).toEqual([
      expect.stringMatching(
        /^\(service web\) is AZ balanced with \d tasks in zone-0, \d tasks in zone-1, and 1 tasks in zone-2\.$/,
      ),
      expect.stringMatching(
        /^\(service web\) has stopped 1 running tasks in zone-[01] due to AZ rebalancing: \(task ID\)\.$/,
      ),
      '(service web) has started 1 tasks in zone-2 to AZ Rebalance: (task ID).',
      '(service web) is not AZ balanced with 2 tasks in zone-0, 2 in zone-1, and 0 in zone-2. AZ Rebalancing in progress.',
    ])
  })

  test.each([
    { availabilityZoneRebalancing: 'DISABLED' },
    { deploymentConfiguration: { maximumPercent: 100, minimumHealthyPercent: 50 } },
  ])('stay as they are with %j', async (more) => {
    const cluster = await clusterWithout(2)
    await cluster.create(more)
    await cluster.goOn(10)
    await cluster.returns(2)
    await cluster.goOn(20)
    expect(cluster.moves()).toEqual([])
  })

  test('wait for a protected task, until it no longer is', async () => {
    const cluster = await clusterWithout(1, 2)
    await cluster.create({ desiredCount: 2 })
    await cluster.goOn(10)
    await cluster.call('UpdateTaskProtection', {
      cluster: 'default',
      tasks: cluster.running().map(({ id }) => id),
      protectionEnabled: true,
      expiresInMinutes: 2,
    })
    await cluster.returns(1)
    await cluster.goOn(60)
    expect(cluster.byZone()).toEqual([2, 0, 0])
    await cluster.goOn(80, 2)
    expect(cluster.byZone()).toEqual([1, 1, 0])
  })

  test('are left alone by a new task that fails, which is tried again later and later, and fails no deployment', async () => {
    const cluster = await clusterWithout(1, 2)
    await cluster.create({ desiredCount: 2 })
    await cluster.goOn(10)
    await cluster.returns(1)
    for (let step = 0; step < 100; step++) {
      await cluster.failPending()
      await cluster.clock.advanceBy(1000)
    }
    // After 1 s, 32 s, and 94 s.
    expect(cluster.moves()).toHaveLength(3)
    expect(cluster.moves().every(({ move }) => move?.outcome === 'given-up')).toBe(true)
    expect(cluster.byZone()).toEqual([2, 0, 0])
    expect((await cluster.service()).deployments?.[0]).toMatchObject({ failedTasks: 0, rolloutState: 'COMPLETED' })
    await cluster.goOn(150, 2)
    expect(cluster.byZone()).toEqual([1, 1, 0])
    expect(cluster.cell.tables.services.get('default/web')?.rebalancing).toEqual({})
  })
})

describe('a move that is under way', () => {
  async function underWay() {
    const cluster = await clusterWithout(1, 2)
    await cluster.create({ desiredCount: 2 })
    await cluster.goOn(10)
    await cluster.returns(1)
    await cluster.clock.advanceBy(1500)
    const [task] = cluster.moves() as [TaskRecord]
    const old = cluster.cell.tables.tasks.get(task.move?.replaces ?? '') as TaskRecord
    return { ...cluster, task, old, now: () => cluster.cell.tables.tasks.get(task.id) as TaskRecord }
  }

  test('fills in for a task that dies meanwhile', async () => {
    const cluster = await underWay()
    const other = cluster.running().find(({ id }) => id !== cluster.old.id && id !== cluster.task.id) as TaskRecord
    await cluster.report(other, 'STOPPED', { stopCode: 'EssentialContainerExited' })
    await cluster.goOn(15)
    expect(cluster.now()).toMatchObject({ desiredStatus: 'RUNNING', move: { outcome: 'kept' } })
    expect(cluster.byZone()).toEqual([1, 1, 0])
    expect(cluster.tasks()).toHaveLength(3)
  })

  test('is over when its old task dies', async () => {
    const cluster = await underWay()
    await cluster.report(cluster.old, 'STOPPED', { stopCode: 'EssentialContainerExited' })
    await cluster.goOn(15)
    expect(cluster.now().move?.outcome).toBe('kept')
    expect(cluster.byZone()).toEqual([1, 1, 0])
    expect(cluster.tasks()).toHaveLength(3)
  })

  test('leaves as many tasks as there are to be, when fewer are wanted', async () => {
    const cluster = await underWay()
    await cluster.call('UpdateService', { service: 'web', desiredCount: 1 })
    await cluster.goOn(15, 1)
    expect(cluster.now().move?.outcome).toBeDefined()
    expect(cluster.running()).toHaveLength(1)
  })

  test('is called off when its old task comes to be protected', async () => {
    const cluster = await underWay()
    await cluster.call('UpdateTaskProtection', {
      cluster: 'default',
      tasks: [cluster.old.id],
      protectionEnabled: true,
    })
    await cluster.goOn(10, 2)
    expect(cluster.now().move?.outcome).toBe('called-off')
    expect(cluster.cell.tables.tasks.get(cluster.old.id)?.desiredStatus).toBe('RUNNING')
  })

  test('gives way to a deployment', async () => {
    const cluster = await underWay()
    await cluster.newRevision()
    await cluster.call('UpdateService', { service: 'web', taskDefinition: 'web' })
    await cluster.goOn(40, 2)
    expect(cluster.now().move?.outcome).toBe('kept')
    expect(cluster.running().map(({ revision }) => revision)).toEqual([2, 2])
    expect(cluster.byZone()).toEqual([1, 1, 0])
  })

  test('does not outlive its service', async () => {
    const cluster = await underWay()
    await cluster.call('DeleteService', { service: 'web', force: true })
    await cluster.goOn(10)
    expect(cluster.running()).toEqual([])
    expect((await cluster.service()).status).toBe('INACTIVE')
  })
})

describe('a cluster that spreads', () => {
  const byHost = [{ type: 'spread', field: 'instanceId' }]

  test('spreads a service over hosts again, within its budget, and then moves nothing any more', async () => {
    const cluster = await clusterWithout(1, 2)
    await cluster.create({ placementStrategy: byHost })
    await cluster.goOn(10)
    await cluster.returns(1)
    await cluster.returns(2)
    await cluster.goOn(10)
    expect(cluster.moves()).toEqual([])
    await cluster.setting('spread')
    for (let step = 0; step < 60; step++) {
      await cluster.goOn(1, 4)
      expect(cluster.moves().filter(({ move }) => move?.outcome === undefined).length).toBeLessThanOrEqual(1)
    }
    expect(cluster.byZone().toSorted((a, b) => a - b)).toEqual([1, 1, 2])
    const moved = cluster.moves().length
    expect(moved).toBe(2)
    await cluster.goOn(60, 4)
    expect(cluster.moves()).toHaveLength(moved)
  })

  test('leaves packed services packed', async () => {
    const cluster = await clusterWithout(1, 2)
    await cluster.create({ placementStrategy: [{ type: 'binpack', field: 'memory' }] })
    await cluster.goOn(10)
    await cluster.setting('spread')
    await cluster.returns(1)
    await cluster.goOn(20)
    expect(cluster.moves()).toEqual([])
  })
})

describe('a cluster that empties hosts', () => {
  test('moves the tasks of the emptiest host to others, and then moves nothing any more', async () => {
    const cluster = await clusterWithout()
    const packed = { availabilityZoneRebalancing: 'DISABLED', placementStrategy: [{ type: 'random' }] }
    await cluster.create({ ...packed, desiredCount: 6 })
    await cluster.goOn(10)
    await cluster.call('UpdateService', { service: 'web', desiredCount: 3 })
    await cluster.goOn(10)
    expect(cluster.byZone()).toEqual([1, 1, 1])
    await cluster.setting('empty-hosts')
    await cluster.goOn(120, 3)
    expect(cluster.byZone().toSorted((a, b) => a - b)).toEqual([0, 0, 3])
    const moved = cluster.moves().length
    await cluster.goOn(60, 3)
    expect(cluster.moves()).toHaveLength(moved)
  })
})

describe('a request to rebalance once', () => {
  const byHost = [{ type: 'spread', field: 'instanceId' }]

  async function lopsided() {
    const cluster = await clusterWithout(1, 2)
    await cluster.create({ placementStrategy: byHost })
    await cluster.goOn(10)
    await cluster.returns(1)
    await cluster.returns(2)
    await cluster.goOn(5)
    return { ...cluster, berth: berthCaller(cluster.deps, () => ({}) as never) }
  }

  test('is answered with the moves, which are then made, and no others', async () => {
    const cluster = await lopsided()
    const plan = await cluster.berth('PlanRebalancing', { goal: 'spread' })
    expect(plan).toMatchObject({
      services: { movable: 1, leftAlone: [] },
      hostsInUse: { before: 1, after: 3, active: 3 },
    })
    expect(plan.spreads[0]?.places.map(({ before, after }) => [before, after])).toEqual(
      expect.arrayContaining([
        [4, 2],
        [0, 1],
        [0, 1],
      ]),
    )
    await cluster.goOn(20, 4)
    expect(cluster.moves()).toEqual([])
    expect((await cluster.berth('RequestRebalancing')).moves).toHaveLength(2)
    await cluster.goOn(40, 4)
    expect(cluster.byZone().toSorted((a, b) => a - b)).toEqual([1, 1, 2])
    expect(cluster.moves()).toHaveLength(2)
    expect(cluster.cell.tables.clusters.get('default')).not.toHaveProperty('rebalanceRequest')
  })

  test('keeps to its budget', async () => {
    const cluster = await lopsided()
    expect((await cluster.berth('RequestRebalancing', { budget: 1 })).moves).toHaveLength(1)
    await cluster.goOn(40, 4)
    expect(cluster.moves()).toHaveLength(1)
  })

  test('empties hosts, and tells how few would do', async () => {
    const cluster = await clusterWithout()
    await cluster.create({
      availabilityZoneRebalancing: 'DISABLED',
      desiredCount: 3,
      placementStrategy: [{ type: 'random' }],
    })
    await cluster.goOn(10)
    const berth = berthCaller(cluster.deps, () => ({}) as never)
    const used = cluster.byZone().filter((count) => count > 0).length
    const plan = await berth('RequestRebalancing', { goal: 'empty-hosts' })
    expect(plan.hostsInUse).toEqual({ before: used, after: 1, active: 3, packedAfresh: 1 })
    await cluster.goOn(120, 3)
    expect(cluster.byZone().toSorted((a, b) => a - b)).toEqual([0, 0, 3])
  })

  test.each([{ budget: 0 }, { goal: 'heap' }, { more: 1 }])('is refused with %j', async (input) => {
    const cluster = await lopsided()
    await expect(cluster.berth('RequestRebalancing', input)).rejects.toThrow()
  })
})
