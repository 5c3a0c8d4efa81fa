import type { CancelTimer, Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Fence, Store } from '../store/store.ts'

export interface HeldLeaseDeps {
  readonly store: Store
  /** How long the lease lasts without being renewed, in ms. */
  readonly ttlMs: number
  readonly clock: Clock
  readonly log: Log
}

/** The share of the lease after which a holder that could not renew stops acting: its clock may run slower than the store's. */
const trustedShare = 0.7
const renewalsPerLease = 3
const retriesPerLease = 20

/**
 * A lease from when it was taken to when it is lost. Renews itself, and trusts each confirmation for 70 % of the lease, counted on this
 * process's monotonic clock from before it was asked for. Once lost it stays lost.
 */
export class HeldLease {
  readonly fence: Fence
  readonly #deps: HeldLeaseDeps
  readonly #lost = new AbortController()
  #trustedUntil = 0
  #cancelRenewal: CancelTimer = () => {}
  #cancelDeadline: CancelTimer = () => {}

  /** @param askedAt when the lease was asked for, on the monotonic clock */
  constructor(deps: HeldLeaseDeps, fence: Fence, askedAt: number) {
    this.#deps = deps
    this.fence = fence
    this.#confirmed(askedAt)
    this.#renewIn(
      this.#trustedUntil - deps.ttlMs * trustedShare + deps.ttlMs / renewalsPerLease - deps.clock.monotonic(),
    )
  }

  /** Aborts once the holder may not act any more; its reason is an Error that says why. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Whether the holder may act at this moment. A process that was stopped for a while sees it here before its timers fire. */
  get trusted(): boolean {
    return !this.lost.aborted && this.#deps.clock.monotonic() < this.#trustedUntil
  }

  /** Gives the lease up because of what somebody else noticed. The store is not told. */
  lose(reason: string): void {
    if (this.lost.aborted) return
    this.#cancelRenewal()
    this.#cancelDeadline()
    this.#lost.abort(new Error(reason))
  }

  /** Gives the lease back, so that a successor need not wait for its end. @throws StoreUnavailableError */
  async release(): Promise<void> {
    this.lose('the lease was given back')
    await this.#deps.store.releaseLease(this.fence)
  }

  #confirmed(askedAt: number): void {
    const { clock, ttlMs } = this.#deps
    this.#trustedUntil = askedAt + ttlMs * trustedShare
    this.#cancelDeadline()
    this.#cancelDeadline = clock.after(this.#trustedUntil - clock.monotonic(), () =>
      this.lose('the lease could not be renewed in time'),
    )
  }

  #renewIn(delayMs: number): void {
    this.#cancelRenewal = this.#deps.clock.after(delayMs, () => void this.#renew())
  }

  async #renew(): Promise<void> {
    const { store, ttlMs, clock, log } = this.#deps
    const askedAt = clock.monotonic()
    try {
      const outcome = await store.renewLease(this.fence, ttlMs)
      if (this.lost.aborted) return
      if (outcome.kind === 'taken') return this.lose(`the lease is ${outcome.by.holder || 'nobody'}'s`)
      this.#confirmed(askedAt)
      this.#renewIn(askedAt + ttlMs / renewalsPerLease - clock.monotonic())
    } catch (error) {
      if (this.lost.aborted) return
      log.warn('the lease could not be renewed; trying again', { reason: (error as Error).message })
      this.#renewIn(ttlMs / retriesPerLease)
    }
  }
}
