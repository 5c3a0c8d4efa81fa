import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CliError } from '../cli-error.ts'
import { type DataDirectory, dataDirectoryAt } from './data-directory.ts'
import { identifyProcess, type ProcessIdentity } from '@berth/shared/process-identity.ts'
import { parseRunState, readRunState, removeRunState, requireUp, type RunState, writeRunState } from './run-state.ts'

const self = identifyProcess(process.pid) as ProcessIdentity
const gone: ProcessIdentity = { ...self, startTicks: self.startTicks + 1 }

const state: RunState = {
  version: 1,
  phase: 'ready',
  supervisor: self,
  startedAt: 1,
  endpoint: 'http://127.0.0.1:4566',
  ports: { api: 4566, agents: 4567, redis: 40_000 },
  account: '123456789012',
  region: 'us-east-1',
  cluster: 'default',
  hosts: [{ name: 'host-1', address: '127.64.0.1', zone: 'us-east-1a', cpu: 2048, memoryMib: 4096 }],
  processes: [{ name: 'control-plane', identity: self, restarts: 0 }],
}

let directory: DataDirectory
beforeEach(() => {
  directory = dataDirectoryAt(mkdtempSync(join(tmpdir(), 'berth-run-state-')))
})
afterEach(() => rmSync(directory.root, { recursive: true }))

describe('what runs', () => {
  test('is written for the owner alone, read back, and removed', () => {
    writeRunState(directory, state)
    expect(statSync(directory.run).mode & 0o777).toBe(0o600)
    expect(readRunState(directory)).toEqual(state)
    removeRunState(directory)
    expect(readRunState(directory)).toBeUndefined()
  })

  test.each([
    ['no JSON', '{'],
    ['another version', JSON.stringify({ ...state, version: 2 })],
    ['a port that is none', JSON.stringify({ ...state, ports: { ...state.ports, api: 0 } })],
    ['a process without a number', JSON.stringify({ ...state, supervisor: { pid: 'x' } })],
  ])('is refused when it is %s', (_what, text) => {
    expect(() => parseRunState('/d/run.json', text)).toThrow(CliError)
    expect(() => parseRunState('/d/run.json', text)).toThrow('/d/run.json cannot be read')
  })
})

describe('a cluster is up', () => {
  const processes = (identity: ProcessIdentity) => [{ name: 'control-plane', identity, restarts: 0 }]

  test.each([
    ['while it is ready and looked after', state, 'up'],
    ['also when nobody looks after it any more', { ...state, supervisor: gone }, 'up'],
    ['also while its control plane is being restarted', { ...state, processes: processes(gone) }, 'up'],
    ['not when all that ran is gone', { ...state, supervisor: gone, processes: processes(gone) }, 'is not up'],
    ['not while it starts', { ...state, phase: 'starting' as const }, 'is still starting'],
    ['not when its start was cut off', { ...state, phase: 'starting' as const, supervisor: gone }, 'is not up'],
    ['not while it stops', { ...state, phase: 'stopping' as const }, 'is not up'],
    ['not when nothing was ever started', undefined, 'is not up'],
  ])('%s', (_when, written, expected) => {
    if (written !== undefined) writeRunState(directory, written)
    if (expected === 'up') expect(requireUp(directory)).toEqual(written)
    else expect(() => requireUp(directory)).toThrow(expected)
  })
})
