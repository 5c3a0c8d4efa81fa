import type { Revision, TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'

/**
 * One connected host, as dispatch sees it: assignments go down. What comes up (heartbeats, status) arrives at the
 * `Dispatcher`. The gRPC agent is the first kind; another protocol needs only to implement this.
 */
export interface HostSession {
  /** The container instance's id. */
  readonly hostId: string
  /** Sends a set of assignments. The host acknowledges `revision` once it is durable there. */
  assign(set: OutgoingAssignments): void
  /** Ends the session; the host is expected to come back. */
  close(reason: string): void
}

export interface OutgoingAssignments {
  readonly revision: Revision
  /** What the set builds on; absent for a full set. */
  readonly previous?: Revision
  readonly put: readonly TaskAssignment[]
  readonly removeTaskArns: readonly string[]
}
