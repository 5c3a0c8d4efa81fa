import { expect, it } from 'vitest'
import { partOf } from './parts.ts'

it.each([
  [['control-plane', '--help'], 'control-plane'],
  [['agent'], 'agent'],
  [['lab-hosts'], 'lab-hosts'],
])('berth %s is a part of its own', (argv, part) => {
  expect(partOf(['node', 'berth', ...argv])).toBe(part)
})

it.each([[['up', 'agent']], [['toString']], [['--agent']], [[]]])('berth %s is a command', (argv) => {
  expect(partOf(['node', 'berth', ...argv])).toBeUndefined()
})
