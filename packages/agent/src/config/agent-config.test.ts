import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError, type SettingSources } from '@berth/shared/config/read-settings.ts'
import { compileAgentConfig, joinedFile, namesControlPlane, readAgentConfig } from './agent-config.ts'
import { agentSettings } from './agent-settings.ts'
import { ecsSettingsNotHonoured } from './ecs-settings-not-honoured.ts'
import type { Setting } from '@berth/shared/config/setting.ts'

const server = { BERTH_SERVER: 'cell.example:7000' }

const compile = (over: Partial<SettingSources>) =>
  compileAgentConfig({ flags: {}, environment: server, files: [], ...over })

const set = (environment: Readonly<Record<string, string>>) => compile({ environment: { ...server, ...environment } })

const mistakesOf = (work: () => unknown): readonly string[] => {
  try {
    work()
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes
    throw error
  }
  return []
}

const settings = Object.entries<Setting<unknown>>(agentSettings)

describe('the table of settings', () => {
  it.each(settings)('%s has a default that can be read, or none', (_key, setting) => {
    if (setting.default !== undefined) expect(setting.schema.safeParse(setting.default).success).toBe(true)
  })

  it('has no name and no flag twice, and none that is said not to be honoured', () => {
    const names = [
      ...settings.flatMap(([, { names }]) => names),
      ...ecsSettingsNotHonoured.map(({ name }) => name),
      ...settings.flatMap(([, { flag }]) => flag ?? []),
    ]
    expect(names).toEqual([...new Set(names)])
  })
})

describe('an agent that is told no more than its server', () => {
  it("has ECS's own defaults", () => {
    expect(set({}).config).toMatchObject({
      servers: ['cell.example:7000'],
      cluster: 'default',
      offersFargate: false,
      reservedMemoryMib: 0,
      reservedTcpPorts: [22, 2375, 2376, 51678, 51679, 51680],
      reservedUdpPorts: [],
      dynamicPorts: { first: 49153, last: 65535 },
      imagePullBehavior: 'default',
      containerStopTimeoutMs: 30_000,
      containerStartTimeoutMs: 180_000,
      taskCleanupWaitMs: 3 * 3_600_000,
      disableImageCleanup: false,
      imageCleanupIntervalMs: 1_800_000,
      imageMinimumCleanupAgeMs: 3_600_000,
      imagesDeletedPerCycle: 5,
      disablePrivileged: false,
      loggingDrivers: ['json-file', 'none'],
      logLevel: 'info',
      cpu: undefined,
      memoryMib: undefined,
    })
    expect(set({}).warnings).toEqual([])
  })
})

describe('where a setting comes from', () => {
  const files = [
    { path: '/etc/berth/agent.env', text: 'ECS_CLUSTER=berth-file\nECS_RESERVED_MEMORY=64' },
    { path: '/etc/ecs/ecs.config', text: '# as on EC2\nECS_CLUSTER=ecs-file\nBERTH_ZONE="eu-west-1c"\n' },
  ]

  it.each([
    ['the command line', { flags: { cluster: 'flag' }, environment: { ...server, ECS_CLUSTER: 'env' }, files }, 'flag'],
    ['the environment', { environment: { ...server, ECS_CLUSTER: 'env' }, files }, 'env'],
    ["Berth's own file", { files }, 'berth-file'],
    ["ECS's file", { files: files.slice(1) }, 'ecs-file'],
    ['nowhere', {}, 'default'],
  ])('%s', (_where, sources, cluster) => {
    expect(compile(sources).config.cluster).toBe(cluster)
  })

  it('is decided for each setting by itself', () => {
    expect(compile({ files }).config).toMatchObject({ reservedMemoryMib: 64, zone: 'eu-west-1c' })
  })

  it('takes an empty text in the environment for unset', () => {
    expect(compile({ environment: { ...server, ECS_CLUSTER: '' }, files }).config.cluster).toBe('berth-file')
  })

  it("takes ECS's name for what Berth calls otherwise, but Berth's first", () => {
    expect(set({ ECS_DATADIR: '/data' }).config.dataDir).toBe('/data')
    expect(set({ ECS_DATADIR: '/data', BERTH_DATA_DIR: '/own' }).config.dataDir).toBe('/own')
  })

  it('is read from files that need not be there', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'berth-agent-config-'))
    try {
      await writeFile(join(directory, 'agent.env'), 'BERTH_SERVER=127.0.0.1:1,127.0.0.1:2\n')
      const paths = [join(directory, 'agent.env'), join(directory, 'absent')]
      expect((await readAgentConfig({}, {}, paths)).config.servers).toEqual(['127.0.0.1:1', '127.0.0.1:2'])
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

describe('values', () => {
  it.each([
    ['ECS_CONTAINER_STOP_TIMEOUT', '1m30s', 'containerStopTimeoutMs', 90_000],
    ['ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION', '1.5h', 'taskCleanupWaitMs', 5_400_000],
    ['ECS_DISABLE_PRIVILEGED', 'TRUE', 'disablePrivileged', true],
    ['ECS_DISABLE_IMAGE_CLEANUP', '1', 'disableImageCleanup', true],
    ['ECS_RESERVED_PORTS', '[22, 80]', 'reservedTcpPorts', [22, 80]],
    ['ECS_INSTANCE_ATTRIBUTES', '{"stack": "blue", "rack": ""}', 'instanceAttributes', { stack: 'blue', rack: '' }],
    ['ECS_IMAGE_PULL_BEHAVIOR', 'prefer-cached', 'imagePullBehavior', 'prefer-cached'],
    ['ECS_LOGLEVEL', 'crit', 'logLevel', 'error'],
    ['ECS_DYNAMIC_HOST_PORT_RANGE', '32768-60999', 'dynamicPorts', { first: 32768, last: 60999 }],
    ['BERTH_CPU', '2048', 'cpu', 2048],
    ['BERTH_SERVER', '[::1]:7000, cell:7001', 'servers', ['[::1]:7000', 'cell:7001']],
  ] as const)('%s=%s', (name, text, key, value) => {
    expect(set({ [name]: text }).config[key]).toEqual(value)
  })

  it.each([
    ['ECS_CONTAINER_STOP_TIMEOUT', '30'],
    ['ECS_CONTAINER_STOP_TIMEOUT', '-5s'],
    ['ECS_IMAGE_CLEANUP_INTERVAL', '1m'],
    ['ECS_RESERVED_MEMORY', '1.5'],
    ['ECS_RESERVED_MEMORY', '-1'],
    ['ECS_DISABLE_PRIVILEGED', 'yes'],
    ['ECS_RESERVED_PORTS', '22'],
    ['ECS_RESERVED_PORTS', '[0]'],
    ['ECS_INSTANCE_ATTRIBUTES', '{"stack": 1}'],
    ['ECS_INSTANCE_ATTRIBUTES', '{"a b": "c"}'],
    ['ECS_INSTANCE_ATTRIBUTES', '{'],
    ['ECS_IMAGE_PULL_BEHAVIOR', 'toString'],
    ['ECS_DYNAMIC_HOST_PORT_RANGE', '60000-50000'],
    ['BERTH_SERVER', 'cell'],
    ['BERTH_SERVER', 'cell:70000'],
    ['BERTH_RUNTIME', 'podman'],
  ])('%s=%s is a mistake that names both', (name, text) => {
    expect(mistakesOf(() => set({ [name]: text }))).toEqual([
      expect.stringMatching(new RegExp(`^${name} \\(from the environment\\): .* is not `)),
    ])
    expect(mistakesOf(() => set({ [name]: text }))[0]).toContain(JSON.stringify(text))
  })
})

describe('mistakes', () => {
  it('are all named at once, each with where it was made', () => {
    const mistakes = mistakesOf(() =>
      compile({
        flags: { cpu: 'many', colour: 'blue' },
        environment: { ECS_AWSVPC_BLOCK_IMDS: 'true' },
        files: [{ path: '/etc/ecs/ecs.config', text: 'ECS_RESERVED_MEMORY=some\nwhat is this' }],
      }),
    )
    expect(mistakes).toHaveLength(6)
    expect(mistakes.join('\n')).toMatch(/\/etc\/ecs\/ecs\.config, line 2/)
    expect(mistakes.join('\n')).toMatch(/BERTH_SERVER is not set/)
    expect(mistakes.join('\n')).toMatch(/--cpu \(from the command line\): "many" is not a whole number/)
    expect(mistakes.join('\n')).toMatch(/ECS_RESERVED_MEMORY \(from \/etc\/ecs\/ecs\.config\)/)
    expect(mistakes.join('\n')).toMatch(/ECS_AWSVPC_BLOCK_IMDS \(from the environment\) is not honoured/)
    expect(mistakes.join('\n')).toMatch(/--colour: there is no such option/)
  })

  it('are also what two settings say together', () => {
    expect(mistakesOf(() => set({ BERTH_MEMORY: '512', ECS_RESERVED_MEMORY: '512' }))).toHaveLength(1)
    expect(mistakesOf(() => set({ ECS_ENGINE_AUTH_TYPE: 'docker' }))).toHaveLength(1)
  })
})

describe("a setting of Amazon's agent that is not honoured", () => {
  it.each(ecsSettingsNotHonoured)('$name: $verdict', ({ name, verdict }) => {
    const wanted = { environment: { ...server, [name]: 'true' } }
    if (verdict === 'refuse') expect(mistakesOf(() => compile(wanted))).toHaveLength(1)
    else expect(compile(wanted).warnings).toEqual([expect.stringContaining(name)])
  })

  it('is of no matter when it asks for nothing', () => {
    expect(set({ ECS_AWSVPC_BLOCK_IMDS: 'false', ECS_ENABLE_TASK_IAM_ROLE: 'false' }).warnings).toEqual([])
  })

  it('is warned of by name when nobody has heard of it', () => {
    expect(set({ ECS_CLUSTR: 'x', BERTH_SERVR: 'y', PATH: '/bin' }).warnings).toHaveLength(2)
  })
})

describe('a host', () => {
  const withFiles = async <T>(work: (directory: string) => Promise<T>): Promise<T> => {
    const directory = await mkdtemp(join(tmpdir(), 'berth-agent-config-'))
    try {
      return await work(directory)
    } finally {
      await rm(directory, { recursive: true })
    }
  }

  it('knows its control plane by the file of a join, by its other files, or by the environment', () =>
    withFiles(async (directory) => {
      const file = join(directory, 'agent.env')
      await writeFile(file, `BERTH_DATA_DIR=${directory}\nBERTH_SERVER=\n`)
      expect(await namesControlPlane({}, {}, [file])).toBe(false)
      expect(await namesControlPlane({}, server, [file])).toBe(true)
      await writeFile(joinedFile(directory), 'BERTH_SERVER=cell.example:7000\n')
      expect(await namesControlPlane({}, {}, [file])).toBe(true)
    }))

  it('that was told an address which is none has something to be told at its start', () =>
    withFiles(async (directory) => {
      const file = join(directory, 'agent.env')
      await writeFile(file, `BERTH_DATA_DIR=${directory}\nBERTH_SERVER=no port\n`)
      expect(await namesControlPlane({}, {}, [file])).toBe(true)
    }))
})
