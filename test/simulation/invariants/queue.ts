import { isWaiting, type TaskRecord } from '@berth/control-plane/cell/records.ts'
import type { Cell } from '@berth/control-plane/cell/cell.ts'
import { waitingRequest } from '@berth/control-plane/cell/task-queue.ts'
import { place } from '@berth/control-plane/scheduler/placement.ts'
import { seededRandom } from '@berth/shared/random.ts'
import type { Invariant } from './view.ts'

/** Of a gang all wait or all have been given hosts. Those that were stopped while they waited belong to it no more. */
export const gangsStartWhole: Invariant = ({ records }) => {
  const startedOf = new Map<string, TaskRecord>()
  const waitingOf = new Map<string, TaskRecord>()
  for (const task of records.tasks.values()) {
    const gang = task.queue?.gang
    if (gang === undefined) continue
    if (isWaiting(task)) waitingOf.set(gang, task)
    else if (task.hostId !== undefined) startedOf.set(gang, task)
  }
  for (const [gang, { id }] of waitingOf) {
    const started = startedOf.get(gang)
    if (started !== undefined) return `task ${id} waits and task ${started.id} of its gang was started`
  }
  return undefined
}

/** In the end: nobody waits who would fit. */
export function whoeverFitsHasStarted({ tables, fleet, waiting }: Cell): string | undefined {
  for (const task of tables.tasks.values()) {
    if (!isWaiting(task)) continue
    const request = waitingRequest(tables, task)
    const count = waiting.placeOf(task)?.line.unitSize
    if (request === undefined || count === undefined) return `task ${task.id} waits in no line`
    if (place(fleet.hosts, { ...request, count, unexplained: true }, seededRandom(1)).unplaced === 0)
      return `task ${task.id} waits though there is room`
  }
  return undefined
}
