import { describe, expect, it } from 'vitest'
import { hostRecord } from './testing/records.ts'
import { container, definitionOf, fargateDefinition } from './testing/definitions.ts'
import { inOneSubnet, testCluster } from './testing/test-cluster.ts'

const elsewhere = 'd'.repeat(32)

/** As `testCluster`, with another cluster `other` beside it that has a host of its own. */
async function twoClusters() {
  const plane = await testCluster()
  await plane.call('CreateCluster', { clusterName: 'other' })
  await plane.put('hosts', elsewhere, hostRecord(elsewhere, { cluster: 'other', cpu: 1024, memoryMib: 2048 }))
  await plane.call('RegisterTaskDefinition', definitionOf([container()], { family: 'small' }))
  return plane
}

describe('members of a request that few clients send', () => {
  it('the cluster that is named is meant, and not `default`, in all that is asked of hosts', async () => {
    const { call } = await twoClusters()
    const cluster = 'other'
    const { containerInstanceArns } = await call('ListContainerInstances', { cluster })
    expect(containerInstanceArns).toEqual([expect.stringContaining(`other/${elsewhere}`)])
    const containerInstances = [elsewhere]
    expect((await call('DescribeContainerInstances', { cluster, containerInstances })).failures).toEqual([])
    expect((await call('DescribeContainerInstances', { containerInstances })).failures).toHaveLength(1)

    const attributes = [{ name: 'rack', value: '7', targetType: 'container-instance' as const, targetId: elsewhere }]
    await call('PutAttributes', { cluster, attributes })
    const listed = () => call('ListAttributes', { cluster, targetType: 'container-instance', attributeName: 'rack' })
    expect((await listed()).attributes).toMatchObject([{ name: 'rack', value: '7' }])
    await call('DeleteAttributes', { cluster, attributes })
    expect((await listed()).attributes).toEqual([])

    const drained = await call('UpdateContainerInstancesState', { cluster, containerInstances, status: 'DRAINING' })
    expect(drained.containerInstances).toMatchObject([{ status: 'DRAINING' }])
  })

  it('the cluster that is named is meant, and not `default`, in all that is asked of tasks and services', async () => {
    const { call } = await twoClusters()
    const cluster = 'other'
    const { tasks = [] } = await call('StartTask', {
      cluster,
      taskDefinition: 'small',
      containerInstances: [elsewhere],
    })
    const task = tasks[0]?.taskArn ?? ''
    expect(task).toContain(':task/other/')
    expect((await call('StopTask', { cluster, task })).task).toMatchObject({ desiredStatus: 'STOPPED' })

    await call('CreateService', { cluster, serviceName: 'web', taskDefinition: 'small', desiredCount: 1 })
    expect((await call('ListServices', { cluster })).serviceArns).toHaveLength(1)
    expect((await call('ListServices', {})).serviceArns).toEqual([])
    const deployments = await call('ListServiceDeployments', { cluster, service: 'web' })
    expect(deployments.serviceDeployments).toHaveLength(1)
  })

  it('a StartTask says of its tasks what a RunTask does', async () => {
    const { call } = await testCluster()
    const [host = ''] = (await call('ListContainerInstances', {})).containerInstanceArns ?? []
    const { tasks, failures } = await call('StartTask', {
      taskDefinition: 'web',
      containerInstances: [host],
      enableECSManagedTags: true,
      enableExecuteCommand: true,
      group: 'mine',
      overrides: { containerOverrides: [{ name: 'app', command: ['x'] }] },
      propagateTags: 'TASK_DEFINITION',
      referenceId: 'r-1',
      startedBy: 'me',
      tags: [{ key: 'team', value: 'blue' }],
    })
    expect(failures).toEqual([])
    expect(tasks).toMatchObject([
      {
        containerInstanceArn: host,
        enableExecuteCommand: true,
        group: 'mine',
        startedBy: 'me',
        overrides: { containerOverrides: [{ name: 'app', command: ['x'] }] },
        tags: [
          { key: 'team', value: 'blue' },
          { key: 'aws:ecs:clusterName', value: 'default' },
        ],
      },
    ])
  })

  it('a StartTask in network mode awsvpc takes its network configuration', async () => {
    const { call } = await testCluster()
    const definition = definitionOf([container()], { family: 'own-address', networkMode: 'awsvpc' })
    await call('RegisterTaskDefinition', definition)
    const [host = ''] = (await call('ListContainerInstances', {})).containerInstanceArns ?? []
    const start = { taskDefinition: 'own-address', containerInstances: [host] }
    await expect(call('StartTask', start)).rejects.toThrow('Network Configuration must be provided')
    const { tasks } = await call('StartTask', { ...start, networkConfiguration: inOneSubnet })
    expect(tasks?.[0]?.attachments).toMatchObject([{ type: 'ElasticNetworkInterface' }])
  })

  it('a task is answered with the roles, files and switches that it was run with', async () => {
    const { call } = await testCluster()
    const environmentFiles = [{ type: 's3' as const, value: 'arn:aws:s3:::bucket/more.env' }]
    const { tasks } = await call('RunTask', {
      taskDefinition: 'web',
      enableExecuteCommand: true,
      referenceId: 'r-1',
      overrides: {
        executionRoleArn: 'arn:aws:iam::123456789012:role/pull',
        taskRoleArn: 'arn:aws:iam::123456789012:role/work',
        containerOverrides: [{ name: 'app', environmentFiles }],
      },
    })
    expect(tasks).toMatchObject([
      {
        enableExecuteCommand: true,
        overrides: {
          executionRoleArn: 'arn:aws:iam::123456789012:role/pull',
          taskRoleArn: 'arn:aws:iam::123456789012:role/work',
          containerOverrides: [{ name: 'app', environmentFiles }],
        },
      },
    ])
    await expect(call('RunTask', { taskDefinition: 'web', referenceId: 'x'.repeat(1025) })).rejects.toThrow(
      'referenceId can have at most 1024 characters.',
    )
  })

  it('a service is answered with its role, its switches and what its hooks were given', async () => {
    const { call } = await testCluster()
    const hook = {
      targetType: 'PAUSE' as const,
      lifecycleStages: ['POST_SCALE_UP' as const],
      hookDetails: { why: 'look at it' },
      timeoutConfiguration: { timeoutInMinutes: 10, action: 'CONTINUE' as const },
    }
    const deploymentConfiguration = { lifecycleHooks: [hook] }
    const named = { serviceName: 'web', taskDefinition: 'web', desiredCount: 1, role: 'ecsServiceRole' }
    const { service } = await call('CreateService', { ...named, deploymentConfiguration })
    expect(service).toMatchObject({
      roleArn: expect.stringContaining('ecsServiceRole') as string,
      deploymentConfiguration,
    })
    const changes = { enableExecuteCommand: true, availabilityZoneRebalancing: 'DISABLED' as const }
    const updated = await call('UpdateService', { service: 'web', ...changes })
    expect(updated.service).toMatchObject(changes)
    await expect(call('UpdateService', { service: 'web', deploymentController: { type: 'EXTERNAL' } })).rejects.toThrow(
      'Changing the deployment controller of a service, here from ECS to EXTERNAL',
    )
    await expect(
      call('UpdateService', {
        service: 'web',
        deploymentConfiguration: { lifecycleHooks: [{ ...hook, roleArn: 'arn:aws:iam::1:role/r' }] },
      }),
    ).rejects.toThrow('hookTargetArn and roleArn are not applicable')
  })

  it('a task set is answered with all that it was made with, and is made once for one token', async () => {
    const { call } = await testCluster()
    await call('CreateService', { serviceName: 'web', desiredCount: 1, deploymentController: { type: 'EXTERNAL' } })
    const request = {
      cluster: 'default',
      service: 'web',
      taskDefinition: 'wide',
      externalId: 'blue',
      networkConfiguration: inOneSubnet,
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1, base: 0 }],
      platformVersion: '1.4.0',
      clientToken: 'once',
      tags: [{ key: 'team', value: 'blue' }],
    }
    const { taskSet } = await call('CreateTaskSet', request)
    expect(taskSet).toMatchObject({
      externalId: 'blue',
      networkConfiguration: inOneSubnet,
      capacityProviderStrategy: request.capacityProviderStrategy,
      platformVersion: '1.4.0',
      tags: request.tags,
    })
    expect((await call('CreateTaskSet', request)).taskSet?.id).toBe(taskSet?.id)
  })

  it('a deployment is stopped with a rollback, or without', async () => {
    const { call } = await testCluster()
    await call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 1 })
    const [deployment] = (await call('ListServiceDeployments', { service: 'web' })).serviceDeployments ?? []
    const serviceDeploymentArn = deployment?.serviceDeploymentArn ?? ''
    await expect(call('StopServiceDeployment', { serviceDeploymentArn, stopType: 'ROLLBACK' })).rejects.toMatchObject({
      code: 'ClientException',
    })
    const stopped = await call('StopServiceDeployment', { serviceDeploymentArn, stopType: 'ABORT' })
    expect(stopped).toEqual({ serviceDeploymentArn })
  })

  it('a cluster keeps how commands in it are to be logged', async () => {
    const { call } = await testCluster()
    const configuration = {
      executeCommandConfiguration: {
        kmsKeyId: 'key',
        logging: 'OVERRIDE' as const,
        logConfiguration: {
          cloudWatchLogGroupName: 'group',
          cloudWatchEncryptionEnabled: true,
          s3BucketName: 'bucket',
          s3EncryptionEnabled: true,
          s3KeyPrefix: 'prefix',
        },
      },
    }
    await call('CreateCluster', { clusterName: 'logged', configuration })
    const described = await call('DescribeClusters', { clusters: ['logged'], include: ['CONFIGURATIONS'] })
    expect(described.clusters).toMatchObject([{ configuration }])
  })

  it('the capacity providers of a cluster are those of all, and have no tags', async () => {
    const { call } = await testCluster()
    const all = await call('DescribeCapacityProviders', {})
    expect(await call('DescribeCapacityProviders', { cluster: 'default', include: ['TAGS'] })).toEqual(all)
  })

  it('a definition is answered with its execution role and the protocol of its ports', async () => {
    const { call } = await testCluster()
    const portMappings = [{ containerPort: 80, name: 'http', appProtocol: 'http2' as const }]
    const { taskDefinition } = await call(
      'RegisterTaskDefinition',
      fargateDefinition({
        executionRoleArn: 'arn:aws:iam::123456789012:role/pull',
        containerDefinitions: [container({ portMappings })],
      }),
    )
    expect(taskDefinition).toMatchObject({
      executionRoleArn: 'arn:aws:iam::123456789012:role/pull',
      containerDefinitions: [{ portMappings }],
    })
  })

  it('lists come in pages of the size that is asked for, whatever they are of', async () => {
    const { call } = await testCluster()
    const names = ['a', 'b', 'c']
    for (const serviceName of names)
      await call('CreateService', { serviceName, taskDefinition: 'web', desiredCount: 0 })
    for (const family of names) await call('RegisterTaskDefinition', definitionOf([container()], { family }))
    const pages = async <Page extends { nextToken?: string | undefined }>(
      ask: (nextToken?: string) => Promise<Page>,
    ) => {
      const all: Page[] = [await ask()]
      for (let token = all[0]?.nextToken; token !== undefined; token = all.at(-1)?.nextToken) all.push(await ask(token))
      return all
    }
    const services = await pages((nextToken) =>
      call('ListServices', { maxResults: 2, nextToken, resourceManagementType: 'CUSTOMER' }),
    )
    expect(services.map(({ serviceArns }) => serviceArns?.length)).toEqual([2, 1])
    expect((await call('ListServices', { resourceManagementType: 'ECS' })).serviceArns).toEqual([])
    const definitions = await pages((nextToken) => call('ListTaskDefinitions', { maxResults: 2, nextToken }))
    expect(definitions.map(({ taskDefinitionArns }) => taskDefinitionArns?.length)).toEqual([2, 2, 1])
    const attributes = await pages((nextToken) =>
      call('ListAttributes', { targetType: 'container-instance', maxResults: 4, nextToken }),
    )
    expect(attributes.map((page) => page.attributes?.length)).toEqual([4, 4, 2])
  })

  it('definitions are listed by family, status and order', async () => {
    const { call } = await testCluster()
    await call('RegisterTaskDefinition', definitionOf([container()], { family: 'web' }))
    await call('DeregisterTaskDefinition', { taskDefinition: 'web:1' })
    const listed = async (members: object) =>
      (await call('ListTaskDefinitions', { familyPrefix: 'web', ...members })).taskDefinitionArns?.map((arn) =>
        arn.split(':').at(-1),
      )
    expect(await listed({ status: 'INACTIVE' })).toEqual(['1'])
    await call('RegisterTaskDefinition', definitionOf([container()], { family: 'web' }))
    expect(await listed({ sort: 'DESC' })).toEqual(['3', '2'])
  })
})
