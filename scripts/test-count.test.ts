import { expect, test } from 'vitest'
import { countTests } from './test-count.ts'

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((each) => ({ status: each })),
})

test.each([
  ['tests are counted over files', true, [file('passed', 'passed', 'passed'), file('passed', 'passed')], [3, 0, 0]],
  ['pending and todo are skipped', true, [file('passed', 'passed', 'pending', 'todo', 'skipped')], [1, 0, 3]],
  ['a failed test is one failure', false, [file('failed', 'passed', 'failed')], [1, 1, 0]],
  ['a file that does not load is one failure', false, [file('failed'), file('passed', 'passed')], [1, 1, 0]],
  ['an error outside of any test is one failure', false, [file('passed', 'passed')], [1, 1, 0]],
])('%s', (_name, success, testResults, [passed, failed, skipped]) => {
  expect(countTests({ success, testResults })).toEqual({ passed, failed, skipped })
})
