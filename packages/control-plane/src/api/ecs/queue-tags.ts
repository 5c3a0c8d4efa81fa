import { duration, type Kind, oneOf } from '@berth/shared/config/setting.ts'
import { clusterSettingsOf } from '../../cell/cluster-settings.ts'
import type { ClusterRecord, TagRecord } from '../../cell/records.ts'
import { invalidParameter } from '../errors.ts'

/** How the tasks of a RunTask are to wait for room, by its tags and its cluster's settings. */
export interface QueueTags {
  /** Whether what does not fit waits; otherwise it is refused, as in ECS. */
  readonly queue: boolean
  readonly gang: boolean
  readonly priority: number
  /** 0: for ever. */
  readonly timeoutMs: number
}

/** Far beyond any use, and exact as JSON. */
const priorityAtMost = 1_000_000

const priority: Kind<number> = {
  form: 'whole number',
  not: `a whole number from -${priorityAtMost} to ${priorityAtMost}`,
  read: (text) => (/^[+-]?\d{1,7}$/.test(text) && Math.abs(Number(text)) <= priorityAtMost ? Number(text) : undefined),
}

/**
 * Reads `berth:queue`, `berth:gang`, `berth:priority` and `berth:queue-timeout`.
 *
 * @throws InvalidParameterException for a tag of these names whose value says nothing.
 */
export function queueTagsOf(cluster: ClusterRecord, tags: TagRecord): QueueTags {
  const settings = clusterSettingsOf(cluster)
  return {
    queue: read(tags, 'berth:queue', oneOf({ enabled: true, disabled: false })) ?? settings.taskQueue,
    gang: read(tags, 'berth:gang', oneOf({ true: true, false: false })) ?? false,
    priority: read(tags, 'berth:priority', priority) ?? 0,
    timeoutMs: read(tags, 'berth:queue-timeout', duration(0, '0s')) ?? settings.taskQueueTimeoutMs,
  }
}

function read<T>(tags: TagRecord, name: string, kind: Kind<T>): T | undefined {
  const text = tags[name]
  if (text === undefined) return undefined
  const value = kind.read(text.trim())
  if (value === undefined) throw invalidParameter(`The value of the tag ${name} is not ${kind.not}.`)
  return value
}
