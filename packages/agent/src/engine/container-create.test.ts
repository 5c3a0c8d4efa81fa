import { LinuxParameters, NetworkMode, VolumeSpec } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { describe, expect, test } from 'vitest'
import { containerCreate, imageReference, pauseCreate } from './container-create.ts'
import { taskVolumeNames, volumeCreate, volumesToMake } from './task-volumes.ts'
import { awsvpc, container, task } from './testing/task-builder.ts'

const context = { imageId: 'sha256:1', pauseRuntimeId: 'pause-id', hostAddress: '127.0.0.2' }

const created = (spec: Parameters<typeof container>[1] = {}, over: Parameters<typeof task>[2] = {}) => {
  const app = container('app', spec)
  return containerCreate(task('0123abcd', [app], over), app, context)
}

describe('what the runtime is asked to create', () => {
  test('is named and labelled as ECS does, whatever labels the definition has', () => {
    const wanted = created({
      dockerLabels: [
        { key: 'a', value: 'b' },
        { key: 'com.amazonaws.ecs.cluster', value: 'no' },
      ],
    })
    expect(wanted.identity).toEqual({
      taskArn: 'arn:aws:ecs:us-east-1:123456789012:task/default/0123abcd',
      containerName: 'app',
      runtimeName: 'ecs-web-7-0123abcd-app',
    })
    expect(wanted.labels).toEqual({
      a: 'b',
      'com.amazonaws.ecs.cluster': 'default',
      'com.amazonaws.ecs.container-name': 'app',
      'com.amazonaws.ecs.task-arn': 'arn:aws:ecs:us-east-1:123456789012:task/default/0123abcd',
      'com.amazonaws.ecs.task-definition-family': 'web',
      'com.amazonaws.ecs.task-definition-version': '7',
    })
  })

  test('has no members that nothing was said about', () => {
    const wanted = created()
    for (const member of [
      'entryPoint',
      'command',
      'user',
      'hostname',
      'cpuLimit',
      'taskLimits',
      'memoryMib',
      'healthCheck',
      'logDriver',
    ])
      expect(wanted).not.toHaveProperty(member)
  })

  test.each([
    ['EC2', 'AWS_ECS_EC2'],
    ['FARGATE', 'AWS_ECS_FARGATE'],
  ])('says in the environment where it runs: %s', (launchType, value) => {
    const environment = [{ key: 'A', value: '1=2' }]
    expect(created({ environment }, { launchType }).environment).toEqual(['A=1=2', `AWS_EXECUTION_ENV=${value}`])
    const own = [{ key: 'AWS_EXECUTION_ENV', value: 'mine' }]
    expect(created({ environment: own }, { launchType }).environment).toEqual(['AWS_EXECUTION_ENV=mine'])
  })

  test('is bounded by the task as far as the container has no bounds of its own', () => {
    expect(created({ cpu: 100 }, { cpu: 256, memoryMib: 512 })).toMatchObject({
      cpuShares: 100,
      cpuLimit: 256,
      memoryMib: 512,
      taskLimits: { cpu: 256, memoryMib: 512 },
    })
    expect(created({ memoryMib: 128, memoryReservationMib: 64 }, { memoryMib: 512 })).toMatchObject({
      taskLimits: { memoryMib: 512 },
      memoryMib: 128,
      memoryReservationMib: 64,
    })
  })

  test.each([
    ['NONE', NetworkMode.NETWORK_MODE_NONE, { kind: 'none' }],
    ['HOST', NetworkMode.NETWORK_MODE_HOST, { kind: 'host' }],
    ['BRIDGE', NetworkMode.NETWORK_MODE_BRIDGE, { kind: 'bridge', links: ['ecs-web-7-0123abcd-db:database'] }],
    ['AWSVPC', NetworkMode.NETWORK_MODE_AWSVPC, { kind: 'container', runtimeId: 'pause-id' }],
  ])('is on the network of its mode: %s', (_name, networkMode, network) => {
    expect(created({ links: ['db:database'] }, { networkMode }).network).toEqual(network)
  })

  test('publishes ports on the bridge only, where one was granted', () => {
    const ports = [
      { containerPort: 80, hostPort: 8080, protocol: 'tcp' },
      { containerPort: 53, hostPort: 53, protocol: 'udp' },
      { containerPort: 81, hostPort: 0, protocol: 'tcp' },
    ]
    expect(created({ ports }).ports).toEqual([
      { hostIp: '127.0.0.2', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
      { hostIp: '127.0.0.2', hostPort: 53, containerPort: 53, protocol: 'udp' },
    ])
    expect(created({ ports }, { networkMode: NetworkMode.NETWORK_MODE_HOST }).ports).toEqual([])
    expect(created({ ports }, awsvpc).ports).toEqual([])
    expect(created({ ports, disableNetworking: true })).toMatchObject({ ports: [], network: { kind: 'none' } })
  })

  test('has the mounts of its volumes', () => {
    const volumes: VolumeSpec[] = [
      { name: 'etc', source: { $case: 'hostPath', value: '/etc/app' } },
      { name: 'scratch', source: { $case: 'hostPath', value: '' } },
      dockerVolume('mine', 'task', true),
      dockerVolume('ours', 'shared', true),
      dockerVolume('given', 'shared', false),
    ]
    const mountPoints = volumes.map(({ name }) => ({
      sourceVolume: name,
      containerPath: `/${name}`,
      readOnly: name === 'etc',
    }))
    const app = container('app', { mountPoints })
    const assignment = task('0123abcd', [app], { volumes })
    expect(containerCreate(assignment, app, context).mounts).toEqual([
      { kind: 'bind', source: '/etc/app', target: '/etc', readOnly: true },
      { kind: 'volume', source: 'ecs-web-7-0123abcd-scratch', target: '/scratch', readOnly: false },
      { kind: 'volume', source: 'ecs-web-7-0123abcd-mine', target: '/mine', readOnly: false },
      { kind: 'volume', source: 'ours', target: '/ours', readOnly: false },
      { kind: 'volume', source: 'given', target: '/given', readOnly: false },
    ])
    const made = volumesToMake(assignment, app).map((volume) => volumeCreate(assignment, volume, () => undefined))
    expect(made.map(({ name, driver }) => [name, driver])).toEqual([
      ['ecs-web-7-0123abcd-scratch', 'local'],
      ['ecs-web-7-0123abcd-mine', 'nfs'],
      ['ours', 'nfs'],
    ])
    expect(taskVolumeNames(assignment)).toEqual(['ecs-web-7-0123abcd-scratch', 'ecs-web-7-0123abcd-mine'])
  })

  test('has its Linux parameters', () => {
    const linuxParameters = LinuxParameters.fromPartial({
      devices: [{ hostPath: '/dev/fuse', permissions: ['read', 'mknod'] }, { hostPath: '/dev/kvm' }],
      tmpfs: [{ containerPath: '/run', sizeMib: 16, mountOptions: ['noexec'] }],
      sharedMemoryMib: 64,
      maxSwapMib: 0,
    })
    expect(created({ linuxParameters })).toMatchObject({
      devices: [
        { hostPath: '/dev/fuse', containerPath: '/dev/fuse', permissions: 'rm' },
        { hostPath: '/dev/kvm', containerPath: '/dev/kvm', permissions: 'rwm' },
      ],
      mounts: [{ kind: 'tmpfs', target: '/run', sizeMib: 16, options: ['noexec'] }],
      sharedMemoryMib: 64,
      maxSwapMib: 0,
    })
  })

  test('shares the namespaces of the pause container where the task says so', () => {
    expect(created({}, { pidMode: 'task', ipcMode: 'task' })).toMatchObject({
      pidMode: 'container:pause-id',
      ipcMode: 'container:pause-id',
    })
    expect(created({}, { pidMode: 'host' })).toMatchObject({ pidMode: 'host' })
    expect(created({}, { pidMode: 'host' })).not.toHaveProperty('ipcMode')
  })
})

describe('the pause container', () => {
  const names = {
    dnsServers: ['10.0.0.1'],
    extraHosts: [{ hostname: 'db', ipAddress: '10.0.0.9' }],
    hostname: 'own',
    systemControls: [
      { key: 'net.core.somaxconn', value: '1024' },
      { key: 'kernel.msgmax', value: '1' },
    ],
  }

  test('has the names and network settings of those that share its network, and they have not', () => {
    const app = container('app', names)
    const assignment = task('0123abcd', [app, container('other', names)], awsvpc)
    expect(pauseCreate(assignment, context)).toMatchObject({
      identity: { containerName: '~internal~pause' },
      network: { kind: 'task' },
      hostname: '0123abcd',
      dnsServers: ['10.0.0.1'],
      extraHosts: ['db:10.0.0.9'],
      systemControls: { 'net.core.somaxconn': '1024' },
    })
    const wanted = containerCreate(assignment, app, context)
    expect(wanted).toMatchObject({ dnsServers: [], extraHosts: [], systemControls: { 'kernel.msgmax': '1' } })
    expect(wanted).not.toHaveProperty('hostname')
  })

  test('holds only namespaces where the task has no network of its own', () => {
    expect(pauseCreate(task('0123abcd', [container('app', names)], { ipcMode: 'task' }), context)).toMatchObject({
      network: { kind: 'none' },
      ipcMode: 'shareable',
      dnsServers: [],
      systemControls: {},
    })
  })
})

test.each([
  ['app', '', 'app'],
  ['app:1', 'sha256:abc', 'app@sha256:abc'],
  ['registry:5000/app', 'sha256:abc', 'registry:5000/app@sha256:abc'],
  ['registry:5000/app:2', 'sha256:abc', 'registry:5000/app@sha256:abc'],
  ['app@sha256:def', 'sha256:abc', 'app@sha256:def'],
])('image %s pinned to "%s" is %s', (image, imageDigest, reference) => {
  expect(imageReference(container('app', { image, imageDigest }))).toBe(reference)
})

const dockerVolume = (name: string, scope: string, autoprovision: boolean): VolumeSpec =>
  VolumeSpec.fromPartial({ name, source: { $case: 'docker', value: { scope, autoprovision, driver: 'nfs' } } })
