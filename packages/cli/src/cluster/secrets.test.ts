import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type DataDirectory, dataDirectoryAt } from './data-directory.ts'
import { newAccessKey, readOrMakeAccessKeys, readOrMakeSecrets } from './secrets.ts'

let directory: DataDirectory
beforeEach(() => {
  directory = dataDirectoryAt(mkdtempSync(join(tmpdir(), 'berth-secrets-')))
})
afterEach(() => rmSync(directory.root, { recursive: true }))

test('a key has the form of an AWS key, and no two are equal', () => {
  const [one, other] = [newAccessKey('root'), newAccessKey('root')]
  expect(one.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/)
  expect(one.secretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/)
  expect(other.accessKeyId).not.toBe(one.accessKeyId)
  expect(other.secretAccessKey).not.toBe(one.secretAccessKey)
})

test('keys and secrets are made once, and for their owner alone', () => {
  const made = [readOrMakeAccessKeys(directory), readOrMakeSecrets(directory)]
  expect([readOrMakeAccessKeys(directory), readOrMakeSecrets(directory)]).toEqual(made)
  expect(statSync(directory.accessKeys).mode & 0o777).toBe(0o600)
  expect(statSync(directory.secrets).mode & 0o777).toBe(0o600)
})

test('a file that others could read is closed to them', () => {
  readOrMakeAccessKeys(directory)
  chmodSync(directory.accessKeys, 0o644)
  readOrMakeAccessKeys(directory)
  expect(statSync(directory.accessKeys).mode & 0o777).toBe(0o600)
})

test('a broken file is named, and nothing of it is shown', () => {
  writeFileSync(directory.secrets, '{"agentToken": "tell-nobody')
  expect(() => readOrMakeSecrets(directory)).toThrow(directory.secrets)
  expect(() => readOrMakeSecrets(directory)).not.toThrow('tell-nobody')
})
