import { isForward } from '@berth/shared/task-status.ts'
import type { TaskRecord } from '@berth/control-plane/cell/records.ts'
import type { FeedEntry, Fence } from '@berth/control-plane/store/store.ts'
import type { DurableChange, Senders } from '../durable-records.ts'

/** The status of a task only moves forward, and its end is final. */
export const statusMovesForward = (change: DurableChange): string | undefined => {
  if (change.table !== 'tasks' || !change.before || !change.after) return undefined
  const { before, after } = change
  if (before.lastStatus !== after.lastStatus && !isForward(before.lastStatus, after.lastStatus))
    return `task ${change.key} went from ${before.lastStatus} to ${after.lastStatus}`
  if (before.desiredStatus === 'STOPPED' && after.desiredStatus !== 'STOPPED')
    return `task ${change.key} was to stop and is to run again`
  return undefined
}

/** A task that was given a host keeps it, and what it claims of it, for ever. */
export const placementIsFinal = (change: DurableChange): string | undefined => {
  if (change.table !== 'tasks' || change.before?.hostId === undefined || !change.after) return undefined
  const placed = ({ hostId, claim }: TaskRecord) => JSON.stringify([hostId, claim])
  return placed(change.before) === placed(change.after)
    ? undefined
    : `task ${change.key} was moved, or claims something else`
}

/** Once a leader has written, nothing of a leader before it is written any more. */
export function onlyTheLeaderWrites(senders: Senders): (entry: FeedEntry) => string | undefined {
  let newest: Fence | undefined
  return ({ changes, sequence }) => {
    const sender = senders.get(changes)
    if (!sender) return undefined
    if (newest && sender.epoch < newest.epoch)
      return `batch ${sequence} is of ${sender.holder}, epoch ${sender.epoch}, after one of epoch ${newest.epoch}`
    if (newest && sender.epoch === newest.epoch && sender.holder !== newest.holder)
      return `epoch ${sender.epoch} has two holders: ${newest.holder} and ${sender.holder}`
    newest = sender
    return undefined
  }
}
