/** Heartbeats that all hosts together are to send in a second: each costs some 0.1 ms here. */
const heartbeatsPerSecond = 1000

/** Times in ms. */
export interface HeartbeatTimes {
  /** How often hosts are to be heard of as long as they are few. */
  readonly heartbeatIntervalMs: number
  /** Silence after which a host counts as disconnected. */
  readonly hostDisconnectedAfterMs: number
}

/**
 * How often each of so many hosts is to be heard of, in ms: longer the more there are, as in Nomad, but never so long that one late beat
 * makes a host count as disconnected.
 */
export function heartbeatPace(hosts: number, { heartbeatIntervalMs, hostDisconnectedAfterMs }: HeartbeatTimes): number {
  const pacedMs = Math.floor((hosts / heartbeatsPerSecond) * 1000)
  return Math.max(heartbeatIntervalMs, Math.min(pacedMs, Math.floor(hostDisconnectedAfterMs / 2)))
}
