import { backoffDelay } from '@berth/shared/backoff.ts'
import { type Clock, sleep } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import type { LeaderAddresses, LeaseOutcome, Store } from '../store/store.ts'
import { Cell, CellNotLedError, type CellOptions } from './cell.ts'
import { HeldLease } from './held-lease.ts'

/** Something that lives as long as one leadership of the cell. */
export interface CellComponent {
  readonly name: string
  /** When it fails, this leadership ends and the next begins after a while. It must come to an end once the cell is closed. */
  start(cell: Cell): void | Promise<void>
  /** Called when `start` was, also when that failed. The cell may be closed by then. */
  stop(): void | Promise<void>
}

export interface LeadershipDeps {
  readonly store: Store
  /** Who this process is; another one at each start. */
  readonly holder: string
  /** Where others reach this process while it leads. */
  readonly addresses: LeaderAddresses
  /** The holder that this process takes the place of, if that one's process is known to have ended. */
  readonly predecessor?: string
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

/** A standby asks this often in the length of a lease, to learn soon who leads. */
const asksPerLease = 3
/** The wait of a standby between the end of another's lease and its own try, in ms. */
const afterExpiryMs = 10
const retry = { baseMs: 100, maxMs: 2000 }

interface Reign {
  readonly lease: HeldLease
  readonly cell: Cell
}

/**
 * Takes the cell's lease whenever it is free, and while it holds it runs the cell and its components: one reign after another, each ended to its
 * end before the next begins. What the lease says is a promise about time; the fence in each commit holds even where clocks do not.
 */
export class Leadership {
  readonly #deps: LeadershipDeps
  readonly #stopping = new AbortController()
  readonly #triedOnce = Promise.withResolvers<void>()
  #reign: Reign | undefined
  #leader: LeaderAddresses | undefined
  #epochSeen = 0
  #storeWentBack = false
  #running: Promise<void> = Promise.resolve()

  constructor(deps: LeadershipDeps) {
    this.#deps = deps
  }

  /** Whether this process leads, and may act. */
  get leading(): boolean {
    return this.#reign !== undefined && mayAct(this.#reign)
  }

  /**
   * The cell that this process leads.
   *
   * @throws CellNotLedError when it leads none.
   */
  currentCell(): Cell {
    if (!this.#reign || !mayAct(this.#reign)) throw new CellNotLedError()
    return this.#reign.cell
  }

  /** Where the leader is reached, as far as it is known. */
  leader(): LeaderAddresses | undefined {
    return this.leading ? this.#deps.addresses : this.#leader
  }

  /**
   * Somebody has followed `epoch`, which is not below this reign's: the store has gone back. This reign ends, and the next one of this process
   * is above it.
   */
  raiseAbove(epoch: number): void {
    this.#epochSeen = Math.max(this.#epochSeen, epoch)
    this.#reign?.lease.lose(`epoch ${epoch} was seen: the store went back`)
  }

  /** Whether the store was found to have gone back in an earlier reign of this process, and nobody has asked since. */
  takeStoreWentBack(): boolean {
    const wentBack = this.#storeWentBack
    this.#storeWentBack = false
    return wentBack
  }

  /** Begins to ask for the lease. Resolves after the first try, when all components run, or another leads, or it failed. */
  start(): Promise<void> {
    this.#running = this.#run()
    return this.#triedOnce.promise
  }

  /** Ends what runs, in order, makes it durable, and gives the lease back. Takes no longer than the lease does, beside what the components take. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, random, log } = this.#deps
    const stopping = this.#stopping.signal
    for (let failures = 0; !stopping.aborted;) {
      let waitMs: number
      try {
        waitMs = await this.#seek()
        failures = 0
      } catch (error) {
        log.warn('could not take the lead yet', { error })
        waitMs = retry.baseMs / 2 + backoffDelay(failures++, retry, random)
      }
      this.#triedOnce.resolve()
      await sleep(clock, waitMs, stopping).catch(() => {})
    }
    this.#triedOnce.resolve()
  }

  /** Asks for the lease once and reigns as long as it is held. Returns how long to wait before asking again, in ms. */
  async #seek(): Promise<number> {
    const { store, holder, ttlMs, addresses, predecessor, clock } = this.#deps
    const askedAt = clock.monotonic()
    const outcome = await store.acquireLease(holder, ttlMs, addresses, {
      ...(predecessor !== undefined && { predecessor }),
      aboveEpoch: this.#epochSeen,
    })
    if (outcome.kind === 'taken') return this.#standBy(outcome)
    this.#leader = undefined
    await this.#hold(new HeldLease(this.#deps, outcome.fence, askedAt))
    return 0
  }

  #standBy({ leader, by, expiresInMs }: LeaseOutcome & { kind: 'taken' }): number {
    if (this.#leader?.api !== leader.api || this.#leader.agents !== leader.agents)
      this.#deps.log.info('another control plane leads; standing by', { ...leader, epoch: by.epoch })
    this.#leader = leader
    return Math.min(expiresInMs + afterExpiryMs, this.#deps.ttlMs / asksPerLease)
  }

  async #hold(lease: HeldLease): Promise<void> {
    const { log } = this.#deps
    try {
      const cell = await this.#openCell(lease)
      if (!this.#stopping.signal.aborted) await this.#reignOver({ lease, cell })
    } finally {
      if (lease.lost.aborted) log.error('this control plane does not lead any more', { reason: reasonOf(lease) })
      else
        await lease.release().catch((error: unknown) => {
          log.warn('the lease could not be given back; it will run out', { error })
        })
    }
  }

  async #openCell(lease: HeldLease): Promise<Cell> {
    const { store, clock, random, log, defer, cellOptions } = this.#deps
    const safety = await store.safety()
    for (const warning of safety.warnings) log.warn(warning, { durable: safety.durable })
    const loaded = await store.load()
    const deps = { store, fence: lease.fence, clock, random, log, defer, ...(cellOptions && { options: cellOptions }) }
    const cell = await Cell.open({ ...deps, onLost: (reason) => lease.lose(reason) }, loaded)
    lease.lost.throwIfAborted()
    lease.lost.addEventListener('abort', () => cell.close(reasonOf(lease)))
    log.info('this control plane leads the cell', { epoch: lease.fence.epoch, records: loaded.records.length })
    return cell
  }

  /** Runs the components over the cell until the lease is lost or this process is to stop. */
  async #reignOver(reign: Reign): Promise<void> {
    const { lease, cell } = reign
    const started: CellComponent[] = []
    this.#reign = reign
    try {
      for (const component of this.#deps.components) {
        if (lease.lost.aborted || this.#stopping.signal.aborted) return
        started.push(component)
        await component.start(cell)
      }
      this.#triedOnce.resolve()
      await aborted(AbortSignal.any([lease.lost, this.#stopping.signal]))
    } finally {
      this.#reign = undefined
      this.#storeWentBack ||= cell.storeWentBack
      for (const component of started.reverse()) await this.#stopComponent(component)
      await cell.settle()
      cell.close('this control plane gave up the lead')
    }
  }

  async #stopComponent(component: CellComponent): Promise<void> {
    try {
      await component.stop()
    } catch (error) {
      this.#deps.log.error(`${component.name} did not stop cleanly`, { error })
    }
  }
}

const mayAct = ({ lease, cell }: Reign): boolean => lease.trusted && !cell.closed

const reasonOf = (lease: HeldLease): string => (lease.lost.reason as Error).message

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
