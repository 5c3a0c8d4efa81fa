import type { Cell } from '../cell/cell.ts'
import { isWaiting } from '../cell/records.ts'
import type { Change } from '../cell/tables.ts'
import { isKept, startWaiting } from '../cell/task-queue.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import type { Controller } from './controller.ts'
import { KeyedLoop } from './keyed-loop.ts'

export interface TaskQueueDeps extends ControlPlaneDeps {
  readonly defer: (run: () => void) => void
}

/** There is one order for the whole cell, since FARGATE's hosts are shared by its clusters. */
const wholeQueue = 'queue'

/**
 * Starts tasks that wait when room comes, and gives up those that waited for as long as they were to. Woken by what happens; when nothing waits it does
 * nothing.
 */
export function taskQueueController(deps: TaskQueueDeps): Controller {
  let stopWatching = () => {}
  let loop: KeyedLoop | undefined
  return {
    name: 'task queue',
    start(cell: Cell) {
      loop = new KeyedLoop({
        ...deps,
        name: 'task queue controller',
        work: async () => {
          const { more, lookAgainAt } = await cell.transact((tx) => startWaiting(tx, deps))
          if (more) return 0
          const next = Math.min(cell.waiting.nextDeadline() ?? Infinity, lookAgainAt ?? Infinity)
          return next === Infinity ? undefined : Math.max(1, next - deps.clock.now())
        },
      })
      stopWatching = cell.onApplied((changes) => {
        if (cell.waiting.size > 0 && changes.some((change) => concerns(cell, change))) loop?.touch(wholeQueue)
      })
      if (cell.waiting.size > 0) loop.touch(wholeQueue)
    },
    stop() {
      stopWatching()
      loop?.stop()
    },
  }
}

/**
 * Room came; or somebody began to wait, whose time has to be kept and for whom hosts may have to be; or a service took room on a host that
 * is kept, which may be no use any more to whom it is kept for.
 */
function concerns({ waiting }: Cell, change: Change): boolean {
  if (waiting.mayGiveRoom(change)) return true
  if (change.table !== 'tasks' || change.after === undefined) return false
  const { before, after } = change
  if (isWaiting(after)) return before === undefined || !isWaiting(before)
  const isNewThere = after.hostId !== undefined && before?.hostId === undefined
  return isNewThere && after.serviceName !== undefined && isKept(waiting, after.hostId)
}
