import { expect, test } from 'vitest'
import { judgeAssignments } from './assignment-link.ts'

const at = (epoch: number, number: number) => ({ epoch, number })
const full = (epoch: number, number: number) => ({
  revision: at(epoch, number),
  previous: undefined,
  full: true,
  put: [],
  removeTaskArns: [],
})
const delta = (epoch: number, number: number, on = number - 1) => ({
  ...full(epoch, number),
  previous: at(epoch, on),
  full: false,
})

test.each([
  ['a full set to a new host', full(1, 1), at(0, 0), undefined, 'apply'],
  ['a full set of a newer epoch', full(2, 1), at(1, 9), undefined, 'apply'],
  ['a full set of an older epoch', full(1, 9), at(2, 1), undefined, 'reject'],
  ['the first full set of another session', full(1, 1), at(1, 9), undefined, 'apply'],
  ['a full set that came before', full(1, 3), at(1, 5), at(1, 5), 'known'],
  ['a delta on what is held', delta(1, 6), at(1, 5), at(1, 5), 'apply'],
  ['a delta on what is held, first of all', delta(1, 6), at(1, 5), undefined, 'apply'],
  ['a delta that came before', delta(1, 5), at(1, 5), at(1, 5), 'known'],
  ['a delta that leaves one out', delta(1, 7), at(1, 5), at(1, 5), 'reject'],
  ['a delta of another epoch', delta(2, 6), at(1, 5), at(1, 5), 'reject'],
  ['a set without a revision', { ...full(1, 1), revision: undefined }, at(0, 0), undefined, 'reject'],
])('%s', (_name, set, held, last, kind) => {
  expect(judgeAssignments(set, held, last).kind).toBe(kind)
})
