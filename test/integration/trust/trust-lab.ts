import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { berthApi } from '@berth/cli/ecs/berth-client.ts'
import { type EcsClient, ecsClient } from '@berth/cli/ecs/ecs-client.ts'
import { compileControlPlaneConfig } from '@berth/control-plane/config/control-plane-config.ts'
import { type RunningControlPlane, startControlPlane } from '@berth/control-plane/start-control-plane.ts'
import { type Clock, systemClock } from '@berth/shared/clock.ts'
import { type Log, type LogFields, silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import type { CreateJoinTokenAnswer } from '@berth/control-plane/api/berth/join-tokens.ts'
import { eventually } from '../../e2e/eventually.ts'
import { type RedisProcess, startRedis } from '../../redis/redis-process.ts'

/** A control plane with TLS on everything, over a Redis of its own, in this process. */
export interface TrustLab {
  readonly directory: string
  /** `https://127.0.0.1:port` */
  readonly api: string
  /** `127.0.0.1:port` where agents are listened for. */
  readonly agents: string
  readonly redis: RedisProcess
  readonly ecs: EcsClient
  readonly berth: EcsClient
  /** Lines that the control plane has logged: message and `reason`. */
  readonly logged: string[]
  /** How far the control plane's clock is ahead of the machine's, in ms. */
  clockAheadMs: number
  /** The roots in PEM, as clients on this machine have them. */
  readonly caFile: string
  token(more?: object): Promise<string>
  /** A directory for one host's agent. */
  hostDirectory(name: string): string
  /** Ends the control plane in order and starts it again, at the same addresses. */
  restart(): Promise<void>
  clientWith(key: { readonly accessKeyId: string; readonly secretAccessKey: string }): EcsClient
  remove(): Promise<void>
}

export const rootKey = { accessKeyId: 'AKIATRUSTLAB00000000', secretAccessKey: 'secret-of-the-trust-lab', name: 'root' }

export async function startTrustLab(more: Readonly<Record<string, string>> = {}): Promise<TrustLab> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-trust-'))
  const redis = await startRedis()
  const keys = join(directory, 'keys.json')
  writeFileSync(keys, JSON.stringify([rootKey]), { mode: 0o600 })
  const caFile = join(directory, 'ca.pem')
  const environment = {
    BERTH_LISTEN: '127.0.0.1:0',
    BERTH_AGENT_LISTEN: '127.0.0.1:0',
    BERTH_REDIS_URL: redis.url,
    BERTH_ACCESS_KEYS_FILE: keys,
    BERTH_SECRET_KEY_FILE: join(directory, 'secret.key'),
    BERTH_CA_BUNDLE_FILE: caFile,
    BERTH_TLS: 'on',
    BERTH_AGENT_TLS: 'mtls',
    BERTH_LEASE: '1s',
    ...more,
  }
  const logged: string[] = []
  const note = (message: string, fields?: LogFields) =>
    void logged.push(`${message}: ${JSON.stringify(fields?.['reason'] ?? '').slice(1, -1)}`)
  const log: Log = { ...silentLog, info: note, warn: note }
  const state = { clockAheadMs: 0 }
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + state.clockAheadMs }
  const start = (listen: Readonly<Record<string, string>> = {}) => {
    const config = compileControlPlaneConfig({ flags: {}, environment: { ...environment, ...listen }, files: [] })
    return startControlPlane(config, { clock, random: systemRandom(), log })
  }
  let running: RunningControlPlane
  try {
    running = await start()
  } catch (error) {
    await redis.remove()
    rmSync(directory, { recursive: true })
    throw error
  }
  const api = `https://127.0.0.1:${running.apiPort}`
  const client = (key: { readonly accessKeyId: string; readonly secretAccessKey: string }, of?: typeof berthApi) =>
    ecsClient(
      { endpoint: api, region: 'us-east-1', key: { name: 'lab', ...key }, ca: readFileSync(caFile, 'utf8') },
      of,
    )
  const berth = client(rootKey, berthApi)
  const lab: TrustLab = {
    directory,
    api,
    agents: `127.0.0.1:${running.agentPort}`,
    redis,
    ecs: client(rootKey),
    berth,
    logged,
    get clockAheadMs() {
      return state.clockAheadMs
    },
    set clockAheadMs(ms: number) {
      state.clockAheadMs = ms
    },
    caFile,
    token: async (wanted = {}) => (await berth<CreateJoinTokenAnswer>('CreateJoinToken', wanted)).token,
    hostDirectory: (name) => mkdtempSync(join(directory, `${name}-`)),
    async restart() {
      await running.stop()
      running = await start({
        BERTH_LISTEN: `127.0.0.1:${running.apiPort}`,
        BERTH_AGENT_LISTEN: `127.0.0.1:${running.agentPort}`,
      })
      await eventually('the control plane leads again', () => lab.ecs('ListClusters', {}))
    },
    clientWith: (key) => client(key),
    async remove() {
      await running.stop()
      await redis.remove()
      rmSync(directory, { recursive: true })
    },
  }
  await eventually('the control plane leads', () => lab.ecs('ListClusters', {}))
  return lab
}
