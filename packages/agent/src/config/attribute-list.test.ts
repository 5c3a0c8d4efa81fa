import { expect, it } from 'vitest'
import { attributes } from './attribute-list.ts'

it.each([
  ['{"stack": "blue", "rack": ""}', { stack: 'blue', rack: '' }],
  ['{}', {}],
  ['stack=blue', { stack: 'blue' }],
  ['stack=blue, rack=7,ssd', { stack: 'blue', rack: '7', ssd: '' }],
  ['url=a=b', { url: 'a=b' }],
])('%s', (text, expected) => {
  expect(attributes.read(text)).toEqual(expected)
})

it.each(['', '{"stack": 1}', '{', 'a b=c', '=x', 'a=1,', `a=${'x'.repeat(129)}`])('%s is none', (text) => {
  expect(attributes.read(text)).toBeUndefined()
})
