import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identifyProcess } from '@berth/shared/process-identity.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { takeHolderFile } from './holder-file.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-holder-'))
  path = join(directory, 'holder')
})
afterEach(() => rmSync(directory, { recursive: true }))

const content = () =>
  JSON.parse(readFileSync(path, 'utf8')) as { holder: string; process: object; pidNamespace: string }

/** What a process would have noted. */
const note = (changes: object) => {
  takeHolderFile(path, 'before')
  writeFileSync(path, JSON.stringify({ ...content(), ...changes }))
}

test('the first has no predecessor, and the file names it', () => {
  expect(takeHolderFile(path, 'one')).toBeUndefined()
  expect(content().holder).toBe('one')
})

test('a holder whose process was killed is the predecessor; one whose process lives is not', async () => {
  const child = spawn('sleep', ['60'])
  note({ process: identifyProcess(child.pid ?? 0) })
  const written = readFileSync(path, 'utf8')
  expect(takeHolderFile(path, 'next')).toBeUndefined()
  child.kill('SIGKILL')
  await once(child, 'exit')
  writeFileSync(path, written)
  expect(takeHolderFile(path, 'next')).toBe('before')
})

test.each([
  ['another start of the machine, or another machine', { process: { pid: 4_000_000, startTicks: 1, bootId: 'other' } }],
  ['processes that are not seen from here', { process: dead(), pidNamespace: 'pid:[1]' }],
  ['nonsense', { process: 7 }],
])('a note of %s says nothing', (_what, changes) => {
  note(changes)
  expect(takeHolderFile(path, 'next')).toBeUndefined()
})

test('a process number that another process has now is not the one that noted itself', () => {
  note({ process: { ...identifyProcess(process.pid), startTicks: 1 } })
  expect(takeHolderFile(path, 'next')).toBe('before')
})

function dead() {
  return { ...identifyProcess(process.pid), pid: 4_000_000 }
}
