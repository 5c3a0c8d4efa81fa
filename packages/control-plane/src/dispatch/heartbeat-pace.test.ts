import { describe, expect, test } from 'vitest'
import { heartbeatPace } from './heartbeat-pace.ts'

const times = { heartbeatIntervalMs: 5000, hostDisconnectedAfterMs: 15_000 }

describe('the pace of heartbeats', () => {
  test.for([
    [0, 5000],
    [5000, 5000],
    [6000, 6000],
    [7500, 7500],
    [10_000, 7500],
  ] as const)('%i hosts beat each %i ms', ([hosts, ms]) => {
    expect(heartbeatPace(hosts, times)).toBe(ms)
  })

  test('is never quicker than asked, however soon silence counts', () => {
    expect(heartbeatPace(10_000, { heartbeatIntervalMs: 5000, hostDisconnectedAfterMs: 6000 })).toBe(5000)
  })
})
