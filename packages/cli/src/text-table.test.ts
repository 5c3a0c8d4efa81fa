import { expect, test } from 'vitest'
import { textTable } from './text-table.ts'

test('columns are as wide as their widest cell and keep to their side', () => {
  expect(
    textTable(
      [{ head: 'NAME' }, { head: 'CPU', align: 'right' }, { head: 'STATE' }],
      [
        ['host-1', '5', 'connected'],
        ['h', '1024', ''],
      ],
    ),
  ).toEqual(['NAME     CPU  STATE', 'host-1     5  connected', 'h       1024'])
})

test('a row that is too short has empty cells', () => {
  expect(textTable([{ head: 'A' }, { head: 'B' }], [['1']])).toEqual(['A  B', '1'])
})
