import type { CancelTimer, Clock } from '@berth/shared/clock.ts'
import type { Cell } from '../cell/cell.ts'
import { quarantinedUntil } from '../cell/store-return.ts'
import type { Controller } from './controller.ts'

/**
 * A controller that does nothing while the cell is in quarantine after its store went back: it is stopped when one begins, and started when it is
 * over, and then sees the cell as a new leader does.
 */
export function restingInQuarantine(controller: Controller, { clock }: { readonly clock: Clock }): Controller {
  let runs = false
  let stopWatching = () => {}
  let cancelTimer: CancelTimer = () => {}

  const settle = (cell: Cell) => {
    cancelTimer()
    const restMs = quarantinedUntil(cell.tables) - clock.now()
    if (restMs > 0) {
      if (runs) controller.stop()
      runs = false
      cancelTimer = clock.after(restMs, () => settle(cell))
    } else if (!runs && !cell.closed) {
      runs = true
      controller.start(cell)
    }
  }
  return {
    name: controller.name,
    start(cell) {
      settle(cell)
      stopWatching = cell.onApplied((changes) => {
        if (changes.some(({ table }) => table === 'storeReturns')) settle(cell)
      })
    },
    stop() {
      stopWatching()
      cancelTimer()
      if (runs) controller.stop()
      runs = false
    },
  }
}
