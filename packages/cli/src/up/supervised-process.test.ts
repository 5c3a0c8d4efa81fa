import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@berth/shared/log.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isAlive } from '@berth/shared/process-identity.ts'
import { processClock } from '../process-clock.ts'
import { SupervisedProcess } from './supervised-process.ts'

let directory: string
let supervised: SupervisedProcess
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-supervised-'))
})
afterEach(async () => {
  await supervised.stop()
  rmSync(directory, { recursive: true })
})

function run(command: string, args: readonly string[], stopGraceMs = 30_000): SupervisedProcess {
  const spec = { name: 'x', command, args, environment: process.env, stopGraceMs }
  supervised = new SupervisedProcess(spec, {
    clock: processClock,
    random: seededRandom(1),
    log: silentLog,
    logPath: join(directory, 'x.log'),
    onChange: () => undefined,
  })
  supervised.start()
  return supervised
}

const shell = (script: string, stopGraceMs?: number) => run('sh', ['-c', script], stopGraceMs)

test('a process that is killed is started again, as another process', async () => {
  const { identity: first } = run('sleep', ['600'])
  if (first === undefined) throw new Error('it was not started')
  process.kill(first.pid, 'SIGKILL')
  await vi.waitFor(() => expect(supervised.restarts).toBe(1), { timeout: 20_000 })
  expect(supervised.lastEnd).toBe('SIGKILL')
  expect(supervised.identity?.pid).not.toBe(first.pid)
  expect(isAlive(first)).toBe(false)
})

test('a process that ends with the code for good is not started again, and what follows from it is done once', async () => {
  const followUp = vi.fn<() => void>()
  const spec = { name: 'x', command: 'sh', args: ['-c', 'exit 5'], environment: process.env, stopGraceMs: 1000 }
  supervised = new SupervisedProcess(
    { ...spec, endsForGood: { exitCode: 5, followUp } },
    {
      clock: processClock,
      random: seededRandom(1),
      log: silentLog,
      logPath: join(directory, 'x.log'),
      onChange: () => undefined,
    },
  )
  supervised.start()
  await vi.waitFor(() => expect(supervised.lastEnd).toBe('exit code 5'), { timeout: 20_000 })
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(supervised.restarts).toBe(0)
  expect(followUp).toHaveBeenCalledTimes(1)
})

test('a process that is stopped is gone, and stays so', async () => {
  const { identity } = run('sleep', ['600'])
  if (identity === undefined) throw new Error('it was not started')
  await supervised.stop()
  expect(isAlive(identity)).toBe(false)
  expect(supervised.restarts).toBe(0)
})

test('one that does not want to stop is killed after its grace', async () => {
  const ready = join(directory, 'ready')
  const { identity } = shell(`trap '' TERM; : >${ready}; while :; do sleep 0.1; done`, 200)
  if (identity === undefined) throw new Error('it was not started')
  await vi.waitFor(() => expect(existsSync(ready)).toBe(true), { timeout: 20_000 })
  await supervised.stop()
  expect(isAlive(identity)).toBe(false)
})

test('deaths in a row are counted, and what it wrote last can be shown', async () => {
  shell('echo "I am $$"; echo why >&2; exit 3')
  await vi.waitFor(() => expect(supervised.deathsInARow).toBeGreaterThanOrEqual(3), { timeout: 20_000 })
  await supervised.stop()
  expect(supervised.lastEnd).toBe('exit code 3')
  expect(supervised.logTail(10)).toMatch(/^I am \d+\nwhy$/)
  expect(readFileSync(join(directory, 'x.log'), 'utf8').match(/why/g)?.length).toBeGreaterThanOrEqual(3)
})

test('a program that is not there is told from one that dies', async () => {
  run(join(directory, 'nothing-here'), [])
  await vi.waitFor(() => expect(supervised.cannotRun).toBe(true), { timeout: 20_000 })
})

test('a process has a session of its own, which the terminal does not reach', () => {
  const { identity } = run('sleep', ['600'])
  const stat = readFileSync(`/proc/${identity?.pid}/stat`, 'utf8')
  const session = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]
  expect(Number(session)).toBe(identity?.pid)
})
