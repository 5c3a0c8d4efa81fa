import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { until } from '../engine/until.ts'
import { median, type Row } from '../measure.ts'
import { reportRows } from '../report-rows.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const berth = join(root, 'berth')
const execute = promisify(execFile)
const askedMs = 5000

/**
 * How long a user waits on a machine that is set up: for `berth up --detach`, which returns when the endpoint answers and
 * three hosts are registered, and for the endpoint of `npm start`. Each time from an empty data directory.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { short: { type: 'boolean', default: false }, json: { type: 'string' } },
  })
  const rounds = values.short ? 3 : 5
  const up: number[] = []
  const npmStart: number[] = []
  for (let round = 0; round < rounds; round++) {
    up.push(await withDirectory(timeUp))
    npmStart.push(await withDirectory(timeNpmStart))
  }
  const row = (what: string, figure: number): Row => ({
    what,
    figure,
    unit: 'ms',
    asked: `< ${askedMs} ms`,
    reached: figure < askedMs,
  })
  const rows = [
    row('berth up --detach, three hosts registered', median(up)),
    row('npm start, endpoint ready', median(npmStart)),
  ]
  reportRows({ bench: 'start-up', short: values.short, json: values.json, rows })
  return 0
}

async function withDirectory(work: (directory: string, port: string) => Promise<number>): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-bench-up-'))
  try {
    return await work(directory, String(await freePort()))
  } finally {
    await execute(berth, ['down', '--data-dir', directory])
    rmSync(directory, { recursive: true, force: true })
  }
}

async function timeUp(directory: string, port: string): Promise<number> {
  const began = performance.now()
  await execute(berth, ['up', '--detach', '--data-dir', directory, '--port', port])
  return performance.now() - began
}

async function timeNpmStart(directory: string, port: string): Promise<number> {
  const began = performance.now()
  const npm = spawn('npm', ['start', '--', '--data-dir', directory, '--port', port], {
    cwd: root,
    detached: true,
    stdio: 'ignore',
  })
  try {
    await until('the endpoint', () => ready(port, npm), { everyMs: 20, withinMs: 60_000 })
    return performance.now() - began
  } finally {
    await interrupt(npm)
  }
}

async function ready(port: string, npm: ChildProcess): Promise<true | undefined> {
  if (npm.exitCode !== null) throw new Error(`npm start has ended with ${npm.exitCode}`)
  const answer = await fetch(`http://127.0.0.1:${port}/_berth/health`).catch(() => undefined)
  await answer?.body?.cancel()
  return answer?.ok ? true : undefined
}

/** As Ctrl-C: the signal goes to all that npm has started. */
async function interrupt(npm: ChildProcess): Promise<void> {
  if (npm.exitCode !== null || npm.pid === undefined) return
  const gone = once(npm, 'exit')
  process.kill(-npm.pid, 'SIGINT')
  await gone
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
