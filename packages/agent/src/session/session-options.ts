import type { Attribute, HostResources } from '@berth/shared/gen/berth/agent/v1/agent.ts'

/** The version of the protocol that this agent speaks. */
export const protocolVersion = 1

/** What a host is told apart by. */
export interface SessionOptions {
  /** `host:port` of the control plane's processes, tried in turn. */
  readonly servers: readonly string[]
  /** By name. */
  readonly cluster: string
  readonly token: string
  readonly offersFargate: boolean
  readonly agentVersion: string
  readonly agentHash: string
  /** Another version of the protocol than the agent's own, in tests of what is one version apart. */
  readonly protocolVersion?: number
}

/** What a host has to offer, as it is now. */
export interface HostDescription {
  /** Empty while the engine does not answer. */
  readonly dockerVersion: string
  readonly resources: HostResources
  readonly attributes: readonly Attribute[]
  /** Where the host's ports are reached. */
  readonly address: string
}

/** How a session goes on; in ms where not said otherwise. */
export const sessionTimes = {
  /** Upper bounds of the pause before the first and before every further try (full jitter). */
  backoff: { baseMs: 200, maxMs: 5_000 },
  /** A session that lasted so long was a success: the next pause is a first one. */
  settledAfterMs: 5_000,
  /** From the connection to the Welcome. */
  joinTimeoutMs: 10_000,
  /** News gathers for so long before it is sent; where there is much of it, it gathers while the last report is on its way. */
  reportWindowMs: 1,
  /** A report that is not acknowledged is sent again. */
  reportAgainMs: 5_000,
  /** Heartbeats that may stay without an answer before the session is given up. */
  missedHeartbeats: 3,
  /** Between two words that the chain of assignments is broken. */
  rejectAgainMs: 1_000,
  /** The longest that leaving may take. */
  leaveMs: 1_000,
} as const

/** Tasks in one report, so that a message stays far under gRPC's limit. */
export const tasksPerReport = 200

/** Assignments in one message of those that are handed back: they are larger than reports. */
export const tasksPerHoldings = 20
