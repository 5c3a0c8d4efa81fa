import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { logTail, rotateLog } from './log-file.ts'

let directory: string
let log: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-log-'))
  log = join(directory, 'x.log')
})
afterEach(() => rmSync(directory, { recursive: true }))

test('a log is put aside when it is large, and left alone before', () => {
  writeFileSync(log, '123456789')
  rotateLog(log, 10)
  expect(readFileSync(log, 'utf8')).toBe('123456789')
  writeFileSync(log, '1234567890')
  rotateLog(log, 10)
  expect(existsSync(log)).toBe(false)
  expect(readFileSync(`${log}.1`, 'utf8')).toBe('1234567890')
  rotateLog(log, 10)
})

test('the end of a log is its last lines, however long it is', () => {
  expect(logTail(log, 0, 2)).toBe('')
  writeFileSync(log, 'one\ntwo\nthree\n')
  expect(logTail(log, 0, 2)).toBe('two\nthree')
  expect(logTail(log, 8, 2)).toBe('three')
  expect(logTail(log, 14, 2)).toBe('')
  writeFileSync(log, `${'x'.repeat(100_000)}\nlast\n`)
  expect(logTail(log, 0, 1)).toBe('last')
})
