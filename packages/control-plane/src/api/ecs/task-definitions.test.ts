import { beforeEach, describe, expect, it } from 'vitest'
import { deletableTaskDefinitions } from '../../cell/deletable-task-definitions.ts'
import { taskDefinitionHandlers } from './task-definitions.ts'
import { type CallOperation, callOperations } from './testing/call-operation.ts'
import { container, definitionOf, fargateDefinition } from './testing/definitions.ts'
import { deploymentRecord, serviceRecord, taskRecord } from './testing/records.ts'
import { type TestControlPlane, testControlPlane, testPrincipal } from './testing/test-control-plane.ts'

let plane: TestControlPlane
let call: CallOperation
beforeEach(() => {
  plane = testControlPlane()
  call = callOperations(plane, taskDefinitionHandlers(plane.deps))
})

const arn = (name: string) => `arn:aws:ecs:us-east-1:123456789012:task-definition/${name}`
const register = (family = 'web') => call('RegisterTaskDefinition', definitionOf([container()], { family }))
const names = (arns: readonly string[] | undefined) => arns?.map((one) => one.split('/')[1])

describe('RegisterTaskDefinition', () => {
  it('answers with ECS defaults filled in', async () => {
    expect(await register()).toEqual({
      taskDefinition: {
        taskDefinitionArn: arn('web:1'),
        family: 'web',
        revision: 1,
        status: 'ACTIVE',
        containerDefinitions: [
          {
            name: 'app',
            image: 'busybox',
            memory: 128,
            cpu: 0,
            essential: true,
            environment: [],
            mountPoints: [],
            portMappings: [],
            systemControls: [],
            volumesFrom: [],
          },
        ],
        volumes: [],
        placementConstraints: [],
        requiresAttributes: [],
        compatibilities: ['EXTERNAL', 'EC2', 'FARGATE'],
        registeredAt: new Date(plane.clock.now()),
        registeredBy: testPrincipal,
      },
      tags: [],
    })
  })

  it('counts revisions within a family, and never gives a number out again', async () => {
    const revisions = []
    for (let i = 0; i < 2; i++) revisions.push((await register()).taskDefinition?.revision)
    await call('DeregisterTaskDefinition', { taskDefinition: 'web:2' })
    await call('DeleteTaskDefinitions', { taskDefinitions: ['web:2'] })
    await plane.cell.transact((tx) => {
      for (const { family, revision } of deletableTaskDefinitions(tx.tables))
        tx.delete('taskDefinitions', `${family}:${revision}`)
    })
    revisions.push((await register()).taskDefinition?.revision, (await register('other')).taskDefinition?.revision)
    expect(revisions).toEqual([1, 2, 3, 1])
  })

  it.each([
    ['256', '512', '256', '512'],
    ['.25 vCPU', '0.5GB', '256', '512'],
    ['1 vcpu', '2 GB', '1024', '2048'],
  ])('keeps the size %s, %s in units and MiB', async (cpu, memory, units, mib) => {
    const { taskDefinition } = await call('RegisterTaskDefinition', fargateDefinition({ cpu, memory }))
    expect(taskDefinition).toMatchObject({ cpu: units, memory: mib })
  })

  it('gives what was registered back, member for member', async () => {
    const given = definitionOf(
      [
        container({
          name: 'db',
          essential: false,
          healthCheck: { command: ['CMD-SHELL', 'true'] },
          restartPolicy: { enabled: true },
          linuxParameters: {
            capabilities: { add: ['NET_ADMIN'], drop: [] },
            tmpfs: [{ containerPath: '/t', size: 1 }],
          },
          logConfiguration: { logDriver: 'json-file', options: { 'max-size': '1m' } },
        }),
        container({
          command: [],
          links: ['db:database'],
          dependsOn: [{ containerName: 'db', condition: 'HEALTHY' }],
          mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }],
          portMappings: [{ containerPort: 80, hostPort: 8080, protocol: 'tcp' }],
          environment: [
            { name: 'B', value: '2' },
            { name: 'A', value: '1' },
          ],
        }),
      ],
      {
        networkMode: 'bridge',
        taskRoleArn: 'arn:aws:iam::123456789012:role/task',
        volumes: [{ name: 'data', host: { sourcePath: '/srv' } }],
        placementConstraints: [{ type: 'memberOf', expression: 'attribute:zone == a' }],
        requiresCompatibilities: ['EC2'],
        runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
      },
    )
    await call('RegisterTaskDefinition', given)
    const { taskDefinition } = await call('DescribeTaskDefinition', { taskDefinition: 'web' })
    expect(taskDefinition).toMatchObject(JSON.parse(JSON.stringify(given)) as object)
  })

  it('fills in host ports by network mode', async () => {
    const portMappings = [{ containerPort: 80 }, { containerPortRange: '90-99' }]
    const mappings = async (networkMode: 'bridge' | 'host' | 'awsvpc') =>
      (await call('RegisterTaskDefinition', definitionOf([container({ portMappings })], { networkMode })))
        .taskDefinition?.containerDefinitions?.[0]?.portMappings
    const range = { containerPortRange: '90-99', protocol: 'tcp' }
    expect(await mappings('bridge')).toEqual([{ containerPort: 80, hostPort: 0, protocol: 'tcp' }, range])
    expect(await mappings('host')).toEqual([{ containerPort: 80, hostPort: 80, protocol: 'tcp' }, range])
    expect(await mappings('awsvpc')).toEqual([{ containerPort: 80, hostPort: 80, protocol: 'tcp' }, range])
  })

  it('keeps tags beside the definition, shown only when asked for', async () => {
    const tags = [{ key: 'a', value: 'b' }]
    expect((await call('RegisterTaskDefinition', definitionOf([container()], { tags }))).tags).toEqual(tags)
    const asked = await call('DescribeTaskDefinition', { taskDefinition: 'web', include: ['TAGS'] })
    const unasked = await call('DescribeTaskDefinition', { taskDefinition: 'web' })
    expect([asked.tags, unasked.tags]).toEqual([tags, []])
    expect(asked.taskDefinition).not.toHaveProperty('tags')
  })

  it('leaves no number behind when it refuses', async () => {
    await expect(call('RegisterTaskDefinition', definitionOf([]))).rejects.toThrow('Container list cannot be empty.')
    expect((await register()).taskDefinition?.revision).toBe(1)
  })
})

describe('where a definition can run', () => {
  const compatibilities = async (
    more: Parameters<typeof definitionOf>[1],
    ...containers: ReturnType<typeof container>[]
  ) =>
    (await call('RegisterTaskDefinition', definitionOf(containers.length ? containers : undefined, more)))
      .taskDefinition?.compatibilities

  it('depends on its network mode', async () => {
    expect(await compatibilities({ networkMode: 'bridge' })).toEqual(['EXTERNAL', 'EC2'])
    expect(await compatibilities({ networkMode: 'awsvpc' })).toEqual(['EC2'])
    expect(await compatibilities({ networkMode: 'awsvpc', cpu: '256', memory: '512' })).toEqual(['EC2', 'FARGATE'])
    expect(await compatibilities({ networkMode: 'awsvpc', cpu: '256', memory: '513' })).toEqual(['EC2'])
  })

  it('is FARGATE too when it leaves network mode and requirements open and asks for nothing that FARGATE lacks', async () => {
    expect(await compatibilities({})).toContain('FARGATE')
    expect(await compatibilities({}, container({ privileged: true }))).not.toContain('FARGATE')
    expect(await compatibilities({ requiresCompatibilities: ['EC2'] })).not.toContain('FARGATE')
    const other = container({ portMappings: [{ containerPort: 80, hostPort: 8080 }] })
    expect(await compatibilities({}, other)).not.toContain('FARGATE')
  })
})

describe('the task definitions of the ECS documentation', () => {
  const portMappings = [{ containerPort: 80, hostPort: 80 }]

  it.each([
    definitionOf([{ name: 'my-app-container', image: 'my-app-image:latest', portMappings }], {
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: '256',
      memory: '512',
    }),
    definitionOf([
      { name: 'my-app-container', image: 'my-app-image:latest', memory: 512, cpu: 256, essential: true, portMappings },
    ]),
  ])('run on EC2 and as FARGATE', async (definition) => {
    const { taskDefinition } = await call('RegisterTaskDefinition', definition)
    expect(taskDefinition?.compatibilities).toEqual(expect.arrayContaining(['EC2', 'FARGATE']))
  })
})

describe('requiresAttributes', () => {
  it('names what the host must be able to do, each once', async () => {
    const { taskDefinition } = await call(
      'RegisterTaskDefinition',
      definitionOf(
        [
          container({ privileged: true, memoryReservation: 64, logConfiguration: { logDriver: 'journald' } }),
          container({ name: 'b', privileged: true, healthCheck: { command: ['CMD', 'true'] } }),
        ],
        {
          networkMode: 'awsvpc',
          volumes: [{ name: 'v', dockerVolumeConfiguration: {} }],
          runtimePlatform: { cpuArchitecture: 'ARM64' },
        },
      ),
    )
    expect(taskDefinition?.requiresAttributes).toEqual([
      { name: 'com.amazonaws.ecs.capability.docker-remote-api.1.18' },
      { name: 'com.amazonaws.ecs.capability.docker-remote-api.1.21' },
      { name: 'com.amazonaws.ecs.capability.docker-remote-api.1.24' },
      { name: 'com.amazonaws.ecs.capability.logging-driver.journald' },
      { name: 'com.amazonaws.ecs.capability.privileged-container' },
      { name: 'ecs.capability.container-health-check' },
      { name: 'ecs.capability.docker-plugin.local' },
      { name: 'ecs.capability.task-eni' },
      { name: 'ecs.cpu-architecture', value: 'arm64' },
    ])
  })
})

describe('an EFS volume', () => {
  const efsVolumeConfiguration = {
    fileSystemId: 'fs-1',
    rootDirectory: '/of/web',
    transitEncryption: 'DISABLED' as const,
  }

  it('comes back as it was registered, and needs a host that mounts it', async () => {
    const volumes = [{ name: 'data', efsVolumeConfiguration }]
    const { taskDefinition } = await call('RegisterTaskDefinition', definitionOf([container()], { volumes }))
    expect(taskDefinition).toMatchObject({ volumes, requiresAttributes: [{ name: 'ecs.capability.efs' }] })
  })

  it.each([
    [{ transitEncryption: 'ENABLED' as const }, "transitEncryption 'ENABLED'"],
    [{ transitEncryptionPort: 2049 }, 'transitEncryptionPort'],
    [{ authorizationConfig: { accessPointId: 'fsap-1' } }, 'authorizationConfig'],
    [{ authorizationConfig: { iam: 'ENABLED' as const } }, 'authorizationConfig'],
  ])('with %j is refused by name', async (more, named) => {
    const volumes = [{ name: 'data', efsVolumeConfiguration: { ...efsVolumeConfiguration, ...more } }]
    await expect(call('RegisterTaskDefinition', definitionOf([container()], { volumes }))).rejects.toMatchObject({
      code: 'ClientException',
      message: expect.stringContaining(
        `volumes[0].efsVolumeConfiguration.${named} is not supported by Berth: `,
      ) as string,
    })
  })
})

describe('DescribeTaskDefinition', () => {
  it('refuses what is not there', async () => {
    await expect(call('DescribeTaskDefinition', { taskDefinition: 'none' })).rejects.toMatchObject({
      code: 'ClientException',
      message: 'Unable to describe task definition.',
    })
  })

  it('shows INACTIVE revisions when they are named', async () => {
    await register()
    await plane.clock.advanceBy(5000)
    await call('DeregisterTaskDefinition', { taskDefinition: 'web:1' })
    const { taskDefinition } = await call('DescribeTaskDefinition', { taskDefinition: 'web:1' })
    expect(taskDefinition).toMatchObject({ status: 'INACTIVE', deregisteredAt: new Date(plane.clock.now()) })
    await expect(call('DescribeTaskDefinition', { taskDefinition: 'web' })).rejects.toMatchObject({
      message: 'Unable to describe task definition.',
    })
  })
})

describe('ListTaskDefinitions', () => {
  beforeEach(async () => {
    for (let i = 0; i < 11; i++) await register('web')
    await register('we')
    await register('web-2')
    await call('DeregisterTaskDefinition', { taskDefinition: 'web:10' })
  })

  const all = async (members: Parameters<typeof call<'ListTaskDefinitions'>>[1]) => {
    const found: string[] = []
    let nextToken: string | undefined
    do {
      const page = await call('ListTaskDefinitions', { ...members, nextToken })
      found.push(...(page.taskDefinitionArns ?? []))
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    return names(found)
  }
  const web = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11].map((revision) => `web:${revision}`)

  it('sorts by family and then by number, in pages of any size', async () => {
    const expected = ['we:1', ...web, 'web-2:1']
    for (const maxResults of [1, 3, 100]) {
      expect(await all({ maxResults })).toEqual(expected)
      expect(await all({ maxResults, sort: 'DESC' })).toEqual(expected.toReversed())
    }
  })

  it('is of one whole family, and of one status', async () => {
    expect(await all({ familyPrefix: 'web' })).toEqual(web)
    expect(await all({ familyPrefix: 'w' })).toEqual([])
    expect(await all({ status: 'INACTIVE' })).toEqual(['web:10'])
  })
})

describe('ListTaskDefinitionFamilies', () => {
  it('tells families with an ACTIVE revision from those without', async () => {
    for (const family of ['api', 'web', 'web', 'gone']) await register(family)
    for (const taskDefinition of ['web:1', 'gone:1']) await call('DeregisterTaskDefinition', { taskDefinition })
    const families = async (members: Parameters<typeof call<'ListTaskDefinitionFamilies'>>[1]) =>
      (await call('ListTaskDefinitionFamilies', members)).families
    expect(await families({})).toEqual(['api', 'gone', 'web'])
    expect(await families({ status: 'ACTIVE' })).toEqual(['api', 'web'])
    expect(await families({ status: 'INACTIVE' })).toEqual(['gone'])
    expect(await families({ familyPrefix: 'w' })).toEqual(['web'])
    const first = await call('ListTaskDefinitionFamilies', { maxResults: 2 })
    expect(await families({ nextToken: first.nextToken })).toEqual(['web'])
  })
})

describe('DeregisterTaskDefinition', () => {
  it.each([
    ['web', 'Revision is missing.'],
    ['web:foo', 'Invalid revision number. Number: foo'],
    ['web:2', 'The specified task definition does not exist.'],
  ])('%s: %s', async (taskDefinition, message) => {
    await register()
    await expect(call('DeregisterTaskDefinition', { taskDefinition })).rejects.toMatchObject({
      code: 'ClientException',
      message,
    })
  })

  it('a second time changes nothing', async () => {
    await register()
    const first = await call('DeregisterTaskDefinition', { taskDefinition: 'web:1' })
    await plane.clock.advanceBy(1000)
    expect(await call('DeregisterTaskDefinition', { taskDefinition: 'web:1' })).toEqual(first)
  })
})

describe('DeleteTaskDefinitions', () => {
  beforeEach(async () => {
    for (let i = 0; i < 3; i++) await register()
    await call('DeregisterTaskDefinition', { taskDefinition: 'web:2' })
  })

  it('marks those that are INACTIVE and says why not the others', async () => {
    const answer = await call('DeleteTaskDefinitions', {
      taskDefinitions: ['web:2', arn('web:3'), 'web', 'web:x', 'web:9', arn('other:1')],
    })
    expect(answer.taskDefinitions).toMatchObject([
      { taskDefinitionArn: arn('web:2'), status: 'DELETE_IN_PROGRESS', deleteRequestedAt: new Date(plane.clock.now()) },
    ])
    const still = 'The specified task definition is still in ACTIVE status. Please deregister the target and try again.'
    const invalid = 'The specified task definition identifier is invalid. Specify a valid name or ARN and try again.'
    const missing =
      'The specified task definition does not exist. Specify a valid account, family, revision and try again.'
    expect(answer.failures).toEqual([
      { arn: arn('web:3'), reason: still },
      { arn: 'web', reason: invalid },
      { arn: 'web:x', reason: invalid },
      { arn: 'web:9', reason: missing },
      { arn: arn('other:1'), reason: missing },
    ])
  })

  it('takes 1 to 10 at a time', async () => {
    const eleven = Array.from({ length: 11 }, (_, index) => `web:${index + 1}`)
    for (const taskDefinitions of [[], eleven])
      await expect(call('DeleteTaskDefinitions', { taskDefinitions })).rejects.toMatchObject({
        code: 'InvalidParameterException',
      })
  })

  it('lets a record go only when no task, service or deployment uses it', async () => {
    const deletable = () => deletableTaskDefinitions(plane.cell.tables).map(({ revision }) => revision)
    const taskDefinitionArn = arn('web:2')
    await plane.put('tasks', 't', taskRecord('t', { taskDefinitionArn, lastStatus: 'PROVISIONING' }))
    const old = deploymentRecord({ taskDefinitionArn, status: 'ACTIVE' })
    await plane.put('services', 'default/s', serviceRecord('s', { deployments: [deploymentRecord(), old] }))
    expect(deletable()).toEqual([])
    await call('DeleteTaskDefinitions', { taskDefinitions: ['web:2'] })
    expect(deletable()).toEqual([])
    await plane.put('services', 'default/s', serviceRecord('s'))
    expect(deletable()).toEqual([])
    await plane.put('tasks', 't', taskRecord('t', { taskDefinitionArn, lastStatus: 'STOPPED' }))
    expect(deletable()).toEqual([2])
  })
})
