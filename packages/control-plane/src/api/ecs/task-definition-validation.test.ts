import type { ContainerDefinition, EFSVolumeConfiguration, Volume } from '@aws-sdk/client-ecs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EcsInput } from '../operation.ts'
import { withDefaults } from './task-definition-defaults.ts'
import { refuseUnsupportedFields } from './refused-fields.ts'
import { validateTaskDefinition } from './task-definition-validation.ts'
import { fargateSizes, isFargateSize, parseTaskCpu, parseTaskMemory } from './task-size.ts'
import { container, definitionOf, fargateDefinition } from './testing/definitions.ts'

type Definition = EcsInput<'RegisterTaskDefinition'>

const check = (definition: Definition) => validateTaskDefinition(withDefaults(definition))
const one = (more: Partial<ContainerDefinition>, definition: Partial<Definition> = {}) =>
  definitionOf([container(more)], definition)
const two = (a: Partial<ContainerDefinition>, b: Partial<ContainerDefinition>, definition: Partial<Definition> = {}) =>
  definitionOf([container({ name: 'a', ...a }), container({ name: 'b', ...b })], definition)
const efsVolume = (efsVolumeConfiguration: EFSVolumeConfiguration, more: Partial<Volume> = {}) =>
  definitionOf([container()], { volumes: [{ name: 'v', efsVolumeConfiguration, ...more }] })
const fargateContainer = (more: Partial<ContainerDefinition>) =>
  fargateDefinition({ containerDefinitions: [container(more)] })

describe('a definition that is well', () => {
  it.each<[string, Definition]>([
    ['the least', definitionOf()],
    ['FARGATE', fargateDefinition()],
    ['memory at the task only', definitionOf([{ name: 'a', image: 'i' }], { memory: '64' })],
    ['soft memory only', one({ memory: undefined, memoryReservation: 64 })],
    ['equal soft and hard memory', one({ memory: 64, memoryReservation: 64 })],
    ['ten containers', definitionOf(Array.from({ length: 10 }, (_, index) => container({ name: `c${index}` })))],
    [
      'one host port, two protocols',
      one({
        portMappings: [
          { containerPort: 53, hostPort: 53, protocol: 'tcp' },
          { containerPort: 53, hostPort: 53, protocol: 'udp' },
        ],
      }),
    ],
    [
      'members that say nothing',
      one(
        { secrets: [], environmentFiles: [], credentialSpecs: [], links: [], disableNetworking: false },
        { enableFaultInjection: false, inferenceAccelerators: [] },
      ),
    ],
    [
      'a wait for one that ends',
      two({ essential: false }, { dependsOn: [{ containerName: 'a', condition: 'SUCCESS' }] }),
    ],
    ['storage on FARGATE', fargateDefinition({ ephemeralStorage: { sizeInGiB: 21 } })],
  ])('is taken: %s', (_, definition) => {
    expect(() => check(definition)).not.toThrow()
  })
})

describe('what is wrong is said in the words of ECS where they are known', () => {
  it.each<[string, Definition]>([
    ['Container list cannot be empty.', definitionOf([])],
    ['Container.name should not be null or empty.', one({ name: '' })],
    ['Container.name contains invalid characters.', one({ name: 'a b' })],
    ['Container.image should not be null or empty.', one({ image: undefined })],
    ['Container.name must be unique', two({}, { name: 'a' })],
    ['Invalid family name.', definitionOf([container()], { family: 'a/b' })],
    ['A task definition can have at most 10 containers.', definitionOf(Array.from({ length: 11 }, () => container()))],
    ["Max allowed length is '65536' bytes.", one({ command: ['x'.repeat(65_536)] })],
    [
      "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified.",
      one({ memory: undefined }),
    ],
    ["Invalid 'memory' setting for container 'app'. It must be at least 6.", one({ memory: 5 })],
    ["Invalid 'memoryReservation' setting for container 'app'.", one({ memory: 64, memoryReservation: 65 })],
    ["Invalid 'memory' setting for container 'app'.", one({ memory: 65 }, { memory: '64' })],
    [
      "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
      two({ cpu: 200 }, { cpu: 100 }, { cpu: '256' }),
    ],
    [
      "The sum of all container 'memoryReservation' values cannot be greater",
      two({ memoryReservation: 100 }, { memoryReservation: 100 }, { memory: '150' }),
    ],
    ["Invalid 'cpu' setting for task.", definitionOf([container()], { cpu: '127' })],
    ["Invalid 'cpu' setting for task.", definitionOf([container()], { cpu: 'much' })],
    ["Invalid 'memory' setting for task.", definitionOf([container()], { memory: '1TB' })],
    ['must have at least one essential container', one({ essential: false })],

    ["Invalid 'containerPort' setting for container 'app'.", one({ portMappings: [{ hostPort: 80 }] })],
    ["Invalid 'containerPort' setting for container 'app'.", one({ portMappings: [{ containerPort: 0 }] })],
    ["Invalid 'containerPortRange' setting", one({ portMappings: [{ containerPortRange: '90-80' }] })],
    ["Invalid 'containerPortRange' setting", one({ portMappings: [{ containerPortRange: '80-90', hostPort: 80 }] })],
    [
      'When networkMode=awsvpc, the host ports and container ports in port mappings must match.',
      one({ portMappings: [{ containerPort: 80, hostPort: 81 }] }, { networkMode: 'awsvpc' }),
    ],
    [
      'When networkMode=host, the host ports and container ports in port mappings must match.',
      one({ portMappings: [{ containerPort: 80, hostPort: 81 }] }, { networkMode: 'host' }),
    ],
    ['Port mappings are not supported', one({ portMappings: [{ containerPort: 80 }] }, { networkMode: 'none' })],
    [
      'Host port 80/tcp is used by more than one',
      two(
        { portMappings: [{ containerPort: 80, hostPort: 80 }] },
        { portMappings: [{ containerPort: 81, hostPort: 80 }] },
      ),
    ],

    ['Links are not supported when networkMode=awsvpc.', two({}, { links: ['a'] }, { networkMode: 'awsvpc' })],
    ["refers to an unknown container 'c'", two({}, { links: ['c:alias'] })],
    [
      'DNS servers are not supported on container when networkMode=awsvpc.',
      one({ dnsServers: ['1.1.1.1'] }, { networkMode: 'awsvpc' }),
    ],
    [
      'Hostname is not supported on container when networkMode=awsvpc.',
      one({ hostname: 'h' }, { networkMode: 'awsvpc' }),
    ],
    [
      'Extra hosts are not supported on container when networkMode=awsvpc.',
      one({ extraHosts: [{ hostname: 'h', ipAddress: '1.2.3.4' }] }, { networkMode: 'awsvpc' }),
    ],

    [
      'A dependency container with SUCCESS or COMPLETE condition cannot be an essential container',
      two({}, { dependsOn: [{ containerName: 'a', condition: 'COMPLETE' }] }),
    ],
    ['must have a health check', two({}, { dependsOn: [{ containerName: 'a', condition: 'HEALTHY' }] })],
    ["refers to an unknown container 'x'", two({}, { dependsOn: [{ containerName: 'x', condition: 'START' }] })],
    ["Container 'app' cannot refer to itself.", one({ volumesFrom: [{ sourceContainer: 'app' }] })],
    [
      'depend on each other in a cycle: a -> b -> a.',
      two({ dependsOn: [{ containerName: 'b', condition: 'START' }] }, { volumesFrom: [{ sourceContainer: 'a' }] }),
    ],

    ["Unknown volume 'v'.", one({ mountPoints: [{ sourceVolume: 'v', containerPath: '/v' }] })],
    ["Duplicate volume name 'v'.", definitionOf([container()], { volumes: [{ name: 'v' }, { name: 'v' }] })],
    ["'fs' is no id of an EFS file system", efsVolume({ fileSystemId: 'fs' })],
    ["'rootDirectory' must begin with '/'", efsVolume({ fileSystemId: 'fs-1', rootDirectory: 'data' })],
    ["'rootDirectory' must begin with '/'", efsVolume({ fileSystemId: 'fs-1', rootDirectory: '/data:x' })],
    ['not several', efsVolume({ fileSystemId: 'fs-1' }, { host: { sourcePath: '/x' } })],
    ['Invalid volume name', definitionOf([container()], { volumes: [{ name: 'a b' }] })],
    [
      "'autoprovision' can only be specified",
      definitionOf([container()], { volumes: [{ name: 'v', dockerVolumeConfiguration: { autoprovision: true } }] }),
    ],

    ['It must start with CMD or CMD-SHELL.', one({ healthCheck: { command: ['true'] } })],
    ['must be followed by a command', one({ healthCheck: { command: ['CMD-SHELL'] } })],
    ["'healthCheck.interval' setting", one({ healthCheck: { command: ['CMD', 'true'], interval: 4 } })],
    ["'healthCheck.retries' setting", one({ healthCheck: { command: ['CMD', 'true'], retries: 11 } })],
    ["'restartPolicy.restartAttemptPeriod'", one({ restartPolicy: { enabled: true, restartAttemptPeriod: 59 } })],
    ["'linuxParameters.swappiness' setting", one({ linuxParameters: { swappiness: 101 } })],
    ["The amount of 'fpga' must be a positive integer.", one({ dockerLabels: { 'berth.resource/fpga': '0' } })],
    ["The amount of 'fpga' must be a positive integer.", one({ dockerLabels: { 'berth.resource/fpga': 'two' } })],
    ["'GPU' cannot be the name of a resource.", one({ dockerLabels: { 'berth.resource/GPU': '1' } })],
    ["'FLY' is not a Linux capability.", one({ linuxParameters: { capabilities: { add: ['FLY'] } } })],
    ["'ulimits' setting", one({ ulimits: [{ name: 'nofile', softLimit: 2, hardLimit: 1 }] })],
    ["'systemControls' setting", one({ systemControls: [{ namespace: 'vm.swappiness', value: '1' }] })],
    ["'environment' setting", one({ environment: [{ name: 'A=B', value: '1' }] })],
    ['must be a positive integer', one({ resourceRequirements: [{ type: 'GPU', value: '0' }] })],
    [
      'shared with the host',
      one({ systemControls: [{ namespace: 'net.core.somaxconn', value: '1' }] }, { networkMode: 'host' }),
    ],

    [
      'placement constraint',
      definitionOf([container()], {
        placementConstraints: Array.from({ length: 11 }, () => ({
          type: 'memberOf' as const,
          expression: 'attribute:a exists',
        })),
      }),
    ],
    ['ephemeralStorage', definitionOf([container()], { ephemeralStorage: { sizeInGiB: 30 } })],
    ['from 21 to 200', fargateDefinition({ ephemeralStorage: { sizeInGiB: 201 } })],
  ])('%s', (message, definition) => {
    expect(() => check(definition)).toThrow(
      expect.objectContaining({ code: 'ClientException', message: expect.stringContaining(message) as string }),
    )
  })

  it('of placement constraints too', () => {
    const expression = 'attribute:a =='
    expect(() =>
      check(definitionOf([container()], { placementConstraints: [{ type: 'memberOf', expression }] })),
    ).toThrow(expect.objectContaining({ code: 'ClientException' }))
  })
})

describe('a definition that requires FARGATE', () => {
  it.each<[string, Definition]>([
    ["Fargate only supports network mode 'awsvpc'.", fargateDefinition({ networkMode: 'bridge' })],
    ["Fargate only supports network mode 'awsvpc'.", fargateDefinition({ networkMode: undefined })],
    ["Fargate requires that 'cpu' be defined at the task level.", fargateDefinition({ cpu: undefined })],
    [
      "Fargate requires that 'memory' be defined at the task level.",
      fargateDefinition({ memory: undefined, containerDefinitions: [container()] }),
    ],
    ['No Fargate configuration exists for given values.', fargateDefinition({ memory: '768' })],
    [
      "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.",
      fargateDefinition({ pidMode: 'host' }),
    ],
    [
      'Fargate requires task definition to have execution role ARN to support ECR images.',
      fargateContainer({ image: '123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1' }),
    ],
    ['privileged', fargateContainer({ privileged: true })],
    ['GPU', fargateContainer({ resourceRequirements: [{ type: 'GPU', value: '1' }] })],
    ["'stopTimeout' of container 'app'", fargateContainer({ stopTimeout: 121 })],
    ['sourcePath', fargateDefinition({ volumes: [{ name: 'v', host: { sourcePath: '/v' } }] })],
  ])('is refused: %s', (message, definition) => {
    expect(() => check(definition)).toThrow(message)
  })
})

describe('secrets and environment files', () => {
  it.each<[string, Definition]>([
    ["'valueFrom' should not be null or empty.", one({ secrets: [{ name: 'A', valueFrom: '' }] })],
    [
      "unique and not shared with any new or existing environment variables set on the container, such as 'A'.",
      one({ secrets: [{ name: 'A', valueFrom: 'a' }], environment: [{ name: 'A', value: 'b' }] }),
    ],
    ["such as 'A'.", one({ secrets: ['a', 'b'].map((valueFrom) => ({ name: 'A', valueFrom })) })],
    ['names no secret', one({ secrets: [{ name: 'A', valueFrom: 'arn:aws:secretsmanager:r:1:x:y' }] })],
    ['of neither SSM', one({ secrets: [{ name: 'A', valueFrom: 'arn:aws:s3:::bucket/key' }] })],
    ["'repositoryCredentials'", one({ repositoryCredentials: { credentialsParameter: 'arn:aws:sqs:r:1:x' } })],
    [
      "'logConfiguration.secretOptions'",
      one({ logConfiguration: { logDriver: 'splunk', secretOptions: [{ name: 'a', valueFrom: '' }] } }),
    ],
    ['whose name ends in .env', one({ environmentFiles: [{ type: 's3', value: 'arn:aws:s3:::bucket/file.txt' }] })],
    ['whose name ends in .env', one({ environmentFiles: [{ type: 's3', value: 'arn:aws:s3:::bucket/../a.env' }] })],
    [
      'At most 10 files',
      one({ environmentFiles: Array.from({ length: 11 }, () => ({ type: 's3', value: 'arn:aws:s3:::bucket/a.env' })) }),
    ],
  ])('are refused: %s', (message, definition) => {
    expect(() => check(definition)).toThrow(message)
  })

  it('are taken when they are well formed', () => {
    const definition = one({
      secrets: [
        { name: 'A', valueFrom: 'parameter' },
        { name: 'B', valueFrom: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:b-AbCdEf' },
      ],
      environmentFiles: [{ type: 's3', value: 'arn:aws:s3:::bucket/a.env' }],
      repositoryCredentials: { credentialsParameter: 'registry' },
    })
    expect(() => check(definition)).not.toThrow()
  })
})

describe('what Berth does not do', () => {
  it.each<[string, Definition]>([
    ['containerDefinitions[0].firelensConfiguration', one({ firelensConfiguration: { type: 'fluentbit' } })],
    ['containerDefinitions[0].credentialSpecs', one({ credentialSpecs: ['x'] })],
    [
      "containerDefinitions[0].logConfiguration.logDriver 'awslogs'",
      one({ logConfiguration: { logDriver: 'awslogs' } }),
    ],
    [
      "containerDefinitions[0].resourceRequirements[0].type 'InferenceAccelerator'",
      one({ resourceRequirements: [{ type: 'InferenceAccelerator', value: 'x' }] }),
    ],
    [
      'volumes[0].configuredAtLaunch',
      definitionOf([container()], { volumes: [{ name: 'v', configuredAtLaunch: true }] }),
    ],
    ['proxyConfiguration', definitionOf([container()], { proxyConfiguration: { containerName: 'app' } })],
    ['enableFaultInjection', definitionOf([container()], { enableFaultInjection: true })],
    [
      "requiresCompatibilities 'MANAGED_INSTANCES'",
      definitionOf([container()], { requiresCompatibilities: ['EC2', 'MANAGED_INSTANCES'] }),
    ],
    [
      "runtimePlatform.operatingSystemFamily 'WINDOWS_SERVER_2022_CORE'",
      definitionOf([container()], { runtimePlatform: { operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE' } }),
    ],
  ])('is refused by name: %s', (field, definition) => {
    expect(() => refuseUnsupportedFields('RegisterTaskDefinitionRequest', definition)).toThrow(
      expect.objectContaining({
        code: 'ClientException',
        message: expect.stringContaining(`${field} is not supported by Berth: `) as string,
      }),
    )
  })
})

describe('task sizes', () => {
  it('of FARGATE are those of the developer guide', () => {
    const memories = (cpu: number) =>
      Array.from({ length: 120 * 1024 }, (_, index) => index + 1).filter((mib) => isFargateSize(cpu, mib))
    expect(memories(256)).toEqual([512, 1024, 2048])
    expect(memories(512)).toEqual([1024, 2048, 3072, 4096])
    expect(memories(1024)).toEqual([2, 3, 4, 5, 6, 7, 8].map((gib) => gib * 1024))
    expect(memories(8192).map((mib) => mib / 1024)).toEqual([16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60])
    expect(memories(16_384).map((mib) => mib / 1024)).toEqual([32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120])
    expect(memories(300)).toEqual([])
  })

  it('written in vCPU and GB are the same as in units and MiB', () => {
    fc.assert(
      fc.property(fc.constantFrom(...fargateSizes), ({ cpu, min }) => {
        expect(parseTaskCpu(`${cpu / 1024} vCPU`)).toBe(cpu)
        expect(parseTaskMemory(`${min / 1024}GB`)).toBe(min)
      }),
    )
  })

  it.each(['', ' ', '0.3 vCPU', '1e3', '-256', '0x100', '256.5', '999999999999'])('%j is no CPU', (text) => {
    expect(() => parseTaskCpu(text)).toThrow("Invalid 'cpu' setting for task.")
  })
})
