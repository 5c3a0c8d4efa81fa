import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from '../docker/docker-under-test.ts'
import { type RedisProcess, startRedis } from './redis-process.ts'

/** A primary, a replica and three Sentinels over them, with a password. */
export interface SentinelGroup {
  /** `redis-sentinel://...`, as a control plane is told. */
  readonly url: string
  readonly servers: readonly RedisProcess[]
  /** The one that the Sentinels say is the primary. */
  primary(): Promise<RedisProcess>
  /** Makes the Sentinel that the URL names first stand still, or go on. */
  freezeFirstSentinel(): void
  thawFirstSentinel(): void
  remove(): Promise<void>
}

const name = 'berth'
const password = 'sentinel-test'
const sentinels = 3
/** Short, so that a test need not wait for long; a second without an answer is much on one machine. */
const downAfterMs = 1500

export async function startSentinelGroup(): Promise<SentinelGroup> {
  const settings = { requirepass: password, masterauth: password }
  const first = await startRedis({ settings })
  const second = await startRedis({ settings: { ...settings, replicaof: `127.0.0.1 ${first.port}` } })
  const servers = [first, second]
  const directory = mkdtempSync(join(tmpdir(), 'berth-sentinel-'))
  const children: ChildProcess[] = []
  const ports: number[] = []
  const ask = async <T>(port: number, use: (client: Redis) => Promise<T>, secret?: string): Promise<T | undefined> => {
    const client = new Redis({
      port,
      protocol: 2,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      commandTimeout: 1000,
      ...(secret && { password: secret }),
    })
    client.on('error', () => {})
    try {
      return await use(client)
    } catch {
      return undefined
    } finally {
      client.disconnect()
    }
  }
  const until = async (what: string, isSo: () => Promise<boolean>) => {
    const deadline = performance.now() + 30_000
    while (!(await isSo())) {
      if (performance.now() > deadline) throw new Error(`not within 30 s: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  for (let number = 0; number < sentinels; number++) {
    const port = await freePort()
    const path = join(directory, `sentinel-${port}.conf`)
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${directory}`,
      `sentinel monitor ${name} 127.0.0.1 ${first.port} 2`,
      `sentinel auth-pass ${name} ${password}`,
      `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
      `sentinel failover-timeout ${name} 5000`,
    ]
    writeFileSync(path, lines.join('\n'))
    ports.push(port)
    children.push(spawn('redis-server', [path, '--sentinel'], { stdio: 'ignore' }))
  }
  await until('the replica follows', async () => {
    const role = await ask(second.port, (client) => client.call('ROLE') as Promise<unknown[]>, password)
    return role?.[3] === 'connected'
  })
  for (const port of ports)
    await until('the Sentinels know each other and the replica', async () => {
      const state = await ask(port, (client) => client.call('SENTINEL', ['MASTER', name]) as Promise<string[]>)
      const field = (key: string) => state?.[state.indexOf(key) + 1]
      return field('num-other-sentinels') === String(sentinels - 1) && field('num-slaves') === '1'
    })

  return {
    url: `redis-sentinel://:${password}@${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${name}`,
    servers,
    async primary() {
      for (const port of ports) {
        const [, at] =
          (await ask(
            port,
            (client) => client.call('SENTINEL', ['GET-MASTER-ADDR-BY-NAME', name]) as Promise<string[]>,
          )) ?? []
        const server = servers.find((each) => each.port === Number(at))
        if (server) return server
      }
      throw new Error('no Sentinel answers')
    },
    freezeFirstSentinel: () => void children[0]?.kill('SIGSTOP'),
    thawFirstSentinel: () => void children[0]?.kill('SIGCONT'),
    async remove() {
      for (const child of children) {
        const gone = once(child, 'exit')
        child.kill('SIGKILL')
        await gone
      }
      for (const server of servers) await server.remove()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
