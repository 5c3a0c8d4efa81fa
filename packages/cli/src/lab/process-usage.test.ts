import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseProcessUsage } from './process-usage.ts'

test('fields are counted behind a name with spaces and brackets', () => {
  const fields = Array.from({ length: 50 }, (_, index) => String(index + 3))
  fields[14 - 3] = '150'
  fields[15 - 3] = '50'
  fields[24 - 3] = '256'
  expect(parseProcessUsage(`42 (a ) name) ${fields.join(' ')}`)).toEqual({ cpuSeconds: 2, rssBytes: 2 ** 20 })
})

test('this process takes memory', () => {
  const { rssBytes } = parseProcessUsage(readFileSync('/proc/self/stat', 'utf8'))
  expect(rssBytes).toBeGreaterThan(2 ** 20)
})
