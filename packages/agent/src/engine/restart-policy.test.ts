import { expect, test } from 'vitest'
import { mayRestart } from './restart-policy.ts'

const policy = { enabled: true, ignoredExitCodes: [0, 7], attemptPeriodS: 60 }

test.each([
  ['without a policy', undefined, 1, 1e9, false],
  ['with a policy that is off', { ...policy, enabled: false }, 1, 1e9, false],
  ['after long enough', policy, 1, 60_000, true],
  ['too soon', policy, 1, 59_999, false],
  ['after an exit code that is ignored', policy, 7, 1e9, false],
  ['too soon for the default period', { ...policy, attemptPeriodS: 0 }, 1, 299_999, false],
  ['after the default period', { ...policy, attemptPeriodS: 0 }, 1, 300_000, true],
])('%s', (_name, given, exitCode, ranMs, expected) => {
  expect(mayRestart(given, { exitCode, ranMs })).toBe(expected)
})
