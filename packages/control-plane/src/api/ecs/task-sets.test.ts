import { describe, expect, it } from 'vitest'
import type { EcsInput } from '../operation.ts'
import { inOneSubnet, testCluster } from './testing/test-cluster.ts'

/** A cluster with the service `web`, which an external controller deploys. */
async function externalService(desiredCount = 4) {
  const cluster = await testCluster()
  await cluster.call('CreateService', {
    serviceName: 'web',
    desiredCount,
    deploymentController: { type: 'EXTERNAL' },
    tags: [{ key: 'team', value: 'blue' }],
  })
  const of = { cluster: 'default', service: 'web' }
  const create = async (more: Partial<EcsInput<'CreateTaskSet'>> = {}) => {
    const { taskSet } = await cluster.call('CreateTaskSet', { ...of, taskDefinition: 'web', ...more })
    if (taskSet?.id === undefined) throw new Error('no task set was made')
    return { ...taskSet, id: taskSet.id }
  }
  const sets = async () => (await cluster.call('DescribeTaskSets', of)).taskSets ?? []
  const service = async () => (await cluster.call('DescribeServices', { services: ['web'] })).services?.[0]
  return { ...cluster, of, create, sets, service }
}

/** What may not be given together. */
const bothKinds: Partial<EcsInput<'CreateTaskSet'>> = {
  launchType: 'EC2',
  capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
}

const refused = (code: string, message: string | RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown })

describe('a service with the EXTERNAL deployment controller', () => {
  it('is there without a task definition, a launch type or a deployment', async () => {
    const { service } = await externalService()
    const made = await service()
    expect(made).toMatchObject({
      status: 'ACTIVE',
      desiredCount: 4,
      deploymentController: { type: 'EXTERNAL' },
      deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 100 },
      schedulingStrategy: 'REPLICA',
      deployments: [],
      taskSets: [],
      events: [],
    })
    for (const member of ['taskDefinition', 'launchType', 'networkConfiguration', 'currentServiceDeployment'])
      expect(made?.[member as 'taskDefinition']).toBeUndefined()
  })

  it('wants no tasks where no count is given', async () => {
    const { call } = await testCluster()
    const { service } = await call('CreateService', { serviceName: 'x', deploymentController: { type: 'EXTERNAL' } })
    expect(service?.desiredCount).toBe(0)
  })

  it('is made once by equal calls, also when task sets have come since', async () => {
    const { call, create, of } = await externalService()
    const { id } = await create()
    await call('UpdateServicePrimaryTaskSet', { ...of, primaryTaskSet: id })
    const input = {
      serviceName: 'web',
      desiredCount: 4,
      deploymentController: { type: 'EXTERNAL' as const },
      tags: [{ key: 'team', value: 'blue' }],
    }
    expect((await call('CreateService', input)).service?.taskSets).toHaveLength(1)
    await expect(call('CreateService', { ...input, desiredCount: 5 })).rejects.toEqual(
      refused('InvalidParameterException', 'Creation of service was not idempotent.'),
    )
  })

  it.each<[string, Partial<EcsInput<'CreateService'>>, string]>([
    ['a task definition', { taskDefinition: 'web' }, 'taskDefinition can not be specified'],
    ['a launch type', { launchType: 'FARGATE' }, 'launchType can not be specified'],
    ['a network', { networkConfiguration: inOneSubnet }, 'networkConfiguration can not be specified'],
    ['DAEMON', { schedulingStrategy: 'DAEMON' }, 'The daemon scheduling strategy is not supported'],
    ['other percentages', { deploymentConfiguration: { maximumPercent: 150 } }, 'maximumPercent and minimumHealthy'],
    [
      'a circuit breaker',
      { deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: false } } },
      'deploymentCircuitBreaker can only be used',
    ],
    ['rebalancing', { availabilityZoneRebalancing: 'ENABLED' }, 'Availability Zone rebalancing is not supported'],
  ])('is refused with %s', async (_, more, message) => {
    const { call } = await testCluster()
    const input = { serviceName: 'x', deploymentController: { type: 'EXTERNAL' as const }, ...more }
    await expect(call('CreateService', input)).rejects.toEqual(refused('InvalidParameterException', message))
  })

  it('changes what its task sets do not say, and nothing else', async () => {
    const { call } = await externalService()
    const { service } = await call('UpdateService', {
      service: 'web',
      desiredCount: 8,
      healthCheckGracePeriodSeconds: 30,
      placementStrategy: [{ type: 'random' }],
      propagateTags: 'SERVICE',
    })
    expect(service).toMatchObject({
      desiredCount: 8,
      healthCheckGracePeriodSeconds: 30,
      placementStrategy: [{ type: 'random' }],
      propagateTags: 'SERVICE',
      deployments: [],
    })
    for (const [more, message] of [
      [
        { taskDefinition: 'web' },
        'Unable to update task definition on services with a EXTERNAL deployment controller.',
      ],
      [{ networkConfiguration: inOneSubnet }, 'Unable to update network parameters on services with a EXTERNAL'],
      [{ forceNewDeployment: true }, 'Cannot force a new deployment on services with a EXTERNAL'],
      [{ deploymentConfiguration: { maximumPercent: 150 } }, 'Unable to update deployment configuration'],
    ] as const)
      await expect(call('UpdateService', { service: 'web', ...more })).rejects.toEqual(
        refused('InvalidParameterException', message),
      )
  })
})

describe('a task set', () => {
  it('is ACTIVE and STABILIZING at first, with all of the desired count where no scale is given', async () => {
    const { create, of } = await externalService()
    const set = await create({ externalId: 'release-7', tags: [{ key: 'colour', value: 'green' }] })
    expect(set).toMatchObject({
      id: expect.stringMatching(/^ecs-svc\/\d{19}$/) as unknown,
      taskSetArn: `arn:aws:ecs:us-east-1:123456789012:task-set/default/${of.service}/${set.id}`,
      status: 'ACTIVE',
      taskDefinition: expect.stringMatching(/task-definition\/web:1$/) as unknown,
      externalId: 'release-7',
      scale: { value: 100, unit: 'PERCENT' },
      computedDesiredCount: 4,
      runningCount: 0,
      pendingCount: 0,
      launchType: 'EC2',
      loadBalancers: [],
      serviceRegistries: [],
      stabilityStatus: 'STABILIZING',
      tags: [{ key: 'colour', value: 'green' }],
    })
    expect(set.stabilityStatusAt).toBeInstanceOf(Date)
  })

  it.each([
    [4, 25, 1],
    [3, 25, 1],
    [10, 33.3, 4],
    [1000, 16.1, 161],
    [10, 0, 0],
    [0, 100, 0],
  ])('of %i tasks at %f percent is to have %i', async (desiredCount, value, wanted) => {
    const { create } = await externalService(desiredCount)
    expect((await create({ scale: { value, unit: 'PERCENT' } })).computedDesiredCount).toBe(wanted)
  })

  it('shows its tags where they are asked for', async () => {
    const { call, create, of } = await externalService()
    const { taskSetArn = '' } = await create({ tags: [{ key: 'a', value: '1' }] })
    await call('TagResource', { resourceArn: taskSetArn, tags: [{ key: 'b', value: '2' }] })
    expect((await call('DescribeTaskSets', of)).taskSets?.[0]?.tags).toEqual([])
    const { taskSets } = await call('DescribeTaskSets', { ...of, taskSets: [taskSetArn], include: ['TAGS'] })
    expect(taskSets?.[0]?.tags).toEqual([
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ])
  })

  it('is made once by calls with one client token, and refused for another request with it', async () => {
    const { create, sets } = await externalService()
    const first = await create({ clientToken: 'once' })
    expect((await create({ clientToken: 'once' })).id).toBe(first.id)
    await expect(create({ clientToken: 'once', scale: { value: 5, unit: 'PERCENT' } })).rejects.toEqual(
      refused('ConflictException', 'clientToken is already in use'),
    )
    expect(await sets()).toHaveLength(1)
  })

  it('takes a capacity provider strategy, a FARGATE platform and a network', async () => {
    const { create } = await externalService()
    const wide = { taskDefinition: 'wide', networkConfiguration: inOneSubnet }
    expect(await create({ ...wide, launchType: 'FARGATE' })).toMatchObject({
      launchType: 'FARGATE',
      platformVersion: '1.4.0',
      platformFamily: 'Linux',
    })
    const provided = await create({ ...wide, capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }] })
    expect(provided.launchType).toBeUndefined()
    expect(provided.capacityProviderStrategy).toEqual([{ capacityProvider: 'FARGATE', weight: 1, base: 0 }])
  })

  it.each<[string, Partial<EcsInput<'CreateTaskSet'>>, string, string]>([
    ['no such task definition', { taskDefinition: 'nope' }, 'ClientException', 'TaskDefinition not found.'],
    ['a target group', { loadBalancers: [{ targetGroupArn: 'arn:x' }] }, 'InvalidParameterException', 'target group'],
    ['a registry', { serviceRegistries: [{ registryArn: 'arn:x' }] }, 'InvalidParameterException', 'service registry'],
    ['both kinds of capacity', bothKinds, 'InvalidParameterException', 'Specifying both a launch type and'],
    ['no network', { taskDefinition: 'wide', launchType: 'FARGATE' }, 'InvalidParameterException', 'Network Config'],
    ['more than all', { scale: { value: 101, unit: 'PERCENT' } }, 'InvalidParameterException', 'scale'],
    ['no such service', { service: 'nope' }, 'ServiceNotFoundException', 'Service not found.'],
    ['no such cluster', { cluster: 'nope' }, 'ClusterNotFoundException', 'Cluster not found.'],
  ])('is refused with %s', async (_, more, code, message) => {
    const { create } = await externalService()
    await expect(create(more)).rejects.toEqual(refused(code, message))
  })

  it('is refused beyond five of a service', async () => {
    const { create } = await externalService()
    for (let made = 0; made < 5; made++) await create({ scale: { value: 0, unit: 'PERCENT' } })
    await expect(create()).rejects.toEqual(
      refused('InvalidParameterException', '^5 deployments exist on the service. Unable to create new TaskSet'),
    )
  })

  it('is refused of a service that Berth deploys itself', async () => {
    const { call } = await testCluster()
    await call('CreateService', { serviceName: 'own', taskDefinition: 'web', desiredCount: 1 })
    const of = { cluster: 'default', service: 'own' }
    const message = 'Amazon ECS only supports task set management on services configured to use external deployment'
    await expect(call('CreateTaskSet', { ...of, taskDefinition: 'web' })).rejects.toEqual(
      refused('InvalidParameterException', message),
    )
    await expect(call('DescribeTaskSets', of)).rejects.toEqual(refused('InvalidParameterException', message))
  })

  it('is refused of a service that is being deleted', async () => {
    const { call, create } = await externalService(0)
    await call('DeleteService', { service: 'web' })
    await expect(create()).rejects.toEqual(refused('ServiceNotActiveException', 'Service was not ACTIVE.'))
  })
})

describe('changing task sets', () => {
  it('scales one, which is stable no more', async () => {
    const { call, create, of } = await externalService()
    const { id, taskSetArn = '' } = await create()
    for (const taskSet of [id, taskSetArn]) {
      const answer = await call('UpdateTaskSet', { ...of, taskSet, scale: { value: 50, unit: 'PERCENT' } })
      expect(answer.taskSet).toMatchObject({ computedDesiredCount: 2, stabilityStatus: 'STABILIZING' })
    }
  })

  it('follows the desired count of the service', async () => {
    const { call, create, sets } = await externalService()
    await create({ scale: { value: 25, unit: 'PERCENT' } })
    await call('UpdateService', { service: 'web', desiredCount: 40 })
    expect((await sets())[0]?.computedDesiredCount).toBe(10)
  })

  it('makes one PRIMARY, and the service says of its tasks what that one does', async () => {
    const { call, create, of, sets, service } = await externalService()
    const blue = await create()
    const green = await create({ taskDefinition: 'wide', launchType: 'FARGATE', networkConfiguration: inOneSubnet })
    await call('UpdateServicePrimaryTaskSet', { ...of, primaryTaskSet: blue.id })
    expect(await service()).toMatchObject({ launchType: 'EC2', taskDefinition: blue.taskDefinition })
    const { taskSet } = await call('UpdateServicePrimaryTaskSet', { ...of, primaryTaskSet: green.taskSetArn ?? '' })
    expect(taskSet).toMatchObject({ id: green.id, status: 'PRIMARY' })
    expect((await sets()).map(({ status }) => status)).toEqual(['ACTIVE', 'PRIMARY'])
    expect(await service()).toMatchObject({
      launchType: 'FARGATE',
      platformVersion: '1.4.0',
      taskDefinition: green.taskDefinition,
      networkConfiguration: green.networkConfiguration,
    })
  })

  it('deletes one that is scaled to nothing, others only by force', async () => {
    const { call, create, of, service } = await externalService()
    const { id } = await create()
    await expect(call('DeleteTaskSet', { ...of, taskSet: id })).rejects.toEqual(
      refused('InvalidParameterException', 'The task set cannot be deleted while it is scaled above 0.'),
    )
    await call('UpdateServicePrimaryTaskSet', { ...of, primaryTaskSet: id })
    await call('UpdateTaskSet', { ...of, taskSet: id, scale: { value: 0, unit: 'PERCENT' } })
    await expect(call('DeleteTaskSet', { ...of, taskSet: id })).rejects.toEqual(
      refused('InvalidParameterException', 'The primary task set cannot be deleted.'),
    )
    const { taskSet } = await call('DeleteTaskSet', { ...of, taskSet: id, force: true })
    expect(taskSet).toMatchObject({ status: 'DRAINING', computedDesiredCount: 0 })
    expect((await service())?.taskDefinition).toBeUndefined()
    await expect(call('UpdateTaskSet', { ...of, taskSet: id, scale: { value: 1, unit: 'PERCENT' } })).rejects.toEqual(
      refused('InvalidParameterException', 'DRAINING'),
    )
  })

  it('refuses one that is not there', async () => {
    const { call, of } = await externalService()
    const id = 'ecs-svc/1234567890123456789'
    const notFound = refused('TaskSetNotFoundException', 'The specified task set does not exist.')
    const scale = { value: 1, unit: 'PERCENT' } as const
    await expect(call('UpdateTaskSet', { ...of, taskSet: id, scale })).rejects.toEqual(notFound)
    await expect(call('DeleteTaskSet', { ...of, taskSet: id })).rejects.toEqual(notFound)
    await expect(call('UpdateServicePrimaryTaskSet', { ...of, primaryTaskSet: id })).rejects.toEqual(notFound)
  })

  it('lists one that is not there among the failures of DescribeTaskSets', async () => {
    const { call, of } = await externalService()
    const { taskSets, failures } = await call('DescribeTaskSets', { ...of, taskSets: ['ecs-svc/1'] })
    expect(taskSets).toEqual([])
    expect(failures).toEqual([
      { arn: 'arn:aws:ecs:us-east-1:123456789012:task-set/default/web/ecs-svc/1', reason: 'MISSING' },
    ])
    const elsewhere = 'arn:aws:ecs:us-east-1:123456789012:task-set/default/other/ecs-svc/1'
    await expect(call('DescribeTaskSets', { ...of, taskSets: [elsewhere] })).rejects.toEqual(
      refused('InvalidParameterException', 'TaskSet Identifier is invalid'),
    )
  })

  it('keeps the definition of one from being deleted', async () => {
    const { call, create } = await externalService()
    const { taskDefinition = '' } = await create({ scale: { value: 0, unit: 'PERCENT' } })
    await call('DeregisterTaskDefinition', { taskDefinition })
    await call('DeleteTaskDefinitions', { taskDefinitions: [taskDefinition] })
    const { taskDefinition: still } = await call('DescribeTaskDefinition', { taskDefinition })
    expect(still?.status).toBe('DELETE_IN_PROGRESS')
  })
})
