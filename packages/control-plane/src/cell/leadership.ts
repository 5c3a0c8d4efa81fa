import type { CancelTimer, Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { backoffDelay } from '@berth/shared/backoff.ts'
import type { Random } from '@berth/shared/random.ts'
import type { Fence, LeaseOutcome, Store } from '../store/store.ts'
import { Cell, CellClosedError, type CellOptions } from './cell.ts'

/** Something that lives as long as one leadership of the cell. */
export interface CellComponent {
  readonly name: string
  start(cell: Cell): void | Promise<void>
  stop(): void | Promise<void>
}

export interface LeadershipDeps {
  readonly store: Store
  /** Who this process is; another one at each start. */
  readonly holder: string
  /** Where others reach this process while it leads. */
  readonly address: string
  /** How long the lease lasts without being renewed, in ms. */
  readonly ttlMs: number
  /** Started in this order, stopped in the reverse. */
  readonly components: readonly CellComponent[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly defer: (run: () => void) => void
  readonly cellOptions?: CellOptions
}

/** The share of the lease after which a holder that could not renew stops acting: its clock may run slower than the store's. */
const trustedShare = 0.7
const renewalsPerLease = 3
const retry = { baseMs: 100, maxMs: 2000 }

interface Reign {
  readonly fence: Fence
  readonly cell: Cell
  readonly started: CellComponent[]
  /** Up to when, on the monotonic clock, this process may act. */
  trustedUntil: number
}

/**
 * Takes the cell's lease whenever it is free, and while it holds it runs the cell and its components. What the lease says is trusted for 70 % of its
 * length, counted on this process's monotonic clock from before it was asked for; the fence in each commit holds even where clocks do not.
 */
export class Leadership {
  readonly #deps: LeadershipDeps
  #reign: Reign | undefined
  #leader: string | undefined
  #stopped = false
  #cancelTimer: CancelTimer = () => {}
  #attempt = 0
  #ending: Promise<void> = Promise.resolve()

  constructor(deps: LeadershipDeps) {
    this.#deps = deps
  }

  /** Whether this process leads, and may act. */
  get leading(): boolean {
    return this.#reign !== undefined && this.#isTrusted(this.#reign)
  }

  /**
   * The cell that this process leads.
   *
   * @throws CellClosedError when it leads none.
   */
  currentCell(): Cell {
    if (!this.#reign || !this.#isTrusted(this.#reign)) throw new CellClosedError('this control plane does not lead it')
    return this.#reign.cell
  }

  /** Where the leader is reached, as far as it is known. */
  leader(): string | undefined {
    return this.#reign ? this.#deps.address : this.#leader
  }

  /** Begins to ask for the lease. Resolves after the first try. */
  async start(): Promise<void> {
    await this.#seek()
  }

  /** Ends what runs, in order, makes it durable, and gives the lease back. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer()
    const reign = this.#reign
    if (reign) {
      await this.#end(reign, 'this control plane stops', true)
      await this.#deps.store.releaseLease(reign.fence).catch((error: unknown) => {
        this.#deps.log.warn('the lease could not be given back; it will run out', { error })
      })
    }
    await this.#ending
  }

  #isTrusted(reign: Reign): boolean {
    return !reign.cell.closed && this.#deps.clock.monotonic() < reign.trustedUntil
  }

  #later(delayMs: number, run: () => Promise<void>): void {
    if (this.#stopped) return
    this.#cancelTimer()
    this.#cancelTimer = this.#deps.clock.after(delayMs, () => void run())
  }

  async #seek(): Promise<void> {
    const { store, holder, ttlMs, address, log, clock } = this.#deps
    try {
      await this.#ending
      const askedAt = clock.monotonic()
      const outcome = await store.acquireLease(holder, ttlMs, address)
      if (this.#stopped) return
      if (outcome.kind === 'taken') return this.#standBy(outcome)
      await this.#reignOver(outcome.fence, askedAt)
      this.#attempt = 0
    } catch (error) {
      log.warn('could not take the lead yet', { error })
      this.#later(backoffDelay(this.#attempt++, retry, this.#deps.random) + 50, () => this.#seek())
    }
  }

  #standBy(outcome: LeaseOutcome & { kind: 'taken' }): void {
    if (this.#leader !== outcome.leader)
      this.#deps.log.info('another control plane leads; standing by', {
        leader: outcome.leader,
        epoch: outcome.by.epoch,
      })
    this.#leader = outcome.leader
    this.#later(Math.min(Math.max(outcome.expiresInMs + 10, 50), this.#deps.ttlMs / renewalsPerLease), () =>
      this.#seek(),
    )
  }

  async #reignOver(fence: Fence, askedAt: number): Promise<void> {
    const { store, clock, random, log, defer, ttlMs, cellOptions, components } = this.#deps
    const safety = await store.safety()
    for (const warning of safety.warnings) log.warn(warning, { durable: safety.durable })
    const loaded = await store.load()
    const cell = new Cell(
      {
        store,
        fence,
        clock,
        random,
        log,
        defer,
        ...(cellOptions && { options: cellOptions }),
        onLost: (reason) => this.#lost(reign, reason),
      },
      loaded,
    )
    const reign: Reign = { fence, cell, started: [], trustedUntil: askedAt + ttlMs * trustedShare }
    this.#reign = reign
    this.#later(0, () => this.#renew(reign))
    log.info('this control plane leads the cell', { epoch: fence.epoch, records: loaded.records.length })
    for (const component of components) {
      if (cell.closed) return
      reign.started.push(component)
      await component.start(cell)
    }
  }

  async #renew(reign: Reign): Promise<void> {
    const { store, ttlMs, clock, log } = this.#deps
    if (reign !== this.#reign || this.#stopped) return
    if (!this.#isTrusted(reign)) return this.#lost(reign, 'the lease could not be renewed in time')
    const askedAt = clock.monotonic()
    this.#later(Math.max(1, reign.trustedUntil - askedAt), () => this.#renew(reign))
    try {
      const outcome = await store.renewLease(reign.fence, ttlMs)
      if (reign !== this.#reign) return
      if (outcome.kind === 'taken') return this.#lost(reign, `the lease is ${outcome.by.holder}'s`)
      reign.trustedUntil = Math.max(reign.trustedUntil, askedAt + ttlMs * trustedShare)
      this.#later(ttlMs / renewalsPerLease, () => this.#renew(reign))
    } catch (error) {
      log.warn('the lease could not be renewed; trying again', { error })
      const left = reign.trustedUntil - clock.monotonic()
      this.#later(Math.max(1, Math.min(retry.baseMs, left)), () => this.#renew(reign))
    }
  }

  #lost(reign: Reign, reason: string): void {
    if (reign !== this.#reign) return
    this.#deps.log.error('this control plane does not lead any more', { reason })
    this.#ending = this.#end(reign, reason, false)
    this.#later(0, () => this.#seek())
  }

  async #end(reign: Reign, reason: string, cleanly: boolean): Promise<void> {
    this.#reign = undefined
    if (cleanly) await reign.cell.settle()
    else reign.cell.close(reason)
    for (const component of reign.started.toReversed()) {
      try {
        await component.stop()
      } catch (error) {
        this.#deps.log.error(`${component.name} did not stop cleanly`, { error })
      }
    }
    reign.cell.close(reason)
  }
}
