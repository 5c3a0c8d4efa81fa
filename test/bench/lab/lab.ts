import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RedisProcess, startRedis } from '../../redis/redis-process.ts'
import { type Program, startProgram } from './program.ts'
import type { Endpoint } from './signed-client.ts'

/** A control plane, its Redis and its hosts' agents, each a process, as `berth up` runs them but with room to measure. */
export interface Lab {
  readonly endpoint: Endpoint
  /** Where agents are listened for, at 127.0.0.1. */
  readonly agentPort: number
  readonly redis: RedisProcess
  readonly controlPlane: Program
  readonly agents: readonly Program[]
  /** Ends everything and removes what it has written. Containers of the Docker runtime run on. */
  stop(): Promise<void>
}

export interface LabOptions {
  readonly hosts: number
  readonly runtime: 'docker' | 'fake'
  /** Settings of the control plane beside those that wire it up. */
  readonly controlPlane?: Readonly<Record<string, string>>
  readonly agent?: Readonly<Record<string, string>>
  /** Gives the agents only what nobody else wants of the CPU, as if their hosts were other machines. */
  readonly politeAgents?: boolean
  /** A directory for V8 profiles of all programs, written when they end. */
  readonly profileTo?: string
}

const key = { accessKeyId: 'AKIDBENCHMARK', secretAccessKey: 'benchmark-secret', name: 'root' }
const region = 'us-east-1'
const lowestPriority = 19

/** So much that hosts never fill up. */
const roomOfHost = { BERTH_CPU: '2000000', BERTH_MEMORY: '1000000000' }

export async function startLab(options: LabOptions): Promise<Lab> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-bench-'))
  const redis = await startRedis()
  const programs: Program[] = []
  const stop = async () => {
    for (const program of programs.toReversed()) await program.stop()
    await redis.remove()
    rmSync(directory, { recursive: true, force: true })
  }
  const start = (name: string, main: string, settings: Readonly<Record<string, string>>): Program => {
    const program = startProgram(main, settings, profiling(options.profileTo, name))
    programs.push(program)
    return program
  }
  try {
    const keys = join(directory, 'keys.json')
    writeFileSync(keys, JSON.stringify([key]), { mode: 0o600 })
    const controlPlane = start('control-plane', 'packages/control-plane/src/main.ts', {
      BERTH_LISTEN: '127.0.0.1:0',
      BERTH_AGENT_LISTEN: '127.0.0.1:0',
      BERTH_REDIS_URL: redis.url,
      BERTH_REGION: region,
      BERTH_ACCESS_KEYS_FILE: keys,
      ...options.controlPlane,
    })
    const listening = await controlPlane.logged('control plane listens')
    const ports = JSON.parse(listening) as { api: number; agents: number }
    const agents = Array.from({ length: options.hosts }, (_, index) => {
      const dataDirectory = join(directory, `agent-${index + 1}`)
      mkdirSync(dataDirectory)
      return start(`agent-${index + 1}`, 'packages/agent/src/main.ts', {
        BERTH_SERVER: `127.0.0.1:${ports.agents}`,
        BERTH_DATA_DIR: dataDirectory,
        BERTH_HOST_ADDRESS: `127.0.0.${index + 2}`,
        BERTH_OFFERS_FARGATE: 'true',
        BERTH_RUNTIME: options.runtime,
        ...roomOfHost,
        ...options.agent,
      })
    })
    await Promise.all(agents.map((agent) => agent.logged('Joined the control plane')))
    if (options.politeAgents) for (const { pid } of agents) setPriority(pid, lowestPriority)
    return {
      endpoint: { host: '127.0.0.1', port: ports.api, region, ...key },
      agentPort: ports.agents,
      redis,
      controlPlane,
      agents,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const profiling = (directory: string | undefined, name: string): readonly string[] =>
  directory === undefined
    ? []
    : ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-name=${name}-${Date.now()}.cpuprofile`]
