import { describe, expect, test } from 'vitest'
import type { EcsInput } from '../operation.ts'
import { ecsHandlers } from './ecs-handlers.ts'
import { callOperations } from './testing/call-operation.ts'
import { container, definitionOf } from './testing/definitions.ts'
import { hostRecord } from './testing/records.ts'
import { hostIds, inOneSubnet, testCluster } from './testing/test-cluster.ts'
import { testControlPlane } from './testing/test-control-plane.ts'

describe('RunTask', () => {
  test('a task is PENDING on a host, with its port granted there', async () => {
    const { call, cell } = await testCluster()
    const { tasks = [], failures } = await call('RunTask', { taskDefinition: 'web', startedBy: 'me' })
    expect(failures).toEqual([])
    expect(tasks).toHaveLength(1)
    expect(tasks[0]).toMatchObject({
      lastStatus: 'PENDING',
      desiredStatus: 'RUNNING',
      launchType: 'EC2',
      group: 'family:web',
      startedBy: 'me',
      cpu: '256',
      memory: '512',
      version: 1,
      healthStatus: 'UNKNOWN',
      attachments: [],
      tags: [],
      overrides: { containerOverrides: [{ name: 'app' }], inferenceAcceleratorOverrides: [] },
      attributes: [{ name: 'ecs.cpu-architecture', value: 'x86_64' }],
      containers: [{ name: 'app', lastStatus: 'PENDING', cpu: '256', memory: '512', networkBindings: [] }],
    })
    expect(tasks[0]?.containerInstanceArn).toMatch(/container-instance\/default\/[ab]{32}$/)
    const [record] = cell.tables.tasks.values()
    expect(record?.containers[0]?.portGrants).toEqual([{ containerPort: 80, hostPort: 49153, protocol: 'tcp' }])
    expect(record?.placement).toEqual({
      hosts: 2,
      tally: { suitable: 2, removed: {} },
      seen: [['binpack(room)', 4096]],
    })
  })

  test('nothing is promised beyond what the hosts have, and each that is full says why', async () => {
    const { call, cell } = await testCluster({ hosts: 2 })
    const { tasks = [], failures = [] } = await call('RunTask', { taskDefinition: 'web', count: 10 })
    expect(tasks).toHaveLength(8)
    expect(failures.map(({ reason }) => reason)).toEqual(['RESOURCE:CPU', 'RESOURCE:CPU'])
    expect(failures[0]?.arn).toMatch(/container-instance\/default\//)
    expect(failures[0]?.detail).toContain('cpu: needs 256, has 0')
    for (const id of hostIds.slice(0, 2)) expect(cell.fleet.hosts.roomOn(id)).toMatchObject({ cpu: 0, memory: 0 })
  })

  test("the cluster's default strategy counts where the request has none", async () => {
    const { call } = await testCluster({ hosts: 3 })
    const settings = [{ name: 'berth.defaultPlacementStrategy' as never, value: 'spread(instanceId)' }]
    await call('UpdateClusterSettings', { cluster: 'default', settings })
    const hostsOf = async (more: Partial<EcsInput<'RunTask'>>) => {
      const { tasks = [] } = await call('RunTask', { taskDefinition: 'web', count: 3, ...more })
      return new Set(tasks.map(({ containerInstanceArn }) => containerInstanceArn)).size
    }
    expect(await hostsOf({})).toBe(3)
    expect(await hostsOf({ placementStrategy: [{ type: 'binpack', field: 'memory' }] })).toBe(1)
  })

  test('a static port goes once to each host', async () => {
    const { call } = await testCluster({ hosts: 2 })
    const portMappings = [{ containerPort: 80, hostPort: 8080 }]
    await call('RegisterTaskDefinition', definitionOf([container({ portMappings })], { family: 'static' }))
    const { tasks, failures = [] } = await call('RunTask', { taskDefinition: 'static', count: 3 })
    expect(tasks).toHaveLength(2)
    expect(failures.map(({ reason }) => reason)).toEqual(['RESOURCE:PORTS', 'RESOURCE:PORTS'])
  })

  test('a custom resource is given to as many tasks as there are of it, and back when they end', async () => {
    const { call, cell } = await testCluster({ hosts: 2, host: { custom: { fpga: 3 } } })
    const containers = [
      container({ dockerLabels: { 'berth.resource/fpga': '1', team: 'blue' } }),
      container({ name: 'side', dockerLabels: { 'berth.resource/fpga': '1' } }),
    ]
    await call('RegisterTaskDefinition', definitionOf(containers, { family: 'fpga' }))
    const { tasks = [], failures = [] } = await call('RunTask', { taskDefinition: 'fpga', count: 3 })
    expect(new Set(tasks.map(({ containerInstanceArn }) => containerInstanceArn)).size).toBe(2)
    expect(failures.map(({ reason }) => reason)).toEqual(['RESOURCE:CUSTOM', 'RESOURCE:CUSTOM'])
    expect(failures[0]?.detail).toContain('fpga: needs 2, has 1')
    const [record] = cell.tables.tasks.values()
    expect(record?.claim.custom).toEqual({ fpga: 2 })
    const hostId = record?.hostId ?? ''
    expect(cell.fleet.hosts.roomOn(hostId)?.custom.get('fpga')).toBe(1)
    await cell.transact((tx) => record && tx.delete('tasks', record.id))
    expect(cell.fleet.hosts.roomOn(hostId)?.custom.get('fpga')).toBe(3)
  })

  test('an agent that is not connected is a reason', async () => {
    const { call } = await testCluster({ hosts: 1, host: { agentConnected: false } })
    expect(await call('RunTask', { taskDefinition: 'web' })).toMatchObject({
      tasks: [],
      failures: [{ reason: 'AGENT' }],
    })
  })

  test('a cluster without container instances is refused in the words that clients match', async () => {
    const { call } = await testCluster({ hosts: 0 })
    await expect(call('RunTask', { taskDefinition: 'web' })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'No Container Instances were found in your cluster.',
    })
  })

  test('FARGATE runs on hosts of other clusters, has an address to come, and sees no container instance', async () => {
    const { call, put } = await testCluster({ hosts: 0 })
    const elsewhere = hostRecord(hostIds[0] as string, {
      cluster: 'other',
      attributes: [
        'ecs.capability.task-eni',
        'ecs.capability.task-cpu-mem-limit',
        'com.amazonaws.ecs.capability.docker-remote-api.1.18',
      ].map((name) => ({ name, fromAgent: true })),
    })
    await put('hosts', elsewhere.id, elsewhere)
    const { tasks = [] } = await call('RunTask', {
      taskDefinition: 'wide',
      launchType: 'FARGATE',
      networkConfiguration: inOneSubnet,
    })
    expect(tasks[0]).toMatchObject({
      launchType: 'FARGATE',
      platformVersion: '1.4.0',
      platformFamily: 'Linux',
      ephemeralStorage: { sizeInGiB: 20 },
      attachments: [
        {
          type: 'ElasticNetworkInterface',
          status: 'PRECREATED',
          details: [{ name: 'subnetId', value: 'subnet-1' }],
        },
      ],
    })
    expect(tasks[0]).not.toHaveProperty('containerInstanceArn')
  })

  test('FARGATE without room fails once for each task, in the words that clients match', async () => {
    const { call } = await testCluster({ hosts: 0 })
    const { tasks, failures = [] } = await call('RunTask', {
      taskDefinition: 'wide',
      launchType: 'FARGATE',
      networkConfiguration: inOneSubnet,
      count: 2,
    })
    expect(tasks).toEqual([])
    expect(failures.map(({ reason }) => reason)).toEqual(
      Array(2).fill('Capacity is unavailable at this time. Please try again later or in a different availability zone'),
    )
  })

  test('capacity providers share tasks by base and weight', async () => {
    const { call } = await testCluster({ hosts: 2 })
    const { tasks = [] } = await call('RunTask', {
      taskDefinition: 'wide',
      count: 4,
      networkConfiguration: inOneSubnet,
      capacityProviderStrategy: [
        { capacityProvider: 'FARGATE', base: 1, weight: 1 },
        { capacityProvider: 'FARGATE_SPOT', weight: 2 },
      ],
    })
    expect(tasks.map(({ capacityProviderName = '' }) => capacityProviderName).sort()).toEqual([
      'FARGATE',
      'FARGATE',
      'FARGATE_SPOT',
      'FARGATE_SPOT',
    ])
    expect(tasks.every(({ launchType }) => launchType === 'FARGATE')).toBe(true)
  })

  test('the default strategy of the cluster stands in where nothing is asked, and an empty one beside a launch type is no clash', async () => {
    const { call } = await testCluster({ hosts: 1 })
    await call('PutClusterCapacityProviders', {
      cluster: 'default',
      capacityProviders: ['FARGATE'],
      defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
    })
    const byDefault = await call('RunTask', { taskDefinition: 'wide', networkConfiguration: inOneSubnet })
    expect(byDefault.tasks?.[0]).toMatchObject({ capacityProviderName: 'FARGATE', launchType: 'FARGATE' })
    const onEc2 = await call('RunTask', { taskDefinition: 'web', launchType: 'EC2', capacityProviderStrategy: [] })
    expect(onEc2.tasks?.[0]?.launchType).toBe('EC2')
  })

  test('tags come from the definition, the request and ECS', async () => {
    const { call } = await testCluster()
    const tagged = { ...definitionOf(), family: 'tagged', tags: [{ key: 'from', value: 'definition' }] }
    await call('RegisterTaskDefinition', tagged)
    const { tasks = [] } = await call('RunTask', {
      taskDefinition: 'tagged',
      propagateTags: 'TASK_DEFINITION',
      enableECSManagedTags: true,
      tags: [{ key: 'own', value: 'yes' }],
    })
    expect(tasks[0]?.tags).toEqual([
      { key: 'from', value: 'definition' },
      { key: 'own', value: 'yes' },
      { key: 'aws:ecs:clusterName', value: 'default' },
    ])
  })

  test('overrides reach size, containers and the answer', async () => {
    const { call } = await testCluster()
    const { tasks = [] } = await call('RunTask', {
      taskDefinition: 'web',
      overrides: { containerOverrides: [{ name: 'app', cpu: 512, memory: 1024, command: ['sleep', '1'] }] },
    })
    expect(tasks[0]).toMatchObject({
      cpu: '512',
      memory: '1024',
      containers: [{ cpu: '512', memory: '1024' }],
      overrides: { containerOverrides: [{ name: 'app', command: ['sleep', '1'] }] },
    })
  })

  describe('with a client token', () => {
    const request = { taskDefinition: 'web', clientToken: 'once', count: 2 }

    test('the same request again gets the same tasks', async () => {
      const { call, cell } = await testCluster()
      const first = await call('RunTask', request)
      const second = await call('RunTask', { count: 2, clientToken: 'once', taskDefinition: 'web' })
      expect(second.tasks?.map(({ taskArn }) => taskArn)).toEqual(first.tasks?.map(({ taskArn }) => taskArn))
      expect(cell.tables.tasks.size).toBe(2)
    })

    test('another request is a conflict that names the tasks', async () => {
      const { call } = await testCluster()
      const first = await call('RunTask', request)
      await expect(call('RunTask', { ...request, count: 1 })).rejects.toMatchObject({
        code: 'ConflictException',
        fields: { resourceIds: first.tasks?.map(({ taskArn }) => taskArn) },
      })
    })

    test('a request that started nothing may be tried again', async () => {
      const { call, cell, put } = await testCluster({ hosts: 1, host: { agentConnected: false } })
      expect((await call('RunTask', request)).tasks).toEqual([])
      const host = cell.tables.hosts.get(hostIds[0] as string)
      if (host) await put('hosts', host.id, { ...host, agentConnected: true })
      expect((await call('RunTask', request)).tasks).toHaveLength(2)
    })
  })

  test.each([
    ['too many', { taskDefinition: 'web', count: 11 }, 'Count must be between 1 and 10, inclusive.'],
    ['none', { taskDefinition: 'web', count: 0 }, 'Count must be between 1 and 10, inclusive.'],
    ['an unknown definition', { taskDefinition: 'nobody' }, 'TaskDefinition not found.'],
    ['an unknown cluster', { taskDefinition: 'web', cluster: 'nowhere' }, 'Cluster not found.'],
    [
      'FARGATE without a network configuration',
      { taskDefinition: 'wide', launchType: 'FARGATE' as const },
      "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    ],
    [
      'a network configuration for a bridge',
      { taskDefinition: 'web', networkConfiguration: inOneSubnet },
      'Network Configuration is not valid for the given networkMode of this task definition.',
    ],
    [
      'both a launch type and a strategy',
      {
        taskDefinition: 'web',
        launchType: 'EC2' as const,
        capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
      },
      'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
    ],
    [
      'a platform version on EC2',
      { taskDefinition: 'web', platformVersion: 'LATEST' },
      'The platform version must be null when specifying an EC2 launch type.',
    ],
    [
      'an unknown platform version',
      {
        taskDefinition: 'wide',
        launchType: 'FARGATE' as const,
        platformVersion: '9.9',
        networkConfiguration: inOneSubnet,
      },
      'The specified platform does not exist.',
    ],
    [
      'constraints on FARGATE',
      {
        taskDefinition: 'wide',
        launchType: 'FARGATE' as const,
        networkConfiguration: inOneSubnet,
        placementConstraints: [{ type: 'distinctInstance' as const }],
      },
      'Placement constraints are not supported with FARGATE launch type.',
    ],
    [
      'a group of services',
      { taskDefinition: 'web', group: 'service:web' },
      "The task group name can not begin with 'service:'.",
    ],
    [
      'an override of nobody',
      { taskDefinition: 'web', overrides: { containerOverrides: [{ name: 'nobody' }] } },
      'Override for container named nobody is not a container in the TaskDefinition.',
    ],
    [
      'tags of a service',
      { taskDefinition: 'web', propagateTags: 'SERVICE' as const },
      'propagateTags can not be SERVICE: the task is not of a service.',
    ],
    [
      'volumes configured at launch',
      { taskDefinition: 'web', volumeConfigurations: [{ name: 'v' }] },
      'volumeConfigurations is not supported by Berth: it has no EBS volumes.',
    ],
  ])('%s is refused', async (_, input, message) => {
    const { call, cell } = await testCluster()
    await expect(call('RunTask', input)).rejects.toMatchObject({ message })
    expect(cell.tables.tasks.size).toBe(0)
  })

  test('a definition that cannot run as FARGATE is refused in the words that clients match', async () => {
    const { call } = await testCluster()
    await call('RegisterTaskDefinition', definitionOf(undefined, { family: 'bridged', networkMode: 'bridge' }))
    await expect(call('RunTask', { taskDefinition: 'bridged', launchType: 'FARGATE' })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'Task definition does not support launch_type FARGATE.',
    })
  })

  test('an expression that does not parse is refused', async () => {
    const { call } = await testCluster()
    const placementConstraints = [{ type: 'memberOf' as const, expression: 'attribute:x ==' }]
    await expect(call('RunTask', { taskDefinition: 'web', placementConstraints })).rejects.toMatchObject({
      code: 'InvalidParameterException',
    })
  })

  test('memberOf keeps to the hosts it names, and an INACTIVE definition starts nothing', async () => {
    const { call } = await testCluster()
    const placementConstraints = [
      { type: 'memberOf' as const, expression: 'attribute:ecs.availability-zone == zone-1' },
    ]
    const { tasks = [] } = await call('RunTask', { taskDefinition: 'web', placementConstraints, count: 2 })
    expect(tasks.map(({ availabilityZone }) => availabilityZone)).toEqual(['zone-1', 'zone-1'])
    await call('DeregisterTaskDefinition', { taskDefinition: 'web:1' })
    await expect(call('RunTask', { taskDefinition: 'web:1' })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'TaskDefinition is inactive',
    })
  })
})

describe('StartTask', () => {
  test('starts on the hosts that are named, and says of each other why not', async () => {
    const { call, cell, put } = await testCluster({ hosts: 2 })
    const full = cell.tables.hosts.get(hostIds[1] as string)
    if (full) await put('hosts', full.id, { ...full, cpu: 100 })
    const { tasks = [], failures = [] } = await call('StartTask', {
      taskDefinition: 'web',
      containerInstances: [...hostIds],
    })
    expect(tasks.map(({ containerInstanceArn }) => containerInstanceArn?.split('/').at(-1))).toEqual([hostIds[0]])
    expect(failures.map(({ arn, reason }) => [arn?.split('/').at(-1), reason])).toEqual([
      [hostIds[1], 'RESOURCE:CPU'],
      [hostIds[2], 'MISSING'],
    ])
  })

  test('needs hosts, and at most ten', async () => {
    const { call } = await testCluster()
    await expect(call('StartTask', { taskDefinition: 'web', containerInstances: [] })).rejects.toMatchObject({
      message: 'Container Instances cannot be empty.',
    })
    const containerInstances = Array<string>(11).fill(hostIds[0] as string)
    await expect(call('StartTask', { taskDefinition: 'web', containerInstances })).rejects.toMatchObject({
      message: 'Container Instances cannot have more than 10 elements.',
    })
  })
})

describe('StopTask', () => {
  test('asks the task to stop, with the reason, and takes its tags', async () => {
    const { call } = await testCluster()
    const { tasks = [] } = await call('RunTask', { taskDefinition: 'web', tags: [{ key: 'a', value: 'b' }] })
    const { task } = await call('StopTask', { task: tasks[0]?.taskArn as string })
    expect(task).toMatchObject({
      desiredStatus: 'STOPPED',
      lastStatus: 'PENDING',
      stopCode: 'UserInitiated',
      stoppedReason: 'Task stopped by user',
      tags: [],
      version: 2,
    })
    const again = await call('StopTask', { task: tasks[0]?.taskArn as string, reason: 'other' })
    expect(again.task).toMatchObject({ stoppedReason: 'Task stopped by user', version: 2 })
  })

  test('keeps the reason that is given', async () => {
    const { call } = await testCluster()
    const { tasks = [] } = await call('RunTask', { taskDefinition: 'web' })
    const { task } = await call('StopTask', { task: tasks[0]?.taskArn as string, reason: 'enough' })
    expect(task?.stoppedReason).toBe('enough')
  })

  test('a task that is not there is refused in the words that clients match', async () => {
    const { call } = await testCluster()
    await expect(call('StopTask', { task: 'f'.repeat(32) })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'The referenced task was not found.',
    })
  })
})

describe('DescribeTasks', () => {
  test('answers by id and by ARN, and says what is MISSING by its whole ARN', async () => {
    const { call } = await testCluster()
    const { tasks: [task] = [] } = await call('RunTask', { taskDefinition: 'web', tags: [{ key: 'a', value: 'b' }] })
    const id = task?.taskArn?.split('/').at(-1) as string
    const input = { tasks: [id, task?.taskArn as string, 'f'.repeat(32)] }
    const described = await call('DescribeTasks', input)
    expect(described.tasks?.map(({ taskArn, tags }) => [taskArn, tags])).toEqual([[task?.taskArn, []]])
    expect(described.failures).toEqual([
      { arn: `arn:aws:ecs:us-east-1:123456789012:task/default/${'f'.repeat(32)}`, reason: 'MISSING' },
    ])
    const tagged = await call('DescribeTasks', { ...input, include: ['TAGS'] })
    expect(tagged.tasks?.[0]?.tags).toEqual([{ key: 'a', value: 'b' }])
  })

  test('takes one to a hundred', async () => {
    const { call } = await testCluster()
    await expect(call('DescribeTasks', { tasks: [] })).rejects.toMatchObject({
      message: 'Tasks cannot be empty.',
    })
    await expect(call('DescribeTasks', { tasks: Array<string>(101).fill('x') })).rejects.toMatchObject({
      code: 'InvalidParameterException',
    })
  })
})

describe('ListTasks', () => {
  test('filters by what is asked, and by RUNNING where nothing is', async () => {
    const { call } = await testCluster()
    const one = async (input: EcsInput<'RunTask'>) => (await call('RunTask', input)).tasks?.[0]?.taskArn as string
    const mine = await one({ taskDefinition: 'web', startedBy: 'me' })
    const fargate = await one({
      taskDefinition: 'wide',
      launchType: 'FARGATE',
      networkConfiguration: inOneSubnet,
    })
    const stopping = await one({ taskDefinition: 'web' })
    await call('StopTask', { task: stopping })
    const list = async (input: EcsInput<'ListTasks'>) => (await call('ListTasks', input)).taskArns?.sort()

    expect(await list({})).toEqual([mine, fargate].sort())
    expect(await list({ desiredStatus: 'STOPPED' })).toEqual([stopping])
    expect(await list({ desiredStatus: 'PENDING' })).toEqual([])
    expect(await list({ startedBy: 'me' })).toEqual([mine])
    expect(await list({ family: 'wide' })).toEqual([fargate])
    expect(await list({ launchType: 'EC2' })).toEqual([mine])
    const onHosts = await Promise.all(hostIds.slice(0, 2).map((containerInstance) => list({ containerInstance })))
    expect(onHosts.flat()).toEqual([mine])
    await expect(list({ startedBy: 'me', family: 'web' })).rejects.toMatchObject({
      code: 'InvalidParameterException',
    })
    await expect(list({ serviceName: 'nobody' })).rejects.toMatchObject({ code: 'ServiceNotFoundException' })
  })

  test('pages hold every task once', async () => {
    const { call } = await testCluster()
    await call('RunTask', { taskDefinition: 'web', count: 7 })
    const seen: string[] = []
    let nextToken: string | undefined
    do {
      const page = await call('ListTasks', { maxResults: 3, ...(nextToken !== undefined && { nextToken }) })
      expect(page.taskArns?.length).toBeLessThanOrEqual(3)
      seen.push(...(page.taskArns ?? []))
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    expect(new Set(seen).size).toBe(7)
    expect(seen).toHaveLength(7)
  })
})

test('without a cluster there is nothing to ask', async () => {
  const plane = testControlPlane()
  await expect(callOperations(plane, ecsHandlers(plane.deps))('ListTasks', {})).rejects.toMatchObject({
    code: 'ClusterNotFoundException',
  })
})
