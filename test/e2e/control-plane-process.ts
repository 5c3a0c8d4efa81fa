import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ApiEndpoint } from '../conformance/api-under-test.ts'
import { type RedisProcess, startRedis } from '../redis/redis-process.ts'

/** A control plane as it is run for users, with a Redis of its own and no agents. */
export interface ControlPlaneProcess {
  readonly endpoint: ApiEndpoint
  readonly redis: RedisProcess
  /** Memory that the process holds, in MiB. */
  residentMib(): number
  /** Whether the process still is the one that was started. */
  readonly running: boolean
  /** The end of what it has logged. */
  logTail(): string
  stop(): Promise<void>
}

const main = fileURLToPath(new URL('../../packages/control-plane/src/main.ts', import.meta.url))
const key = { accessKeyId: 'AKIDENDTOEND', secretAccessKey: 'end-to-end-secret', name: 'root' }
const region = 'us-east-1'
const pageKib = 4

/** Resolves when the process leads its cell and answers. */
export async function startControlPlaneProcess(): Promise<ControlPlaneProcess> {
  const redis = await startRedis()
  const directory = mkdtempSync(join(tmpdir(), 'berth-control-plane-'))
  const keys = join(directory, 'keys.json')
  writeFileSync(keys, JSON.stringify([key]), { mode: 0o600 })
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
    env: {
      ...process.env,
      BERTH_LISTEN: '127.0.0.1:0',
      BERTH_AGENT_LISTEN: '127.0.0.1:0',
      BERTH_REDIS_URL: redis.url,
      BERTH_REGION: region,
      BERTH_ACCESS_KEYS_FILE: keys,
      BERTH_LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = keepOutput(child)
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    }
    await redis.remove()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const port = await untilListening(child, output)
    await untilReady(port, output)
    return {
      endpoint: { host: '127.0.0.1', port, region, ...key },
      redis,
      residentMib: () => {
        const pages = Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1])
        return (pages * pageKib) / 1024
      },
      get running() {
        return child.exitCode === null && child.signalCode === null
      },
      logTail: () => output.text.slice(-4000),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

interface Output {
  text: string
}

/** Keeps the start and the end of what a process writes; a flood in the middle is dropped. */
function keepOutput(child: ChildProcess): Output {
  const kept: Output = { text: '' }
  const keep = (chunk: string) => {
    kept.text += chunk
    if (kept.text.length > 2_000_000) kept.text = kept.text.slice(0, 10_000) + kept.text.slice(-1_000_000)
  }
  child.stdout?.setEncoding('utf8').on('data', keep)
  child.stderr?.setEncoding('utf8').on('data', keep)
  return kept
}

async function untilListening(child: ChildProcess, output: Output): Promise<number> {
  for (;;) {
    const line = output.text.split('\n').find((each) => each.includes('control plane listens') && each.endsWith('}'))
    if (line !== undefined) return (JSON.parse(line) as { api: number }).api
    if (child.exitCode !== null) throw new Error(`the control plane ended: ${output.text}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function untilReady(port: number, output: Output): Promise<void> {
  const deadline = AbortSignal.timeout(20_000)
  while (!deadline.aborted) {
    const answer = await fetch(`http://127.0.0.1:${port}/_berth/health`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the control plane does not get ready: ${output.text}`)
}
