import { describe, expect, test } from 'vitest'
import { type SentinelWord, whyNotPrimary } from './sentinel-agreement.ts'

const one = '10.0.0.1:6379'
const two = '10.0.0.2:6379'
const says = (named: string, watched = named, flags = 'master'): SentinelWord => ({
  named,
  watched,
  flags: flags.split(','),
})

describe('a server is taken for the primary', () => {
  test.each<[string, readonly SentinelWord[]]>([
    ['when all Sentinels name it', [says(one), says(one), says(one)]],
    ['when more than half of them do, and the rest do not answer', [says(one), says(one)]],
    ['when one alone does not reach it', [says(one), says(one), says(one, one, 's_down,master')]],
    [
      'when it has replaced another, which replicas still follow',
      [says(one, two, 'o_down,master,failover_in_progress'), says(one), says(one)],
    ],
    ['when they know it by a host name', [says('redis-1:6379'), says('redis-1:6379')]],
  ])('%s', (_, words) => {
    expect(whyNotPrimary(words, 3, one)).toBeUndefined()
  })
})

describe('it is not', () => {
  test.each<[string, readonly SentinelWord[], string]>([
    ['when half of the Sentinels or more are silent', [says(one)], 'only 1 of 3 Sentinels answer'],
    [
      'when they name different ones',
      [says(one), says(two)],
      `the Sentinels do not agree on the primary: ${one}, ${two}`,
    ],
    ['when they name another', [says(two), says(two)], `the Sentinels name ${two} as the primary, not ${one}`],
    [
      'when one is replacing it, though it answers again',
      [says(one), says(one, one, 'master,failover_in_progress'), says(one)],
      `the Sentinels are about to replace ${one}`,
    ],
    [
      'when they have found together that it is down',
      [says(one), says(one, one, 's_down,o_down,master')],
      `the Sentinels are about to replace ${one}`,
    ],
  ])('%s', (_, words, reason) => {
    expect(whyNotPrimary(words, 3, one)).toBe(reason)
  })
})
