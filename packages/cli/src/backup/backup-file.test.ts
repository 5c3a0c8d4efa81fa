import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { decodeBackup, encodeBackup } from './backup-file.ts'

const file = {
  cell: 'default',
  takenAt: 1_700_000_000_000,
  backup: {
    epoch: 7,
    sequence: 42,
    documents: [['trust', '{"sealed":"é"}']] as const,
    records: [
      { table: 'tasks', key: 'a', value: '{"n":"line\\nbreak"}' },
      { table: 'hosts', key: '\u2028', value: '1' },
    ],
  },
}

test('a backup comes back as it was', () => {
  expect(decodeBackup(encodeBackup(file))).toEqual(file)
})

test('one without records does, too', () => {
  const empty = { ...file, backup: { ...file.backup, records: [], documents: [] } }
  expect(decodeBackup(encodeBackup(empty))).toEqual(empty)
})

test.each([
  ['a byte is different', (text: string) => text.replace('"a"', '"b"')],
  ['a line is missing', (text: string) => text.split('\n').toSpliced(1, 1).join('\n')],
  ['it was cut', (text: string) => text.slice(0, -10)],
  ['it is something else', () => 'hello'],
])('one of which %s is refused', (_what, damage) => {
  const text = gunzipSync(encodeBackup(file)).toString()
  expect(() => decodeBackup(gzipSync(damage(text)))).toThrow('no backup of Berth')
})

test('bytes that are no gzip are refused', () => {
  expect(() => decodeBackup(Buffer.from('hello'))).toThrow('no backup of Berth')
})
