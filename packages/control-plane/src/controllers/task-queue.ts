import type { Cell } from '../cell/cell.ts'
import { isWaiting } from '../cell/records.ts'
import type { Change } from '../cell/tables.ts'
import { startWaiting } from '../cell/task-queue.ts'
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
          const { more } = await cell.transact((tx) => startWaiting(tx, deps))
          if (more) return 0
          const deadline = cell.waiting.nextDeadline()
          return deadline === undefined ? undefined : Math.max(1, deadline - deps.clock.now())
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

/** Room came, or somebody began to wait, whose time has to be kept and for whom hosts may have to be. */
const concerns = ({ waiting }: Cell, change: Change): boolean =>
  waiting.mayGiveRoom(change) ||
  (change.table === 'tasks' &&
    change.after !== undefined &&
    isWaiting(change.after) &&
    (change.before === undefined || !isWaiting(change.before)))
