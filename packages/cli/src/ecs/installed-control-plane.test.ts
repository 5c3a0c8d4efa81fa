import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { installedControlPlane } from './installed-control-plane.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-installed-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const key = { accessKeyId: 'AKIA1', secretAccessKey: 'secret-1', name: 'root' }

/** What is found by these settings; `$D` stands for a directory with keys and roots in it. */
function found(lines: readonly string[], files: Readonly<Record<string, string>> = {}) {
  const all = { 'keys.json': JSON.stringify([key]), 'ca.pem': 'ROOTS', ...files }
  for (const [name, text] of Object.entries(all)) writeFileSync(join(directory, name), text)
  const path = join(directory, 'control-plane.env')
  writeFileSync(path, lines.join('\n').replaceAll('$D', directory))
  return installedControlPlane(path)
}

test('a machine without the settings of one has no control plane', () => {
  expect(installedControlPlane(join(directory, 'control-plane.env'))).toBeUndefined()
})

test.each([
  ['0.0.0.0:4566', 'https://localhost:4566'],
  ['127.0.0.1:4600', 'http://127.0.0.1:4600'],
  ['10.0.0.1:4566', 'https://10.0.0.1:4566'],
  ['[fd00::1]:4566', 'https://[fd00::1]:4566'],
])('one that listens on %s is reached at %s', (listen, endpoint) => {
  const settings = [`BERTH_LISTEN=${listen}`, 'BERTH_ACCESS_KEYS_FILE=$D/keys.json', 'BERTH_CA_BUNDLE_FILE=$D/ca.pem']
  expect(found(settings)).toEqual({
    endpoint,
    region: 'us-east-1',
    key,
    ca: 'ROOTS',
    caFile: join(directory, 'ca.pem'),
  })
})

test('one that was never started has no key yet, and says so', () => {
  expect(() => found(['BERTH_ACCESS_KEYS_FILE=$D/none.json'])).toThrow('systemctl start berth')
})

test('a file of keys that is none is named, and not shown', () => {
  expect(() => found(['BERTH_ACCESS_KEYS_FILE=$D/keys.json'], { 'keys.json': 'secret' })).toThrow(
    `${join(directory, 'keys.json')} is not what Berth keeps there`,
  )
})
