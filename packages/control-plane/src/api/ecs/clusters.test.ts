import { beforeEach, describe, expect, it } from 'vitest'
import { accountSettingHandlers } from './account-settings.ts'
import { clusterHandlers } from './clusters.ts'
import { type CallOperation, callOperations } from './testing/call-operation.ts'
import { defaultClusterArn, hostRecord, serviceRecord, taskRecord } from './testing/records.ts'
import { type TestControlPlane, testControlPlane } from './testing/test-control-plane.ts'

let plane: TestControlPlane
let call: CallOperation
beforeEach(() => {
  plane = testControlPlane()
  call = callOperations(plane, { ...clusterHandlers(plane.deps), ...accountSettingHandlers(plane.deps) })
})

const describeDefault = async (...include: ('ATTACHMENTS' | 'CONFIGURATIONS' | 'SETTINGS' | 'STATISTICS' | 'TAGS')[]) =>
  (await call('DescribeClusters', { include })).clusters?.[0]

describe('CreateCluster', () => {
  it('makes the cluster `default` when no name is given, and answers as ECS does', async () => {
    expect(await call('CreateCluster', {})).toEqual({
      cluster: {
        clusterArn: defaultClusterArn,
        clusterName: 'default',
        status: 'ACTIVE',
        registeredContainerInstancesCount: 0,
        runningTasksCount: 0,
        pendingTasksCount: 0,
        activeServicesCount: 0,
        statistics: [],
        tags: [],
        settings: [{ name: 'containerInsights', value: 'disabled' }],
        capacityProviders: [],
        defaultCapacityProviderStrategy: [],
      },
    })
  })

  it('keeps what it is given', async () => {
    const { cluster } = await call('CreateCluster', {
      clusterName: 'big',
      settings: [{ name: 'containerInsights', value: 'enhanced' }],
      configuration: { executeCommandConfiguration: { logging: 'DEFAULT' } },
      capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
      defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
      tags: [{ key: 'team', value: 'a' }, { key: 'bare' }],
    })
    expect(cluster).toMatchObject({
      settings: [{ name: 'containerInsights', value: 'enhanced' }],
      configuration: { executeCommandConfiguration: { logging: 'DEFAULT' } },
      capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
      defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1, base: 0 }],
      tags: [
        { key: 'team', value: 'a' },
        { key: 'bare', value: '' },
      ],
    })
  })

  it('again changes nothing, and asking for another under its name is refused', async () => {
    const first = await call('CreateCluster', { tags: [{ key: 'a', value: '1' }] })
    await plane.clock.advanceBy(1000)
    expect(await call('CreateCluster', {})).toEqual(first)
    expect(await call('CreateCluster', { tags: [{ key: 'a', value: '1' }] })).toEqual(first)
    await expect(call('CreateCluster', { tags: [] })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
    })
  })

  it('starts with what the account has set for Container Insights', async () => {
    await call('PutAccountSettingDefault', { name: 'containerInsights', value: 'enabled' })
    const { cluster } = await call('CreateCluster', {})
    expect(cluster?.settings).toEqual([{ name: 'containerInsights', value: 'enabled' }])
  })

  it.each(['', 'a b', 'a/b', 'x'.repeat(256)])('refuses the name %j', async (clusterName) => {
    await expect(call('CreateCluster', { clusterName })).rejects.toMatchObject({ code: 'InvalidParameterException' })
  })

  it.each([
    [{ capacityProviders: ['mine'] }, 'was not found'],
    [{ defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }] }, 'not associated'],
    [{ settings: [{ name: 'containerInsights' as const, value: 'maybe' }] }, 'Invalid cluster setting'],
    [
      { settings: [{ name: 'berth.settleTime' as 'containerInsights', value: '5' }] },
      'berth.settleTime is not a duration',
    ],
    [{ configuration: { managedStorageConfiguration: { kmsKeyId: 'k' } } }, 'managedStorageConfiguration'],
    [{ serviceConnectDefaults: { namespace: 'n' } }, 'serviceConnectDefaults is not supported by Berth'],
    [{ configuration: { executeCommandConfiguration: { logging: 'OVERRIDE' as const } } }, 'logConfiguration'],
  ])('refuses %j', async (input, message) => {
    await expect(call('CreateCluster', input)).rejects.toThrow(message)
    expect(plane.cell.tables.clusters.size).toBe(0)
  })
})

describe("Berth's own settings of a cluster", () => {
  const set = (name: string, value: string) =>
    call('UpdateClusterSettings', {
      cluster: 'default',
      settings: [{ name: name as 'containerInsights', value }],
    })

  it('are kept beside containerInsights until their value is `default`', async () => {
    await call('CreateCluster', {})
    expect((await set('berth.taskQueue', 'enabled')).cluster?.settings).toEqual([
      { name: 'containerInsights', value: 'disabled' },
      { name: 'berth.taskQueue', value: 'enabled' },
    ])
    expect((await set('berth.taskQueue', 'default')).cluster?.settings).toEqual([
      { name: 'containerInsights', value: 'disabled' },
    ])
  })

  it('are refused by a name that is none', async () => {
    await call('CreateCluster', {})
    await expect(set('berth.nothing', '1')).rejects.toThrow('berth.nothing')
  })
})

describe('DescribeClusters', () => {
  beforeEach(() => call('CreateCluster', { tags: [{ key: 'a', value: 'b' }] }))

  it('describes `default` when none is named', async () => {
    expect((await call('DescribeClusters', {})).clusters?.map(({ clusterName }) => clusterName)).toEqual(['default'])
  })

  it('names those it did not find, by full ARN', async () => {
    const foreign = 'arn:aws:ecs:eu-west-1:123456789012:cluster/default'
    expect(await call('DescribeClusters', { clusters: ['none', foreign] })).toEqual({
      clusters: [],
      failures: [
        { arn: 'arn:aws:ecs:us-east-1:123456789012:cluster/none', reason: 'MISSING' },
        { arn: foreign, reason: 'MISSING' },
      ],
    })
  })

  it('shows only what `include` names', async () => {
    expect(await describeDefault()).toMatchObject({ tags: [], settings: [], statistics: [] })
    expect(await describeDefault('TAGS')).toMatchObject({ tags: [{ key: 'a', value: 'b' }], settings: [] })
    expect((await describeDefault('SETTINGS'))?.settings).toHaveLength(1)
    expect((await describeDefault('ATTACHMENTS'))?.attachments).toEqual([])
  })

  it('counts hosts, services and tasks by what they are and do', async () => {
    await plane.put('hosts', 'h1', hostRecord('h1'))
    await plane.put('hosts', 'h2', hostRecord('h2', { status: 'DRAINING' }))
    await plane.put('hosts', 'h3', hostRecord('h3', { status: 'INACTIVE' }))
    await plane.put('services', 'default/s1', serviceRecord('s1'))
    await plane.put('services', 'default/s2', serviceRecord('s2', { status: 'DRAINING', launchType: 'FARGATE' }))
    await plane.put('tasks', 't1', taskRecord('t1'))
    await plane.put('tasks', 't2', taskRecord('t2', { launchType: 'FARGATE' }))
    await plane.put('tasks', 't3', taskRecord('t3', { lastStatus: 'PROVISIONING' }))
    await plane.put('tasks', 't4', taskRecord('t4', { lastStatus: 'STOPPED' }))
    await plane.put('tasks', 't5', taskRecord('t5', { cluster: 'other' }))
    const cluster = await describeDefault('STATISTICS')
    expect(cluster).toMatchObject({
      registeredContainerInstancesCount: 2,
      runningTasksCount: 2,
      pendingTasksCount: 1,
      activeServicesCount: 1,
    })
    const statistics = new Map(cluster?.statistics?.map(({ name, value }) => [name, value]))
    expect(statistics.get('runningEC2TasksCount')).toBe('1')
    expect(statistics.get('runningFargateTasksCount')).toBe('1')
    expect(statistics.get('pendingEC2TasksCount')).toBe('1')
    expect(statistics.get('activeEC2ServiceCount')).toBe('1')
    expect(statistics.get('drainingFargateServiceCount')).toBe('1')
    expect(statistics.get('runningExternalTasksCount')).toBe('0')
  })

  it('takes 100 clusters at most', async () => {
    const clusters = Array.from({ length: 101 }, (_, index) => `c${index}`)
    await expect(call('DescribeClusters', { clusters })).rejects.toMatchObject({ code: 'InvalidParameterException' })
  })
})

describe('ListClusters', () => {
  it('lists those that are ACTIVE, page by page', async () => {
    for (const clusterName of ['c', 'a', 'b', 'gone']) await call('CreateCluster', { clusterName })
    await call('DeleteCluster', { cluster: 'gone' })
    const first = await call('ListClusters', { maxResults: 2 })
    const second = await call('ListClusters', { maxResults: 2, nextToken: first.nextToken })
    const names = [...(first.clusterArns ?? []), ...(second.clusterArns ?? [])].map((arn) => arn.split('/')[1])
    expect(names).toEqual(['a', 'b', 'c'])
    expect(second.nextToken).toBeUndefined()
  })
})

describe('changing a cluster', () => {
  beforeEach(() => call('CreateCluster', {}))

  it('changes only what is named', async () => {
    await call('UpdateCluster', {
      cluster: 'default',
      configuration: { executeCommandConfiguration: { logging: 'NONE' } },
    })
    await call('UpdateClusterSettings', {
      cluster: defaultClusterArn,
      settings: [{ name: 'containerInsights', value: 'enabled' }],
    })
    const { cluster } = await call('PutClusterCapacityProviders', {
      cluster: 'default',
      capacityProviders: ['FARGATE'],
      defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE', base: 1, weight: 2 }],
    })
    expect(cluster).toMatchObject({
      configuration: { executeCommandConfiguration: { logging: 'NONE' } },
      settings: [{ name: 'containerInsights', value: 'enabled' }],
      capacityProviders: ['FARGATE'],
      defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE', base: 1, weight: 2 }],
    })
  })

  it('takes the capacity providers away with empty lists, as Terraform does before it deletes', async () => {
    const cluster = 'default'
    await call('PutClusterCapacityProviders', {
      cluster,
      capacityProviders: ['FARGATE'],
      defaultCapacityProviderStrategy: [],
    })
    const emptied = await call('PutClusterCapacityProviders', {
      cluster,
      capacityProviders: [],
      defaultCapacityProviderStrategy: [],
    })
    expect(emptied.cluster).toMatchObject({ capacityProviders: [], defaultCapacityProviderStrategy: [] })
  })

  it('is refused for a cluster that is not there', async () => {
    await expect(call('UpdateClusterSettings', { cluster: 'none', settings: [] })).rejects.toMatchObject({
      code: 'ClusterNotFoundException',
    })
  })
})

describe('DeleteCluster', () => {
  beforeEach(() => call('CreateCluster', {}))

  it('leaves the cluster INACTIVE and describable, and its name free', async () => {
    expect((await call('DeleteCluster', { cluster: 'default' })).cluster?.status).toBe('INACTIVE')
    expect((await describeDefault())?.status).toBe('INACTIVE')
    expect((await call('CreateCluster', { tags: [{ key: 'new', value: '' }] })).cluster).toMatchObject({
      status: 'ACTIVE',
      tags: [{ key: 'new', value: '' }],
    })
  })

  it('is refused while there are services, tasks or container instances, each in its own words', async () => {
    const refusal = async () => {
      try {
        return await call('DeleteCluster', { cluster: 'default' })
      } catch (error) {
        return error
      }
    }
    await plane.put('services', 'default/s', serviceRecord('s', { status: 'DRAINING' }))
    expect(await refusal()).toMatchObject({
      code: 'ClusterContainsServicesException',
      message: 'The Cluster cannot be deleted while Services are active.',
    })
    await plane.put('services', 'default/s', serviceRecord('s', { status: 'INACTIVE' }))
    await plane.put('tasks', 't', taskRecord('t'))
    expect(await refusal()).toMatchObject({
      code: 'ClusterContainsTasksException',
      message: 'The Cluster cannot be deleted while Tasks are active.',
    })
    await plane.put('tasks', 't', taskRecord('t', { lastStatus: 'STOPPED' }))
    await plane.put('hosts', 'h', hostRecord('h'))
    expect(await refusal()).toMatchObject({
      code: 'ClusterContainsContainerInstancesException',
      message: 'The Cluster cannot be deleted while Container Instances are active or draining.',
    })
    await plane.put('hosts', 'h', hostRecord('h', { status: 'INACTIVE' }))
    expect(await refusal()).toMatchObject({ cluster: { status: 'INACTIVE' } })
  })
})
