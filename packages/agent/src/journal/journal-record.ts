import { Assignments, type Revision, type TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { ContainerStatus, TaskStatus } from '@berth/shared/task-status.ts'

/** Who this host is to the control plane. */
export interface HostIdentity {
  /** Made once by the host; a new data directory is a new host. */
  readonly hostId: string
  /** From the first Welcome; empty before it. */
  readonly containerInstanceArn: string
}

/** What became of a container, as far as it must be known after the agent has forgotten everything else. */
export interface ContainerResult {
  readonly name: string
  readonly status: ContainerStatus
  readonly runtimeId: string
  readonly imageId: string
  readonly imageDigest: string
  /** Whether it ever ran. */
  readonly launched: boolean
  readonly exitCode?: number
  readonly reason: string
  /** ms since the epoch; 0 for never. */
  readonly startedAt: number
  readonly finishedAt: number
  readonly restartCount: number
  readonly address: string
  readonly macAddress: string
}

/** Moments of a task's life in ms since the epoch; 0 where it has not come to that. */
export interface TaskTimes {
  readonly pullStartedAt: number
  readonly pullStoppedAt: number
  readonly startedAt: number
  readonly stoppingAt: number
  readonly executionStoppedAt: number
  readonly stoppedAt: number
}

/** What became of a task on this host. */
export interface TaskResult {
  readonly taskArn: string
  readonly status: TaskStatus
  /** Empty until it was decided that the task stops. */
  readonly stopCode: string
  readonly stoppedReason: string
  readonly times: TaskTimes
  readonly containers: readonly ContainerResult[]
  /** Its containers and volumes have been removed. */
  readonly cleaned: boolean
}

/** One thing that the host must not forget. */
export type JournalRecord =
  | { readonly kind: 'identity'; readonly identity: HostIdentity }
  | {
      readonly kind: 'assignments'
      readonly revision: Revision
      readonly full: boolean
      readonly put: readonly TaskAssignment[]
      readonly removeTaskArns: readonly string[]
    }
  | { readonly kind: 'result'; readonly result: TaskResult }
  /** Nothing of the task is left on the host, and the cell needs no more word of it. */
  | { readonly kind: 'dropped'; readonly taskArn: string }

/** The first byte of a record in the file. Numbers are never used again for something else. */
const recordTags = { identity: 1, assignments: 2, result: 3, dropped: 4 } as const

const text = new TextEncoder()

/** The bytes of a record: a tag, then a protobuf message for assignments and JSON for the rest. */
export function encodeRecord(record: JournalRecord): Uint8Array {
  const body = encodeBody(record)
  const bytes = new Uint8Array(1 + body.length)
  bytes[0] = recordTags[record.kind]
  bytes.set(body, 1)
  return bytes
}

function encodeBody(record: JournalRecord): Uint8Array {
  switch (record.kind) {
    case 'identity':
      return text.encode(JSON.stringify(record.identity))
    case 'assignments': {
      const { revision, full, put, removeTaskArns } = record
      const message = { revision, previous: undefined, full, put: [...put], removeTaskArns: [...removeTaskArns] }
      return Assignments.encode(message).finish()
    }
    case 'result':
      return text.encode(JSON.stringify(record.result))
    default:
      return text.encode(record.taskArn)
  }
}

/**
 * The record of these bytes.
 *
 * @throws Error when the bytes are no record of this version: the journal was written by a newer agent, or is none.
 */
export function decodeRecord(bytes: Uint8Array): JournalRecord {
  const body = bytes.subarray(1)
  switch (bytes[0]) {
    case recordTags.identity:
      return { kind: 'identity', identity: parseJson(body) as HostIdentity }
    case recordTags.assignments: {
      const { revision, full, put, removeTaskArns } = Assignments.decode(body)
      return { kind: 'assignments', revision: revision ?? { epoch: 0, number: 0 }, full, put, removeTaskArns }
    }
    case recordTags.result:
      return { kind: 'result', result: parseJson(body) as TaskResult }
    case recordTags.dropped:
      return { kind: 'dropped', taskArn: new TextDecoder().decode(body) }
    default:
      throw new Error(`The journal has a record of kind ${bytes[0]}, which this version of the agent does not know.`)
  }
}

const parseJson = (body: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(body))
