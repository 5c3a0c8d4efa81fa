import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { identifyProcess, isAlive, parseProcessStat } from './process-identity.ts'

const numbers = Array.from({ length: 40 }, (_, index) => String(index + 4)).join(' ')

test.each([
  ['a plain name', `17 (node) S ${numbers}`, { ended: false, startTicks: 22 }],
  ['a name that looks like fields', `17 (a) Z 1 (b) R ${numbers}`, { ended: false, startTicks: 22 }],
  ['one that ended', `17 (node) Z ${numbers}`, { ended: true, startTicks: 22 }],
  ['nonsense', 'nonsense', undefined],
  ['nothing', '', undefined],
])('the state of a process is read: %s', (_what, stat, parsed) => {
  expect(parseProcessStat(stat)).toEqual(parsed)
})

test('this process is alive, another of its number is not', () => {
  const self = identifyProcess(process.pid)
  if (self === undefined) throw new Error('this process has no identity')
  expect(isAlive(self)).toBe(true)
  expect(isAlive({ ...self, startTicks: self.startTicks - 1 })).toBe(false)
  expect(isAlive({ ...self, bootId: 'another' })).toBe(false)
})

test('a process that has ended is not alive', async () => {
  const child = spawn('sleep', ['60'])
  const identity = identifyProcess(child.pid as number)
  if (identity === undefined) throw new Error('the child has no identity')
  expect(isAlive(identity)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(isAlive(identity)).toBe(false)
})
