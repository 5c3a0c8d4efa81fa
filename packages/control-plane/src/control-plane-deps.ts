import type { ArnScope } from '@berth/shared/arn.ts'
import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import type { Cell } from './cell/cell.ts'

/** What a user may set about how a control plane behaves. Times in ms. */
export interface ControlPlaneSettings {
  /** How long a task without a health check must run before a service counts it as healthy. ECS documents 40 s. */
  readonly settleMs: number
  /** How long stopped tasks stay describable. ECS keeps them one hour at least. */
  readonly stoppedTaskRetentionMs: number
  /** Not heard of a host for this long: it is shown as disconnected and given nothing new. */
  readonly hostDisconnectedAfterMs: number
  /** Not heard of a host for this long: its tasks are given up and replaced. 0 = never, as ECS itself. */
  readonly hostLostAfterMs: number
  /** How long nothing is stopped or replaced by itself after the store went back. */
  readonly storeReturnQuarantineMs: number
  /** Tasks that one RunTask may ask for. ECS's own limit is 10. */
  readonly runTaskLimit: number
  /** First and longest wait of a service whose tasks fail before they run. ECS's longest is 15 minutes. */
  readonly restartThrottle: { readonly baseMs: number; readonly maxMs: number }
}

export const defaultControlPlaneSettings: ControlPlaneSettings = {
  settleMs: 5000,
  stoppedTaskRetentionMs: 24 * 3600_000,
  hostDisconnectedAfterMs: 15_000,
  hostLostAfterMs: 60_000,
  storeReturnQuarantineMs: 60_000,
  runTaskLimit: 10,
  restartThrottle: { baseMs: 1000, maxMs: 15 * 60_000 },
}

/** What operations and controllers are given. */
export interface ControlPlaneDeps {
  /**
   * The cell that this process leads.
   *
   * @throws CellClosedError when it leads none at the moment.
   */
  readonly cell: () => Cell
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly scope: ArnScope
  readonly settings: ControlPlaneSettings
}
