import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultClusterSettings, readSettings, settleSettings, writeSettings } from './cluster-settings.ts'
import { type DataDirectory, dataDirectoryAt } from './data-directory.ts'

let directory: DataDirectory
beforeEach(() => {
  directory = dataDirectoryAt(mkdtempSync(join(tmpdir(), 'berth-settings-')))
})
afterEach(() => rmSync(directory.root, { recursive: true }))

const remembered = { ...defaultClusterSettings, hosts: 5, region: 'eu-west-1', cpu: 512 }

test('what is said counts before what the last start was told, and that before the default', () => {
  expect(settleSettings(directory, {}, undefined)).toEqual(defaultClusterSettings)
  expect(settleSettings(directory, { port: 0 }, remembered)).toEqual({ ...remembered, port: 0 })
})

test.each([['account'], ['region'], ['cluster']] as const)('the %s of existing state cannot be changed', (name) => {
  const another = { [name]: 'other' }
  expect(() => settleSettings(directory, another, remembered)).toThrow(`has ${name} ${remembered[name]}`)
  expect(settleSettings(directory, { [name]: remembered[name] }, remembered)).toEqual(remembered)
  expect(settleSettings(directory, another, undefined)[name]).toBe('other')
})

test('settings are written and read back', () => {
  expect(readSettings(directory)).toBeUndefined()
  writeSettings(directory, remembered)
  expect(readSettings(directory)).toEqual(remembered)
})

test('a file that somebody broke is named', () => {
  writeFileSync(directory.settings, '{"hosts": "many"}')
  expect(() => readSettings(directory)).toThrow(directory.settings)
})
