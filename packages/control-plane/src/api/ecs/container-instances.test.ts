import type { Resource } from '@aws-sdk/client-ecs'
import { describe, expect, test } from 'vitest'
import { container, definitionOf } from './testing/definitions.ts'
import { hostIds, inOneSubnet, testCluster } from './testing/test-cluster.ts'

const [first = '', second = ''] = hostIds
const instanceArn = (id: string) => `arn:aws:ecs:us-east-1:123456789012:container-instance/default/${id}`

describe('DescribeContainerInstances', () => {
  test('shows what a host has, what is left, and what runs there', async () => {
    const { call } = await testCluster({ hosts: 1, host: { reservedTcpPorts: [22], reservedUdpPorts: [] } })
    await call('RegisterTaskDefinition', {
      family: 'static',
      containerDefinitions: [
        { name: 'app', image: 'i', cpu: 100, memory: 200, portMappings: [{ containerPort: 80, hostPort: 8080 }] },
      ],
    })
    await call('RunTask', { taskDefinition: 'static' })
    const { containerInstances, failures } = await call('DescribeContainerInstances', {
      containerInstances: [first, 'f'.repeat(32)],
    })
    const integer = (name: string, integerValue: number) => ({
      name,
      type: 'INTEGER',
      doubleValue: 0,
      longValue: 0,
      integerValue,
    })
    const set = (name: string, stringSetValue: string[]) => ({
      ...integer(name, 0),
      type: 'STRINGSET',
      stringSetValue,
    })
    expect(containerInstances).toMatchObject([
      {
        containerInstanceArn: instanceArn(first),
        status: 'ACTIVE',
        agentConnected: true,
        runningTasksCount: 0,
        pendingTasksCount: 1,
        registeredResources: [
          integer('CPU', 1024),
          integer('MEMORY', 2048),
          set('PORTS', ['22']),
          set('PORTS_UDP', []),
        ],
        remainingResources: [
          integer('CPU', 924),
          integer('MEMORY', 1848),
          set('PORTS', ['22', '8080']),
          set('PORTS_UDP', []),
        ],
        attachments: [],
        tags: [],
      },
    ])
    expect(containerInstances?.[0]).not.toHaveProperty('healthStatus')
    expect(failures).toEqual([{ arn: instanceArn('f'.repeat(32)), reason: 'MISSING' }])
  })

  test('custom resources are integers like the others, and what tasks hold of them is not left', async () => {
    const { call } = await testCluster({ hosts: 1, host: { custom: { fpga: 3, licence: 1 } } })
    const wanted = container({ dockerLabels: { 'berth.resource/fpga': '2' } })
    await call('RegisterTaskDefinition', definitionOf([wanted], { family: 'fpga' }))
    await call('RunTask', { taskDefinition: 'fpga' })
    const { containerInstances } = await call('DescribeContainerInstances', { containerInstances: [first] })
    const customOf = (resources: readonly Resource[] = []) =>
      resources.slice(4).map(({ name, type, integerValue }) => [name, type, integerValue])
    expect(customOf(containerInstances?.[0]?.registeredResources)).toEqual([
      ['fpga', 'INTEGER', 3],
      ['licence', 'INTEGER', 1],
    ])
    expect(customOf(containerInstances?.[0]?.remainingResources)).toEqual([
      ['fpga', 'INTEGER', 1],
      ['licence', 'INTEGER', 1],
    ])
  })

  test('FARGATE tasks use the room of a host, but are not its tasks', async () => {
    const { call } = await testCluster({ hosts: 1 })
    await call('RunTask', { taskDefinition: 'wide', launchType: 'FARGATE', networkConfiguration: inOneSubnet })
    const { containerInstances } = await call('DescribeContainerInstances', { containerInstances: [first] })
    expect(containerInstances?.[0]).toMatchObject({ runningTasksCount: 0, pendingTasksCount: 0 })
    expect(containerInstances?.[0]?.remainingResources?.[0]).toMatchObject({ name: 'CPU', integerValue: 768 })
  })

  test.each([
    [{ engineHealthy: true }, 'OK'],
    [{ engineHealthy: false }, 'IMPAIRED'],
    [{ agentConnected: false }, 'INSUFFICIENT_DATA'],
  ])('health of %j is %s', async (host, overallStatus) => {
    const { call } = await testCluster({ hosts: 1, host })
    const { containerInstances } = await call('DescribeContainerInstances', {
      containerInstances: [first],
      include: ['CONTAINER_INSTANCE_HEALTH'],
    })
    expect(containerInstances?.[0]?.healthStatus?.overallStatus).toBe(overallStatus)
  })

  test('needs instances', async () => {
    const { call } = await testCluster()
    await expect(call('DescribeContainerInstances', { containerInstances: [] })).rejects.toMatchObject({
      message: 'Container Instances cannot be empty.',
    })
  })
})

describe('ListContainerInstances', () => {
  test('filters by status and by the query language', async () => {
    const { call } = await testCluster({ hosts: 3 })
    await call('UpdateContainerInstancesState', { containerInstances: [second], status: 'DRAINING' })
    const list = async (input: { status?: 'ACTIVE' | 'DRAINING'; filter?: string }) =>
      (await call('ListContainerInstances', input)).containerInstanceArns
    expect(await list({})).toEqual(hostIds.map(instanceArn))
    expect(await list({ status: 'DRAINING' })).toEqual([instanceArn(second)])
    expect(
      await list({ filter: 'attribute:ecs.availability-zone in [zone-0, zone-2] and runningTasksCount == 0' }),
    ).toEqual([hostIds[0], hostIds[2]].map((id) => instanceArn(id ?? '')))
    await expect(list({ filter: 'attribute:x ==' })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: expect.stringContaining('Invalid filter at position') as string,
    })
  })

  test('pages hold every instance once', async () => {
    const { call } = await testCluster({ hosts: 3 })
    const page = await call('ListContainerInstances', { maxResults: 2 })
    expect(page.containerInstanceArns).toHaveLength(2)
    const rest = await call('ListContainerInstances', { maxResults: 2, nextToken: page.nextToken })
    expect([...(page.containerInstanceArns ?? []), ...(rest.containerInstanceArns ?? [])]).toEqual(
      hostIds.map(instanceArn),
    )
  })
})

describe('UpdateContainerInstancesState', () => {
  test('drains and activates, and says what it cannot', async () => {
    const { call, cell } = await testCluster({ hosts: 1 })
    const drained = await call('UpdateContainerInstancesState', {
      containerInstances: [first, second],
      status: 'DRAINING',
    })
    expect(drained.containerInstances).toMatchObject([{ status: 'DRAINING' }])
    expect(drained.failures).toEqual([{ arn: instanceArn(second), reason: 'MISSING' }])
    expect(cell.tables.hosts.get(first)?.version).toBe(2)
    await expect(call('RunTask', { taskDefinition: 'web' })).rejects.toMatchObject({
      message: 'No Container Instances were found in your cluster.',
    })
    await call('UpdateContainerInstancesState', { containerInstances: [first], status: 'ACTIVE' })
    expect((await call('RunTask', { taskDefinition: 'web' })).tasks).toHaveLength(1)
  })

  test('takes ACTIVE and DRAINING only', async () => {
    const { call } = await testCluster()
    await expect(
      call('UpdateContainerInstancesState', { containerInstances: [first], status: 'DEREGISTERING' }),
    ).rejects.toMatchObject({ code: 'InvalidParameterException' })
  })
})

describe('DeregisterContainerInstance', () => {
  test('is refused with tasks on it, in the words that clients match; forced, it ends them', async () => {
    const { call, cell } = await testCluster({ hosts: 1 })
    const { tasks } = await call('RunTask', { taskDefinition: 'web' })
    await expect(call('DeregisterContainerInstance', { containerInstance: first })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'Found running tasks on the instance.',
    })
    const { containerInstance } = await call('DeregisterContainerInstance', { containerInstance: first, force: true })
    expect(containerInstance).toMatchObject({ status: 'INACTIVE', agentConnected: false })
    const described = await call('DescribeTasks', { tasks: [tasks?.[0]?.taskArn ?? ''] })
    expect(described.tasks).toMatchObject([
      { lastStatus: 'STOPPED', stoppedReason: 'Container instance deregistration forced by user' },
    ])
    expect((await call('ListContainerInstances', {})).containerInstanceArns).toEqual([])
    expect(cell.fleet.hosts.size).toBe(0)
  })
})
