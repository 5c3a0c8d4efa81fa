import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { type BackoffOptions, backoffDelay } from '@berth/shared/backoff.ts'
import type { Random } from '@berth/shared/random.ts'
import {
  type CommitOutcome,
  type Fence,
  type LoadedState,
  type Store,
  type StoredChange,
  StoreUnavailableError,
} from '../store/store.ts'
import { HostFleetAccounting } from './host-fleet-accounting.ts'
import { type CellRecords, type TableName, tableNames } from './records.ts'
import { storedTasks } from './stored-task.ts'
import type { Table } from './table.ts'
import { WaitingTasks } from './waiting-tasks.ts'
import { type Change, createTables, type ReadonlyTables, type Tables } from './tables.ts'

/** The cell's leadership ended while something waited for it. Another process has, or will have, the cell. */
export class CellClosedError extends Error {
  constructor(reason: string) {
    super(`the cell is closed: ${reason}`)
    this.name = 'CellClosedError'
  }
}

/** This process does not lead the cell. Nothing was done: what was asked for may be asked again, here or of the leader. */
export class CellNotLedError extends CellClosedError {
  constructor() {
    super('this control plane does not lead it')
    this.name = 'CellNotLedError'
  }
}

/** The store does not take writes. Nothing was done: what was asked for may be asked again. */
export class CellNotWritableError extends StoreUnavailableError {
  constructor() {
    super('the store does not take writes at the moment')
    this.name = 'CellNotWritableError'
  }
}

export interface CellOptions {
  /** Batches that may be on their way to the store at once. */
  readonly batchesInFlight: number
  /** How long a caller waits for durability before it is told that the store does not answer, in ms. */
  readonly commitTimeoutMs: number
  /** How long the cell waits between tries of a batch that the store did not take. */
  readonly retry: BackoffOptions
}

export const defaultCellOptions: CellOptions = {
  batchesInFlight: 4,
  commitTimeoutMs: 4000,
  retry: { baseMs: 50, maxMs: 1000 },
}

export interface CellDeps {
  readonly store: Store
  readonly fence: Fence
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Runs a function soon, after what is happening now: what is written until then shares a batch. */
  readonly defer: (run: () => void) => void
  readonly options?: CellOptions
  /** Called once when the store says that this process may not write any more. */
  readonly onLost: (reason: string) => void
}

/** What a transaction may do. Reads see its own writes. */
export interface Transaction {
  readonly tables: ReadonlyTables
  /** Room and claims of all hosts, in step with `tables`. */
  readonly fleet: HostFleetAccounting
  /** The tasks that wait for room, in step with `tables`. */
  readonly waiting: WaitingTasks
  put<K extends TableName>(table: K, key: string, record: CellRecords[K]): void
  delete(table: TableName, key: string): void
}

/** Hosts come before the tasks that hold something of them. */
const loadOrder: readonly TableName[] = ['hosts', ...tableNames.filter((name) => name !== 'hosts')]

/** Records that are taken over in one go: some 10 ms of work. */
const recordsAtOnce = 2000

interface Batch {
  readonly sequence: number
  readonly changes: readonly Change[]
  readonly waiters: readonly Waiter[]
}

interface Waiter {
  resolve(): void
  reject(error: Error): void
}

/**
 * The single writer of a cell: its tables in memory, changed by one event loop, each change durable in the store before
 * anybody is told of it.
 *
 * A change set that the store did not confirm is sent again until it does, in order; meanwhile nothing new is taken. So memory
 * never holds what the store will not have, and nothing is ever rolled back.
 */
export class Cell {
  readonly fence: Fence
  readonly #deps: CellDeps
  readonly #options: CellOptions
  readonly #tables: Tables = createTables()
  readonly #fleet = new HostFleetAccounting()
  readonly #waiting = new WaitingTasks()
  readonly #appliedListeners = new Set<(changes: readonly Change[]) => void>()
  readonly #durableListeners = new Set<(changes: readonly Change[]) => void>()
  readonly #availableListeners = new Set<() => void>()
  #sequence: number
  #pendingChanges: Change[] = []
  #pendingWaiters: Waiter[] = []
  #inFlight: Batch[] = []
  #flushScheduled = false
  #retrying = false
  #retryAttempt = 0
  #inTransaction = false
  #closed: string | undefined
  #storeWentBack = false

  /** A cell over what the store had when the lease was taken. */
  constructor(deps: CellDeps, loaded: LoadedState) {
    this.#deps = deps
    this.#options = deps.options ?? defaultCellOptions
    this.fence = deps.fence
    this.#sequence = loaded.sequence
    const read = recordReader()
    for (const name of loadOrder) for (const record of loaded.records) this.#adopt(name, record, read)
  }

  /** As the constructor, but lets others run in between: a million records take seconds, in which a lease wants to be renewed. */
  static async open(deps: CellDeps, { sequence, records }: LoadedState): Promise<Cell> {
    const cell = new Cell(deps, { sequence, records: [] })
    const read = recordReader()
    for (const name of loadOrder) {
      const ofTable = records.filter(({ table }) => table === name)
      for (let from = 0; from < ofTable.length; from += recordsAtOnce) {
        for (const record of ofTable.slice(from, from + recordsAtOnce)) cell.#adopt(name, record, read)
        await new Promise<void>((resolve) => deps.defer(resolve))
      }
    }
    return cell
  }

  /** The tables, for looking. What is seen here may not be durable yet: answer from `read`. */
  get tables(): ReadonlyTables {
    return this.#tables
  }

  get fleet(): HostFleetAccounting {
    return this.#fleet
  }

  get waiting(): WaitingTasks {
    return this.#waiting
  }

  /** Whether the store takes writes, as far as is known. */
  get available(): boolean {
    return this.#closed === undefined && !this.#retrying
  }

  /** Whether the cell ended since the store does not have what it had acknowledged. */
  get storeWentBack(): boolean {
    return this.#storeWentBack
  }

  /** Whether leadership has ended. */
  get closed(): boolean {
    return this.#closed !== undefined
  }

  /**
   * Runs `change` at once, to its end, over the tables. Resolves with its result once all that it wrote, and all that it
   * can have seen, is durable. When `change` throws, nothing it wrote remains.
   *
   * @throws what `change` throws; CellNotWritableError when the store does not take writes, and nothing was done; StoreUnavailableError or
   *   CellClosedError when it could not be made durable in time or before leadership ended: whether it happened is then not known.
   */
  async transact<T>(change: (tx: Transaction) => T): Promise<T> {
    this.#assertWritable()
    if (this.#inTransaction) throw new Error('a transaction was started inside another')
    const written: Change[] = []
    let result: T
    try {
      result = this.#run(change, written)
    } catch (error) {
      // A refusal tells what was seen, too.
      await this.#durable()
      throw error
    }
    if (written.length > 0) {
      this.#pendingChanges.push(...written)
      this.#announce(this.#appliedListeners, written)
    }
    await this.#durable()
    return result
  }

  /**
   * Runs `look` over the tables and resolves with its result once all that it can have seen is durable.
   *
   * @throws as `transact`.
   */
  async read<T>(look: (tables: ReadonlyTables, fleet: HostFleetAccounting, waiting: WaitingTasks) => T): Promise<T> {
    if (this.#closed !== undefined) throw new CellClosedError(this.#closed)
    const result = look(this.#tables, this.#fleet, this.#waiting)
    await this.#durable()
    return result
  }

  /** Calls `listener` with each change set right after it was applied, before it is durable. Returns how to stop that. */
  onApplied(listener: (changes: readonly Change[]) => void): () => void {
    this.#appliedListeners.add(listener)
    return () => this.#appliedListeners.delete(listener)
  }

  /** Calls `listener` with change sets once they are durable, in order: for everything that leaves the process. */
  onDurable(listener: (changes: readonly Change[]) => void): () => void {
    this.#durableListeners.add(listener)
    return () => this.#durableListeners.delete(listener)
  }

  /** Calls `listener` each time the store takes writes again after it did not. */
  onAvailable(listener: () => void): () => void {
    this.#availableListeners.add(listener)
    return () => this.#availableListeners.delete(listener)
  }

  /** Resolves when everything written so far is durable, however long it takes. For a clean end. */
  async settle(): Promise<void> {
    while (this.#closed === undefined && (this.#pendingChanges.length > 0 || this.#inFlight.length > 0)) {
      await new Promise<void>((resolve) => {
        this.#pendingWaiters.push({ resolve, reject: () => resolve() })
        this.#scheduleFlush()
      })
    }
  }

  /** Ends the cell: everything that waits is refused, and nothing is written any more. */
  close(reason: string): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    const error = new CellClosedError(reason)
    const waiting = [...this.#inFlight.flatMap(({ waiters }) => waiters), ...this.#pendingWaiters]
    this.#inFlight = []
    this.#pendingWaiters = []
    this.#pendingChanges = []
    for (const waiter of waiting) waiter.reject(error)
  }

  #adopt(name: TableName, { table, key, value }: StoredChange, read: RecordReader): void {
    if (table === name && value !== null) this.#set(name, key, read(table, value))
  }

  #assertWritable(): void {
    if (this.#closed !== undefined) throw new CellClosedError(this.#closed)
    if (this.#retrying) throw new CellNotWritableError()
  }

  #run<T>(change: (tx: Transaction) => T, written: Change[]): T {
    this.#inTransaction = true
    try {
      return change({
        tables: this.#tables,
        fleet: this.#fleet,
        waiting: this.#waiting,
        put: (table, key, record) => {
          written.push({ table, key, before: this.#set(table, key, record), after: record } as Change)
        },
        delete: (table, key) => {
          const before = this.#set(table, key, undefined)
          if (before !== undefined) written.push({ table, key, before, after: undefined } as Change)
        },
      })
    } catch (error) {
      for (const { table, key, before } of written.reverse()) this.#set(table, key, before)
      throw error
    } finally {
      this.#inTransaction = false
    }
  }

  #set(table: TableName, key: string, record: unknown): unknown {
    const before = (this.#tables[table] as unknown as Table<unknown>).set(key, record)
    const change = { table, key, before, after: record } as Change
    this.#fleet.follow(change)
    this.#waiting.follow(change)
    return before
  }

  #durable(): Promise<void> {
    if (this.#pendingChanges.length === 0 && this.#inFlight.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject }
      const cancel = this.#deps.clock.after(this.#options.commitTimeoutMs, () =>
        reject(new StoreUnavailableError(`not durable after ${this.#options.commitTimeoutMs} ms`)),
      )
      waiter.resolve = () => {
        cancel()
        resolve()
      }
      waiter.reject = (error: Error) => {
        cancel()
        reject(error)
      }
      this.#pendingWaiters.push(waiter)
      this.#scheduleFlush()
    })
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    this.#deps.defer(() => {
      this.#flushScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#closed !== undefined || this.#retrying) return
    if (this.#pendingChanges.length === 0) {
      this.#attachWaiters()
      return
    }
    if (this.#inFlight.length >= this.#options.batchesInFlight) return
    const batch: Batch = {
      sequence: ++this.#sequence,
      changes: this.#pendingChanges,
      waiters: this.#pendingWaiters,
    }
    this.#pendingChanges = []
    this.#pendingWaiters = []
    this.#inFlight.push(batch)
    void this.#send(batch)
  }

  /** Those who only read wait for the newest batch that they can have seen. */
  #attachWaiters(): void {
    const last = this.#inFlight.pop()
    const waiters = this.#pendingWaiters
    this.#pendingWaiters = []
    if (last) this.#inFlight.push({ ...last, waiters: [...last.waiters, ...waiters] })
    else for (const waiter of waiters) waiter.resolve()
  }

  async #send({ sequence, changes }: Batch): Promise<void> {
    let outcome: CommitOutcome
    try {
      outcome = await this.#deps.store.commit({ fence: this.fence, sequence, changes: storedChanges(changes) })
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) this.#deps.log.error('commit failed', { error, sequence })
      this.#retryLater(error as Error)
      return
    }
    if (this.#closed !== undefined) return
    if (outcome.kind === 'committed') this.#confirmThrough(sequence)
    else if (outcome.kind === 'fenced') this.#lose(`fenced by ${describeFence(outcome.by)}`)
    else if (!this.#retrying) this.#loseSinceStoreWentBack(outcome.durable)
  }

  /** Batches are applied in order, so that one that is in says that all before it are. */
  #confirmThrough(sequence: number): void {
    while (this.#inFlight[0] !== undefined && this.#inFlight[0].sequence <= sequence) {
      const batch = this.#inFlight.shift() as Batch
      this.#announce(this.#durableListeners, batch.changes)
      for (const waiter of batch.waiters) waiter.resolve()
    }
    if (this.#pendingWaiters.length > 0 || this.#pendingChanges.length > 0) this.#scheduleFlush()
  }

  #retryLater(error: Error): void {
    if (this.#retrying || this.#closed !== undefined || this.#inFlight.length === 0) return
    this.#retrying = true
    this.#deps.log.warn('the store does not take writes; trying again', { reason: error.message })
    this.#scheduleRetry()
  }

  #scheduleRetry(): void {
    const delay = backoffDelay(this.#retryAttempt++, this.#options.retry, this.#deps.random)
    this.#deps.clock.after(delay, () => void this.#retry())
  }

  /** One batch at a time, oldest first, until all are in. */
  async #retry(): Promise<void> {
    while (this.#closed === undefined && this.#inFlight[0] !== undefined) {
      const { sequence, changes } = this.#inFlight[0]
      let outcome: CommitOutcome
      try {
        outcome = await this.#deps.store.commit({ fence: this.fence, sequence, changes: storedChanges(changes) })
      } catch {
        this.#scheduleRetry()
        return
      }
      if (this.closed) return
      if (outcome.kind === 'fenced') return this.#lose(`fenced by ${describeFence(outcome.by)}`)
      if (outcome.kind === 'out-of-sequence') return this.#loseSinceStoreWentBack(outcome.durable)
      this.#confirmThrough(sequence)
    }
    if (this.#closed !== undefined) return
    this.#retrying = false
    this.#retryAttempt = 0
    this.#deps.log.info('the store takes writes again')
    if (this.#pendingChanges.length > 0 || this.#pendingWaiters.length > 0) this.#scheduleFlush()
    for (const listener of this.#availableListeners) listener()
  }

  #loseSinceStoreWentBack(durable: number): void {
    this.#storeWentBack = true
    this.#lose(`the store went back to ${durable}`)
  }

  #lose(reason: string): void {
    if (this.#closed !== undefined) return
    this.close(reason)
    this.#deps.onLost(reason)
  }

  #announce(listeners: ReadonlySet<(changes: readonly Change[]) => void>, changes: readonly Change[]): void {
    for (const listener of listeners) {
      try {
        listener(changes)
      } catch (error) {
        this.#deps.log.error('a watcher of the cell failed', { error })
      }
    }
  }
}

type RecordReader = (table: TableName, text: string) => unknown

function recordReader(): RecordReader {
  const task = storedTasks()
  return (table, text) => (table === 'tasks' ? task(text) : JSON.parse(text))
}

/** The last value of each record that changed: what was overwritten within the batch need not be written. */
function storedChanges(changes: readonly Change[]) {
  // By table and then by key: a key put together for each of them would have to be hashed anew.
  const last = new Map<TableName, Map<string, Change>>()
  for (const change of changes) {
    let ofTable = last.get(change.table)
    if (!ofTable) last.set(change.table, (ofTable = new Map()))
    ofTable.set(change.key, change)
  }
  return Array.from(last.values(), (ofTable) => Array.from(ofTable.values(), storedChange)).flat()
}

const storedChange = ({ table, key, after }: Change): StoredChange => ({
  table,
  key,
  value: after === undefined ? null : JSON.stringify(after),
})

const describeFence = (fence: Fence | undefined): string =>
  fence ? `epoch ${fence.epoch} of ${fence.holder}` : 'an empty store'
