import type { Clock } from '@berth/shared/clock.ts'
import type { CellComponent, Leadership } from './cell/leadership.ts'
import { lastStoreReturn, noteStoreReturn } from './cell/store-return.ts'
import type { ControlPlaneDeps } from './control-plane-deps.ts'

/** Begins a reign with a quarantine when this process has found, in the one before, that the store does not have what it acknowledged. */
export const storeReturnNotice = (
  { clock, settings, log }: Pick<ControlPlaneDeps, 'clock' | 'settings' | 'log'>,
  takeWentBack: () => boolean,
): CellComponent => ({
  name: 'store return',
  async start(cell) {
    if (!takeWentBack()) return
    const reason = 'the store does not have what its leader had written to it'
    log.error('the store went back: nothing is stopped or replaced for a while, and hosts say what they run', {
      reason,
    })
    await cell.transact((tx) => noteStoreReturn(tx, clock.now(), settings.storeReturnQuarantineMs, reason))
  },
  stop() {},
})

/** What the health page says while a quarantine lasts. */
export function storeReturnNews(leadership: Leadership | undefined, clock: Clock) {
  if (leadership?.leading !== true) return {}
  const last = lastStoreReturn(leadership.currentCell().tables)
  return last && clock.now() < last.quarantinedUntil ? { storeReturn: last } : {}
}
