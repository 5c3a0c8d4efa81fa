import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { takeClusterLock } from './cluster-lock.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-lock-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('one has the lock at a time, under whatever name of the directory', async () => {
  const lock = await takeClusterLock(directory)
  symlinkSync(directory, join(directory, 'alias'))
  expect(await takeClusterLock(join(directory, 'alias'))).toBeUndefined()
  await lock?.release()
  const next = await takeClusterLock(directory)
  expect(next).toBeDefined()
  await next?.release()
})

test('a process that is killed leaves no lock behind', async () => {
  const module = fileURLToPath(new URL('cluster-lock.ts', import.meta.url))
  const program = `const { takeClusterLock } = await import(${JSON.stringify(module)})
await takeClusterLock(${JSON.stringify(directory)}); console.log('taken'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  expect(await takeClusterLock(directory)).toBeUndefined()
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = await vi.waitUntil(() => takeClusterLock(directory), { timeout: 20_000 })
  await lock?.release()
})
