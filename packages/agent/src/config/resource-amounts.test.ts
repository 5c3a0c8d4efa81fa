import { expect, it } from 'vitest'
import { resourceAmounts } from './resource-amounts.ts'

it.each([
  ['{"fpga": 2, "licence.x": 10}', { fpga: 2, 'licence.x': 10 }],
  ['{}', {}],
  ['fpga=2', { fpga: 2 }],
  ['fpga=2, tape-drive=1', { fpga: 2, 'tape-drive': 1 }],
])('%s', (text, expected) => {
  expect(resourceAmounts.read(text)).toEqual(expected)
})

it.each([
  '',
  '{"fpga": "2"}',
  '{',
  'fpga',
  'fpga=',
  'fpga=0',
  'fpga=1.5',
  'fpga=-1',
  'a b=1',
  '=1',
  'gpu=1',
  'Memory=5',
])('%s is none', (text) => {
  expect(resourceAmounts.read(text)).toBeUndefined()
})
