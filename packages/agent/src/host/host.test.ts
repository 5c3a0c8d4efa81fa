import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compileAgentConfig } from '../config/agent-config.ts'
import type { RuntimeInfo } from '../runtime/container-runtime.ts'
import { capabilities } from './capabilities.ts'
import { localAddressTowards } from './host-address.ts'
import { cpuArchitecture, type HostFacts, nvidiaGpus, readHostFacts } from './host-facts.ts'
import { engineWarnings, hostAttributes, hostResources } from './registration.ts'

const configOf = (environment: Readonly<Record<string, string>> = {}) =>
  compileAgentConfig({ flags: {}, environment: { BERTH_SERVER: 'cell:1', ...environment }, files: [] }).config

const engine: RuntimeInfo = {
  version: '20.10.24',
  liveRestore: true,
  operatingSystem: 'Debian GNU/Linux 12 (bookworm)',
  architecture: 'x86_64',
  cpus: 4,
  memoryMib: 8_000,
  logDrivers: ['awslogs', 'json-file', 'syslog'],
  volumeDrivers: ['local'],
}

const facts: HostFacts = {
  cpus: 4,
  memoryMib: 8_000,
  architecture: 'x86_64',
  operatingSystem: 'Debian GNU/Linux 12',
  kernel: '6.1',
  gpuIds: ['GPU-1'],
}

describe('what a host offers', () => {
  it('is all that the machine has, but for what is reserved', () => {
    expect(hostResources(configOf({ ECS_RESERVED_MEMORY: '512', ECS_RESERVED_PORTS_UDP: '[53]' }), facts)).toEqual({
      cpu: 4096,
      memoryMib: 7_488,
      reservedTcpPorts: [22, 2375, 2376, 51678, 51679, 51680],
      reservedUdpPorts: [53],
      gpuIds: ['GPU-1'],
      networkInterfaces: 500,
      dynamicPorts: { first: 49153, last: 65535 },
      custom: {},
    })
  })

  it('is whatever else the operator counts', () => {
    expect(hostResources(configOf({ BERTH_RESOURCES: 'fpga=2,tape-drive=1' }), facts).custom).toEqual({
      fpga: 2,
      'tape-drive': 1,
    })
  })

  it('is a share of the machine where one is named', () => {
    const config = configOf({ BERTH_CPU: '512', BERTH_MEMORY: '1024', ECS_RESERVED_MEMORY: '24' })
    expect(hostResources(config, facts)).toMatchObject({ cpu: 512, memoryMib: 1_000 })
  })

  it('is never less than nothing', () => {
    expect(hostResources(configOf({ ECS_RESERVED_MEMORY: '9000' }), facts).memoryMib).toBe(0)
  })
})

describe('what a host says of itself', () => {
  const valueOf = (environment: Readonly<Record<string, string>>, name: string) =>
    hostAttributes(configOf(environment), facts, engine).find((attribute) => attribute.name === name)

  it.each([
    ['ecs.os-type', 'linux'],
    ['ecs.os-family', 'LINUX'],
    ['ecs.cpu-architecture', 'x86_64'],
    ['ecs.availability-zone', 'us-east-1a'],
  ])('%s is %s', (name, value) => {
    expect(valueOf({}, name)).toEqual({ name, value })
  })

  it('is in the zone that it is told, or in the first of its region', () => {
    expect(valueOf({ BERTH_ZONE: 'rack-7' }, 'ecs.availability-zone')?.value).toBe('rack-7')
    expect(valueOf({ AWS_REGION: 'eu-west-3' }, 'ecs.availability-zone')?.value).toBe('eu-west-3a')
  })

  it("has the operator's attributes, which cannot take the place of ECS's own", () => {
    const said = { ECS_INSTANCE_ATTRIBUTES: '{"rack": "7", "ecs.os-type": "windows"}' }
    expect(valueOf(said, 'rack')?.value).toBe('7')
    expect(valueOf(said, 'ecs.os-type')?.value).toBe('linux')
  })

  it('says each thing once, in order', () => {
    const names = hostAttributes(configOf(), facts, engine).map(({ name }) => name)
    expect(names).toEqual([...new Set(names)].sort())
  })
})

describe('what a host can do', () => {
  it.each([
    ['com.amazonaws.ecs.capability.docker-remote-api.1.17', {}, true],
    ['com.amazonaws.ecs.capability.docker-remote-api.1.41', {}, true],
    ['com.amazonaws.ecs.capability.privileged-container', {}, true],
    ['ecs.capability.efs', {}, false],
    ['ecs.capability.efs', { BERTH_EFS_SERVERS: '{"*": "{id}.nfs.example.test:/"}' }, true],
    ['ecs.capability.task-cpu-mem-limit', {}, true],
    ['ecs.capability.task-cpu-mem-limit', { ECS_ENABLE_TASK_CPU_MEM_LIMIT: 'false' }, false],
    ['com.amazonaws.ecs.capability.privileged-container', { ECS_DISABLE_PRIVILEGED: 'true' }, false],
    ['com.amazonaws.ecs.capability.selinux', {}, false],
    ['com.amazonaws.ecs.capability.selinux', { ECS_SELINUX_CAPABLE: 'true' }, true],
    ['com.amazonaws.ecs.capability.logging-driver.json-file', {}, true],
    ['com.amazonaws.ecs.capability.logging-driver.none', {}, true],
    ['com.amazonaws.ecs.capability.logging-driver.syslog', {}, false],
    ['com.amazonaws.ecs.capability.logging-driver.syslog', { ECS_AVAILABLE_LOGGING_DRIVERS: '["syslog"]' }, true],
    ['com.amazonaws.ecs.capability.logging-driver.gelf', { ECS_AVAILABLE_LOGGING_DRIVERS: '["gelf"]' }, false],
    ['ecs.capability.task-eni', {}, true],
    ['ecs.capability.task-eni', { BERTH_NETWORK_INTERFACES: '0' }, false],
    ['ecs.capability.container-health-check', {}, true],
    ['ecs.capability.docker-plugin.local', {}, true],
    ['com.amazonaws.ecs.capability.task-iam-role', {}, false],
  ] as const)('%s with %o: %s', (name, environment, has) => {
    expect(capabilities(configOf(environment), engine).includes(name)).toBe(has)
  })
})

describe('what a machine is', () => {
  it('can be read on this one', async () => {
    const read = await readHostFacts(undefined)
    expect(read.cpus).toBeGreaterThan(0)
    expect(read.memoryMib).toBeGreaterThan(0)
    expect(read.operatingSystem).not.toBe('')
  })

  it('is what the engine sees of it, where that is known', async () => {
    expect(await readHostFacts({ ...engine, cpus: 3, memoryMib: 77 })).toMatchObject({ cpus: 3, memoryMib: 77 })
  })

  it.each([
    ['x64', 'x86_64'],
    ['x86_64', 'x86_64'],
    ['aarch64', 'arm64'],
    ['arm64', 'arm64'],
  ])('%s is %s', (name, ecs) => {
    expect(cpuArchitecture(name)).toBe(ecs)
  })

  it("has the cards that NVIDIA's module tells of", async () => {
    const root = await mkdtemp(join(tmpdir(), 'berth-gpus-'))
    try {
      for (const [address, uuid] of [
        ['0000:02:00.0', 'GPU-bbbb-2'],
        ['0000:01:00.0', 'GPU-aaaa-1'],
      ] as const) {
        await mkdir(join(root, address))
        await writeFile(join(root, address, 'information'), `Model: \t\t Tesla\nGPU UUID: \t ${uuid}\n`)
      }
      expect(await nvidiaGpus(root)).toEqual(['GPU-aaaa-1', 'GPU-bbbb-2'])
      expect(await nvidiaGpus(join(root, 'absent'))).toEqual([])
    } finally {
      await rm(root, { recursive: true })
    }
  })

  it('is reached at the address that its server is reached from', async () => {
    expect(await localAddressTowards('127.0.0.1:7000')).toBe('127.0.0.1')
    expect(await localAddressTowards('[::1]:7000')).toBe('::1')
  })
})

it('is said aloud that tasks end with Docker where live-restore is off', () => {
  expect(engineWarnings(engine)).toEqual([])
  expect(engineWarnings({ ...engine, liveRestore: false })).toHaveLength(1)
})
