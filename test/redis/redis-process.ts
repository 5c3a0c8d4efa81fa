import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface RedisProcessOptions {
  /** Settings of the server, beside those below. */
  readonly settings?: Readonly<Record<string, string>>
}

/** What every server starts with: each write is on the disk before it is acknowledged, and nothing else writes there. */
const baseSettings = { appendonly: 'yes', appendfsync: 'always', save: '' }

/** A Redis server of one's own, on a free port, with its data in a directory of its own. */
export interface RedisProcess {
  readonly url: string
  readonly port: number
  /** Where its log of writes is; outlives `kill` and `stop`, not `remove`. */
  readonly directory: string
  /** Starts it again over what it left, and resolves when it answers. */
  start(): Promise<void>
  /** Ends it as a crash would. */
  kill(): Promise<void>
  /** Ends it in order. */
  stop(): Promise<void>
  /** Makes it stand still, with all connections open. */
  freeze(): void
  thaw(): void
  /** Ends it and deletes its data. */
  remove(): Promise<void>
}

/** Starts a Redis server; `remove` must be called in the end. */
export async function startRedis({ settings = {} }: RedisProcessOptions = {}): Promise<RedisProcess> {
  const port = await freePort()
  const directory = await mkdtemp(join(tmpdir(), 'berth-redis-'))
  let running: ChildProcess | undefined

  const end = async (signal: NodeJS.Signals) => {
    const ending = running
    if (!ending) return
    running = undefined
    const gone = once(ending, 'exit')
    ending.kill('SIGCONT')
    ending.kill(signal)
    await gone
  }
  const redis: RedisProcess = {
    url: `redis://127.0.0.1:${port}`,
    port,
    directory,
    async start() {
      running = spawnRedis(port, directory, { ...baseSettings, ...settings })
      await answering(running)
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    freeze: () => void running?.kill('SIGSTOP'),
    thaw: () => void running?.kill('SIGCONT'),
    async remove() {
      await end('SIGKILL')
      await rm(directory, { recursive: true, force: true })
    },
  }
  await redis.start()
  return redis
}

function spawnRedis(port: number, directory: string, settings: Readonly<Record<string, string>>): ChildProcess {
  const given = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--logfile', '', ...given]
  return spawn('redis-server', [...args, '--loglevel', 'notice'], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Resolves when the server says that it takes connections. */
async function answering(server: ChildProcess): Promise<void> {
  let said = ''
  await new Promise<void>((resolve, reject) => {
    server.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (said.includes('Ready to accept connections')) return
      said += text
      if (said.includes('Ready to accept connections')) resolve()
    })
    server.once('error', reject)
    server.once('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${said}`)))
  })
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
