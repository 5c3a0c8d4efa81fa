import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const releases = readdirSync(join(root, 'proto/released')).toSorted((a, b) =>
  a.localeCompare(b, 'en', { numeric: true }),
)
const lastRelease = releases.at(-1) ?? ''

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-released-'))
  // Neither may lie inside the other's module for buf to compare them.
  cpSync(join(root, 'proto/released', lastRelease), join(directory, 'released'), { recursive: true })
  cpSync(join(root, 'proto/berth'), join(directory, 'now/berth'), { recursive: true })
  const config = JSON.stringify({ version: 'v2', modules: [{ path: '.' }], breaking: { use: ['FILE'] } })
  for (const side of ['released', 'now']) writeFileSync(join(directory, side, 'buf.yaml'), config)
})
afterEach(() => rmSync(directory, { recursive: true }))

/** What breaks agents or control planes of the last release, one line each. */
function breaks(): readonly string[] {
  const buf = join(root, 'node_modules/.bin/buf')
  const args = ['breaking', 'now', '--against', 'released']
  const { status, stdout, stderr, error } = spawnSync(buf, args, { cwd: directory, encoding: 'utf8' })
  if (error) throw error
  return status === 0 ? [] : `${stdout}${stderr}`.trim().split('\n')
}

test('the protocol breaks neither agents nor control planes of the last release', () => {
  expect(breaks()).toEqual([])
})

test.each([
  ['a number given to another field', 'string cluster = 5;', 'uint32 cluster = 5;'],
  ['a field that is gone', '  string host_id = 7;\n', ''],
  ['a call that is gone', '  rpc Session(stream AgentMessage) returns (stream ControlMessage);\n', ''],
])('%s would be seen', (_, text, replacement) => {
  const path = join(directory, 'now/berth/agent/v1/agent.proto')
  const before = readFileSync(path, 'utf8')
  expect(before).toContain(text)
  writeFileSync(path, before.replace(text, replacement))
  expect(breaks().join()).toContain('agent.proto:')
})
