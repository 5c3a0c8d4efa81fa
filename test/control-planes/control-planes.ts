import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../docker/docker-under-test.ts'
import { type RedisProcess, startRedis } from '../redis/redis-process.ts'
import { type Balancer, startBalancer } from './balancer.ts'
import { type StallableProxy, stallableProxy } from './stallable-proxy.ts'

/** What a control plane says of itself. */
export interface Health {
  readonly leading: boolean
  readonly hosts: number
  /** There only where it neither leads nor reaches Redis. */
  readonly cutOff?: true
}

/** One control plane of several, as a process of its own, with a way to Redis that can be cut. */
export interface ControlPlane {
  readonly number: number
  readonly apiPort: number
  readonly agentPort: number
  /** What `/_berth/health` says; `undefined` while it does not answer. */
  health(): Promise<Health | undefined>
  log(): string
  start(): void
  /** Ends it in order. */
  stop(): Promise<void>
  /** Ends it as `kill -9` does. */
  kill(): Promise<void>
  freeze(): void
  thaw(): void
  cutFromRedis(): void
  joinRedis(): void
}

/** Several control planes over one Redis, behind one address. */
export interface ControlPlanes {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Where agents join. */
  readonly agentServers: readonly string[]
  readonly redis: RedisProcess
  readonly planes: readonly ControlPlane[]
  /** The one that leads, once there is one. */
  leader(except?: ControlPlane): Promise<ControlPlane>
  stop(): Promise<void>
}

export interface ControlPlanesOptions {
  readonly count?: number
  readonly settings?: Readonly<Record<string, string>>
  /** URL of a Redis that is already there. Default: one of its own, with `always`. */
  readonly redisUrl?: string
}

const main = fileURLToPath(new URL('../../packages/control-plane/src/main.ts', import.meta.url))
const key = { accessKeyId: 'AKIDCONTROLPLANES', secretAccessKey: 'control-planes-secret', name: 'root' }
const region = 'us-east-1'
const patienceMs = 60_000

/** Starts them, and resolves when one leads; `stop` must be called in the end. */
export async function startControlPlanes(options: ControlPlanesOptions = {}): Promise<ControlPlanes> {
  const { count = 3, settings = {} } = options
  const directory = mkdtempSync(join(tmpdir(), 'berth-control-planes-'))
  const redis = await startRedis()
  const keys = join(directory, 'keys.json')
  writeFileSync(keys, JSON.stringify([key]), { mode: 0o600 })
  const planes: (ControlPlane & { close(): Promise<void> })[] = []
  let balancer: Balancer | undefined

  const leader = async (except?: ControlPlane): Promise<ControlPlane> => {
    const deadline = performance.now() + patienceMs
    for (;;) {
      for (const plane of planes) if (plane !== except && (await plane.health())?.leading === true) return plane
      if (performance.now() > deadline)
        throw new Error(`nobody leads:\n${planes.map((each) => each.log().slice(-2000)).join('\n---\n')}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const stop = async () => {
    await balancer?.close()
    await Promise.all(planes.map((plane) => plane.close()))
    await redis.remove()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    for (let number = 1; number <= count; number++) {
      const way = await stallableProxy({ host: '127.0.0.1', port: redis.port })
      const redisUrl = options.redisUrl ?? `redis://127.0.0.1:${way.port}`
      const environment = { BERTH_REDIS_URL: redisUrl, BERTH_REGION: region, BERTH_ACCESS_KEYS_FILE: keys, ...settings }
      planes.push(await newPlane(number, directory, environment, way))
    }
    balancer = await startBalancer(planes.map(({ apiPort }) => apiPort))
    for (const plane of planes) plane.start()
    await leader()
    return {
      endpoint: `http://127.0.0.1:${balancer.port}`,
      region,
      credentials: key,
      agentServers: planes.map(({ agentPort }) => `127.0.0.1:${agentPort}`),
      redis,
      planes,
      leader,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function newPlane(
  number: number,
  directory: string,
  settings: Readonly<Record<string, string>>,
  way: StallableProxy,
): Promise<ControlPlane & { close(): Promise<void> }> {
  const apiPort = await freePort()
  const agentPort = await freePort()
  const logPath = join(directory, `control-plane-${number}.log`)
  writeFileSync(logPath, '')
  let child: ChildProcess | undefined

  const end = async (signal: NodeJS.Signals) => {
    const ending = child
    child = undefined
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return
    const gone = once(ending, 'exit')
    ending.kill('SIGCONT')
    ending.kill(signal)
    await gone
  }
  return {
    number,
    apiPort,
    agentPort,
    async health() {
      const signal = AbortSignal.timeout(500)
      const answer = await fetch(`http://127.0.0.1:${apiPort}/_berth/health`, { signal }).catch(() => undefined)
      return answer === undefined ? undefined : ((await answer.json()) as Health)
    },
    log: () => readFileSync(logPath, 'utf8'),
    start() {
      const log = openSync(logPath, 'a')
      child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
        env: {
          ...withoutSettings(process.env),
          BERTH_LISTEN: `127.0.0.1:${apiPort}`,
          BERTH_AGENT_LISTEN: `127.0.0.1:${agentPort}`,
          ...settings,
        },
        stdio: ['ignore', log, log],
      })
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    cutFromRedis: () => way.stall(),
    joinRedis: () => way.resume(),
    async close() {
      await end('SIGKILL')
      await way.close()
    },
  }
}

const withoutSettings = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(BERTH|AWS|ECS)_/.test(name)))
