import { describe, expect, test } from 'vitest'
import type { ServiceRecord } from '../../cell/records.ts'
import { appendServiceEvent } from '../../cell/service-changes.ts'
import type { EcsInput } from '../operation.ts'
import { container, definitionOf } from './testing/definitions.ts'
import { taskRecord } from './testing/records.ts'
import { inOneSubnet, testCluster } from './testing/test-cluster.ts'

const web: EcsInput<'CreateService'> = { serviceName: 'shop', taskDefinition: 'web', desiredCount: 2 }

describe('CreateService', () => {
  test('answers with everything that ECS always shows, and one deployment to come', async () => {
    const { call } = await testCluster()
    const { service } = await call('CreateService', web)
    expect(service).toMatchObject({
      serviceArn: 'arn:aws:ecs:us-east-1:123456789012:service/default/shop',
      clusterArn: 'arn:aws:ecs:us-east-1:123456789012:cluster/default',
      status: 'ACTIVE',
      desiredCount: 2,
      runningCount: 0,
      pendingCount: 0,
      launchType: 'EC2',
      taskDefinition: 'arn:aws:ecs:us-east-1:123456789012:task-definition/web:1',
      schedulingStrategy: 'REPLICA',
      deploymentController: { type: 'ECS' },
      deploymentConfiguration: {
        deploymentCircuitBreaker: { enable: false, rollback: false },
        maximumPercent: 200,
        minimumHealthyPercent: 100,
        strategy: 'ROLLING',
        bakeTimeInMinutes: 0,
      },
      loadBalancers: [],
      serviceRegistries: [],
      placementConstraints: [],
      placementStrategy: [],
      events: [],
      tags: [],
      enableECSManagedTags: false,
      enableExecuteCommand: false,
      propagateTags: 'NONE',
      availabilityZoneRebalancing: 'ENABLED',
      createdBy: 'arn:aws:iam::123456789012:root',
    })
    expect(service).not.toHaveProperty('capacityProviderStrategy')
    expect(service?.deployments).toMatchObject([
      {
        status: 'PRIMARY',
        desiredCount: 2,
        runningCount: 0,
        pendingCount: 0,
        failedTasks: 0,
        launchType: 'EC2',
        rolloutState: 'IN_PROGRESS',
      },
    ])
    const id = service?.deployments?.[0]?.id
    expect(id).toMatch(/^ecs-svc\/\d{19}$/)
    expect(service?.deployments?.[0]?.rolloutStateReason).toBe(`ECS deployment ${id} in progress.`)
  })

  test("takes the files of ECS's documentation: FARGATE with a definition that names neither size nor network mode", async () => {
    const { call, cell } = await testCluster()
    await call('RegisterTaskDefinition', {
      family: 'my-app-task',
      containerDefinitions: [
        {
          name: 'my-app-container',
          image: 'my-app-image:latest',
          memory: 512,
          cpu: 256,
          essential: true,
          portMappings: [{ containerPort: 80, hostPort: 80 }],
        },
      ],
    })
    const { service } = await call('CreateService', {
      serviceName: 'my-app-service',
      taskDefinition: 'my-app-task',
      desiredCount: 3,
      launchType: 'FARGATE',
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: ['subnet-abc123', 'subnet-def456'],
          securityGroups: ['sg-123abc'],
          assignPublicIp: 'ENABLED',
        },
      },
    })
    expect(service).toMatchObject({
      launchType: 'FARGATE',
      platformVersion: 'LATEST',
      platformFamily: 'Linux',
      networkConfiguration: { awsvpcConfiguration: { securityGroups: ['sg-123abc'], assignPublicIp: 'ENABLED' } },
      deployments: [{ platformVersion: '1.4.0', launchType: 'FARGATE' }],
    })
    expect(cell.tables.services.get('default/my-app-service')?.desiredCount).toBe(3)
  })

  test('again, with the same words, it changes nothing; with others it is refused', async () => {
    const { call, cell } = await testCluster()
    const first = await call('CreateService', { ...web, clientToken: 'once' })
    const second = await call('CreateService', { ...web, clientToken: 'once' })
    expect(second.service?.deployments?.[0]?.id).toBe(first.service?.deployments?.[0]?.id)
    expect(cell.tables.services.size).toBe(1)
    await expect(call('CreateService', { ...web, desiredCount: 3 })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'Creation of service was not idempotent.',
    })
  })

  test('a name is free again once its service is INACTIVE, and the new one starts without the events of the old', async () => {
    const { call, cell, deps, put } = await testCluster()
    await call('CreateService', web)
    const old = cell.tables.services.get('default/shop') as ServiceRecord
    await cell.transact((tx) => appendServiceEvent(tx, deps, old, '(service shop) is old.'))
    await put('services', 'default/shop', { ...old, status: 'DRAINING' })
    await expect(call('CreateService', web)).rejects.toMatchObject({
      message: 'Creation of service was not idempotent.',
    })
    await put('services', 'default/shop', { ...old, status: 'INACTIVE' })
    const { service } = await call('CreateService', { ...web, desiredCount: 1 })
    expect(service).toMatchObject({ status: 'ACTIVE', desiredCount: 1, events: [] })
  })

  test('a strategy stands in place of the launch type, and is answered with its defaults', async () => {
    const { call } = await testCluster()
    const { service } = await call('CreateService', {
      serviceName: 'shop',
      taskDefinition: 'wide',
      desiredCount: 1,
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
      networkConfiguration: inOneSubnet,
    })
    expect(service).toMatchObject({
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1, base: 0 }],
      deployments: [{ capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1, base: 0 }] }],
    })
    expect(service?.launchType).toBeUndefined()
  })

  test('placement comes back as ECS writes it', async () => {
    const { call } = await testCluster()
    const { service } = await call('CreateService', {
      ...web,
      placementStrategy: [
        { type: 'spread', field: 'attribute:ecs.availability-zone' },
        { type: 'spread', field: 'host' },
        { type: 'binpack', field: 'MEMORY' },
        { type: 'random' },
      ],
      placementConstraints: [{ type: 'distinctInstance' }],
    })
    expect(service?.placementStrategy).toEqual([
      { type: 'spread', field: 'attribute:ecs.availability-zone' },
      { type: 'spread', field: 'instanceId' },
      { type: 'binpack', field: 'memory' },
      { type: 'random' },
    ])
    expect(service?.placementConstraints).toEqual([{ type: 'distinctInstance' }])
  })

  test('a DAEMON service has no count and its own percentages', async () => {
    const { call } = await testCluster()
    const { service } = await call('CreateService', {
      serviceName: 'agent',
      taskDefinition: 'web',
      schedulingStrategy: 'DAEMON',
    })
    expect(service).toMatchObject({
      desiredCount: 0,
      availabilityZoneRebalancing: 'DISABLED',
      deploymentConfiguration: { maximumPercent: 100, minimumHealthyPercent: 0 },
    })
  })

  test('empty lists beside what they exclude ask for nothing', async () => {
    const { call } = await testCluster()
    const { service } = await call('CreateService', {
      ...web,
      launchType: 'EC2',
      capacityProviderStrategy: [],
      loadBalancers: [],
      serviceRegistries: [],
      volumeConfigurations: [],
      vpcLatticeConfigurations: [],
      serviceConnectConfiguration: { enabled: false },
      deploymentController: { type: 'ECS' },
    })
    expect(service?.status).toBe('ACTIVE')
  })

  test.each<[string, Partial<EcsInput<'CreateService'>>, string, string]>([
    ['a bad name', { serviceName: 'a b' }, 'InvalidParameterException', 'Invalid service name'],
    [
      'no count',
      { desiredCount: undefined },
      'InvalidParameterException',
      'The replica scheduling strategy requires a desired count',
    ],
    ['less than none', { desiredCount: -1 }, 'InvalidParameterException', 'desiredCount cannot be negative'],
    ['no definition', { taskDefinition: undefined }, 'InvalidParameterException', 'TaskDefinition can not be blank.'],
    ['an unknown definition', { taskDefinition: 'nobody' }, 'ClientException', 'TaskDefinition not found.'],
    ['an unknown cluster', { cluster: 'nowhere' }, 'ClusterNotFoundException', 'Cluster not found.'],
    [
      'a count for DAEMON',
      { schedulingStrategy: 'DAEMON' },
      'InvalidParameterException',
      'The daemon scheduling strategy does not support a desired count for services.',
    ],
    [
      'a target group',
      { loadBalancers: [{ targetGroupArn: 'arn:tg', containerName: 'app', containerPort: 80 }] },
      'InvalidParameterException',
      'The target group with targetGroupArn arn:tg does not exist',
    ],
    [
      'a service registry',
      { serviceRegistries: [{ registryArn: 'arn:sr' }] },
      'InvalidParameterException',
      'The service registry arn:sr does not exist',
    ],
    [
      'a classic load balancer',
      { loadBalancers: [{ loadBalancerName: 'lb', containerName: 'app', containerPort: 80 }] },
      'InvalidParameterException',
      'The load balancer lb does not exist',
    ],
    [
      'VPC Lattice',
      { vpcLatticeConfigurations: [{ roleArn: 'arn:r', targetGroupArn: 'arn:tg', portName: 'http' }] },
      'ClientException',
      'vpcLatticeConfigurations is not supported by Berth',
    ],
    [
      'alarms that are to be watched',
      { deploymentConfiguration: { alarms: { alarmNames: ['a'], enable: true, rollback: false } } },
      'ClientException',
      'deploymentConfiguration.alarms is not supported by Berth',
    ],
    [
      'a grace period below nothing',
      { healthCheckGracePeriodSeconds: -1 },
      'InvalidParameterException',
      'healthCheckGracePeriodSeconds must be between 0 and 2147483647.',
    ],
    [
      'Service Connect',
      { serviceConnectConfiguration: { enabled: true } },
      'ClientException',
      'serviceConnectConfiguration is not supported by Berth',
    ],
    [
      'CODE_DEPLOY',
      { deploymentController: { type: 'CODE_DEPLOY' } },
      'ClientException',
      "deploymentController.type 'CODE_DEPLOY' is not supported by Berth",
    ],
    [
      'a launch type that Berth has no hosts for',
      { launchType: 'EXTERNAL' },
      'ClientException',
      "launchType 'EXTERNAL' is not supported by Berth",
    ],
    [
      'a provider that the cluster does not have',
      { cluster: 'bare', capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }] },
      'InvalidParameterException',
      'The specified capacity provider strategy cannot contain a capacity provider that is not associated',
    ],
    [
      'rebalancing that cannot be',
      { availabilityZoneRebalancing: 'ENABLED', placementStrategy: [{ type: 'random' }] },
      'InvalidParameterException',
      'Availability Zone rebalancing is not supported',
    ],
    [
      'a deployment that could not go on',
      { deploymentConfiguration: { maximumPercent: 100, minimumHealthyPercent: 100 } },
      'InvalidParameterException',
      'Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.',
    ],
  ])('%s is refused', async (_, more, code, message) => {
    const { call, cell } = await testCluster()
    await call('CreateCluster', { clusterName: 'bare' })
    await expect(call('CreateService', { ...web, ...more })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    })
    expect(cell.tables.services.size).toBe(0)
  })
})

describe('UpdateService', () => {
  test('a count changes the deployment that there is', async () => {
    const { call } = await testCluster()
    const created = await call('CreateService', web)
    const { service } = await call('UpdateService', { service: 'shop', desiredCount: 5 })
    expect(service).toMatchObject({ desiredCount: 5, deployments: [{ desiredCount: 5, status: 'PRIMARY' }] })
    expect(service?.deployments?.[0]?.id).toBe(created.service?.deployments?.[0]?.id)
  })

  test('another definition begins a deployment, and the one before stays until its tasks are gone', async () => {
    const { call } = await testCluster()
    const created = await call('CreateService', web)
    await call('RegisterTaskDefinition', definitionOf([container({ image: 'newer' })]))
    const { service } = await call('UpdateService', { service: 'shop', taskDefinition: 'web' })
    expect(service?.taskDefinition).toMatch(/web:2$/)
    expect(service?.deployments).toMatchObject([
      { status: 'PRIMARY', desiredCount: 2, rolloutState: 'IN_PROGRESS' },
      { status: 'ACTIVE', id: created.service?.deployments?.[0]?.id },
    ])
  })

  test('the same definition begins none, unless it is forced', async () => {
    const { call } = await testCluster()
    await call('CreateService', web)
    const same = await call('UpdateService', { service: 'shop', taskDefinition: 'web:1' })
    expect(same.service?.deployments).toHaveLength(1)
    const forced = await call('UpdateService', { service: 'shop', forceNewDeployment: true })
    expect(forced.service?.deployments).toHaveLength(2)
  })

  test('a FARGATE service that is only scaled begins none either', async () => {
    const { call } = await testCluster()
    await call('CreateService', {
      ...web,
      taskDefinition: 'wide',
      launchType: 'FARGATE',
      networkConfiguration: inOneSubnet,
    })
    const scaled = await call('UpdateService', { service: 'shop', desiredCount: 1 })
    expect(scaled.service?.deployments).toMatchObject([{ platformVersion: '1.4.0' }])
    expect(scaled.service?.platformVersion).toBe('LATEST')
    const moved = await call('UpdateService', {
      service: 'shop',
      networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-2'] } },
    })
    expect(moved.service?.deployments).toHaveLength(2)
    expect(moved.service?.networkConfiguration?.awsvpcConfiguration?.subnets).toEqual(['subnet-2'])
  })

  test('what is not named stays, and an empty list takes away', async () => {
    const { call } = await testCluster()
    await call('CreateService', {
      ...web,
      placementConstraints: [{ type: 'distinctInstance' }],
      deploymentConfiguration: { maximumPercent: 150, minimumHealthyPercent: 50 },
      enableECSManagedTags: true,
      propagateTags: 'SERVICE',
    })
    const kept = await call('UpdateService', { service: 'shop', deploymentConfiguration: { maximumPercent: 175 } })
    expect(kept.service).toMatchObject({
      placementConstraints: [{ type: 'distinctInstance' }],
      deploymentConfiguration: { maximumPercent: 175, minimumHealthyPercent: 50 },
      enableECSManagedTags: true,
      propagateTags: 'SERVICE',
    })
    const emptied = await call('UpdateService', { service: 'shop', placementConstraints: [] })
    expect(emptied.service?.placementConstraints).toEqual([])
  })

  test('a move to capacity that the definition cannot run on is refused', async () => {
    const { call } = await testCluster()
    await call('RegisterTaskDefinition', definitionOf(undefined, { family: 'bridged', networkMode: 'bridge' }))
    await call('CreateService', { ...web, taskDefinition: 'bridged' })
    const capacityProviderStrategy = [{ capacityProvider: 'FARGATE', weight: 1 }]
    await expect(call('UpdateService', { service: 'shop', capacityProviderStrategy })).rejects.toMatchObject({
      message: 'Task definition does not support launch_type FARGATE.',
    })
  })

  test('a service that is not there, or not ACTIVE, is refused in the words that clients match', async () => {
    const { call } = await testCluster()
    await expect(call('UpdateService', { service: 'shop', desiredCount: 1 })).rejects.toMatchObject({
      code: 'ServiceNotFoundException',
      message: 'Service not found.',
    })
    await call('CreateService', web)
    await call('DeleteService', { service: 'shop', force: true })
    await expect(call('UpdateService', { service: 'shop', desiredCount: 1 })).rejects.toMatchObject({
      code: 'ServiceNotActiveException',
      message: 'Service was not ACTIVE.',
    })
  })
})

describe('DescribeServices', () => {
  test('counts tasks by where they are, of the service and of each deployment', async () => {
    const { call, put } = await testCluster()
    const created = await call('CreateService', web)
    const deploymentId = created.service?.deployments?.[0]?.id as string
    const ofService = { serviceName: 'shop', deploymentId }
    await put('tasks', '1', taskRecord('1', { ...ofService, lastStatus: 'RUNNING' }))
    await put('tasks', '2', taskRecord('2', { ...ofService, lastStatus: 'ACTIVATING' }))
    await put('tasks', '3', taskRecord('3', { ...ofService, lastStatus: 'STOPPED', desiredStatus: 'STOPPED' }))
    await put('tasks', '4', taskRecord('4', { ...ofService, deploymentId: 'ecs-svc/1' }))
    const { services } = await call('DescribeServices', { services: ['shop'] })
    expect(services).toMatchObject([
      { runningCount: 2, pendingCount: 1, deployments: [{ runningCount: 1, pendingCount: 1 }] },
    ])
  })

  test('shows the newest events first', async () => {
    const { call, cell, deps, clock } = await testCluster()
    await call('CreateService', web)
    const service = cell.tables.services.get('default/shop') as ServiceRecord
    for (const message of ['first', 'second']) {
      await cell.transact((tx) => appendServiceEvent(tx, deps, service, message))
      await clock.advanceBy(1000)
    }
    const { services } = await call('DescribeServices', { services: [service.arn] })
    expect(services?.[0]?.events?.map(({ message }) => message)).toEqual(['second', 'first'])
    expect(services?.[0]?.events?.[0]?.id).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('tags are shown when asked for, and what is not there is MISSING', async () => {
    const { call } = await testCluster()
    await call('CreateService', { ...web, tags: [{ key: 'a', value: 'b' }] })
    const described = await call('DescribeServices', { services: ['shop', 'none'], include: ['TAGS'] })
    expect(described.services?.[0]?.tags).toEqual([{ key: 'a', value: 'b' }])
    expect(described.failures).toEqual([
      { arn: 'arn:aws:ecs:us-east-1:123456789012:service/default/none', reason: 'MISSING' },
    ])
    const untagged = await call('DescribeServices', { services: ['shop'] })
    expect(untagged.services?.[0]?.tags).toEqual([])
  })

  test('takes one to ten', async () => {
    const { call } = await testCluster()
    await expect(call('DescribeServices', { services: [] })).rejects.toMatchObject({
      message: 'Services cannot be empty.',
    })
    const services = Array.from({ length: 11 }, (_, index) => `s${index}`)
    await expect(call('DescribeServices', { services })).rejects.toMatchObject({ code: 'InvalidParameterException' })
  })
})

describe('ListServices', () => {
  test('gives ten a page, filtered, and none that is being deleted', async () => {
    const { call } = await testCluster()
    for (let index = 0; index < 12; index++)
      await call('CreateService', { ...web, serviceName: `s${String(index).padStart(2, '0')}`, desiredCount: 0 })
    await call('CreateService', { serviceName: 'daemon', taskDefinition: 'web', schedulingStrategy: 'DAEMON' })
    await call('DeleteService', { service: 's00' })
    const first = await call('ListServices', {})
    expect(first.serviceArns).toHaveLength(10)
    const second = await call('ListServices', { nextToken: first.nextToken })
    expect(second.serviceArns).toHaveLength(2)
    expect(second.nextToken).toBeUndefined()
    expect([...(first.serviceArns ?? []), ...(second.serviceArns ?? [])].some((arn) => arn.endsWith('/s00'))).toBe(
      false,
    )
    const daemons = await call('ListServices', { schedulingStrategy: 'DAEMON' })
    expect(daemons.serviceArns).toEqual(['arn:aws:ecs:us-east-1:123456789012:service/default/daemon'])
    expect((await call('ListServices', { launchType: 'FARGATE' })).serviceArns).toEqual([])
  })
})

describe('DeleteService', () => {
  test('is refused above 0 in the words that clients match, unless forced; then the service drains', async () => {
    const { call } = await testCluster()
    await call('CreateService', web)
    await expect(call('DeleteService', { service: 'shop' })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'The service cannot be stopped while it is scaled above 0.',
    })
    const { service } = await call('DeleteService', { service: 'shop', force: true })
    expect(service).toMatchObject({ status: 'DRAINING', desiredCount: 0, deployments: [{ desiredCount: 0 }] })
    expect((await call('DeleteService', { service: 'shop' })).service?.status).toBe('DRAINING')
  })

  test('is quick at 0, and a service that is not there is not found', async () => {
    const { call } = await testCluster()
    await call('CreateService', { ...web, desiredCount: 0 })
    expect((await call('DeleteService', { service: 'shop' })).service?.status).toBe('DRAINING')
    await expect(call('DeleteService', { service: 'other' })).rejects.toMatchObject({
      code: 'ServiceNotFoundException',
    })
  })
})
