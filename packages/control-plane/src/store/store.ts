/** Who may write: one holder of one epoch. Both are compared for equality by every write; a counter alone is handed out twice in a fail-over. */
export interface Fence {
  /** Counts up with each change of leader; starts at 1. */
  readonly epoch: number
  /** Id of the process that holds it. */
  readonly holder: string
}

/** One record's new value, or `null` for its end. Values are JSON text. */
export interface StoredChange {
  readonly table: string
  readonly key: string
  readonly value: string | null
}

/** Changes that become durable together or not at all. */
export interface CommitBatch {
  readonly fence: Fence
  /** One more than the batch before. Committing one again that is already in is answered `committed` and changes nothing. */
  readonly sequence: number
  readonly changes: readonly StoredChange[]
}

export type CommitOutcome =
  | { readonly kind: 'committed' }
  /** Somebody else leads: nothing was written, and this process must stop acting. */
  | { readonly kind: 'fenced'; readonly by: Fence | undefined }
  /** The store is not where this process left it (it went back, or was emptied): nothing was written. */
  | { readonly kind: 'out-of-sequence'; readonly durable: number }

/** Everything in the store, as one moment had it. */
export interface LoadedState {
  /** The last batch that is in. 0 for an empty store. */
  readonly sequence: number
  readonly records: readonly StoredChange[]
}

/** One committed batch, as the change feed tells it. */
export interface FeedEntry {
  readonly sequence: number
  readonly epoch: number
  readonly changes: readonly StoredChange[]
}

/** Where others reach the process that leads. */
export interface LeaderAddresses {
  /** The API's base URL, such as `http://10.0.0.1:4566`; empty when it takes no requests from others. */
  readonly api: string
  /** `host:port` that agents join at. */
  readonly agents: string
}

export interface AcquireLeaseOptions {
  /** A holder whose process is known to have ended: a lease that it holds is taken at once. */
  readonly predecessor?: string
  /** An epoch that somebody has seen, and that must not be given out again by a store which went back. */
  readonly aboveEpoch?: number
}

export type LeaseOutcome =
  | { readonly kind: 'held'; readonly fence: Fence }
  /** `leader` is where its holder says that it listens. */
  | { readonly kind: 'taken'; readonly by: Fence; readonly leader: LeaderAddresses; readonly expiresInMs: number }

/** What a store says of its own safety, in sentences for the log. */
export interface SafetyReport {
  /** Whether an acknowledged commit survives a crash of the store. */
  readonly durable: boolean
  readonly warnings: readonly string[]
}

/** The store did not answer, or answered that it cannot: whether a write happened is not known. Try the same again. */
export class StoreUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreUnavailableError'
  }
}

/**
 * Where a cell's records outlive its process. Two implementations, Redis and memory, pass one contract suite.
 *
 * @throws StoreUnavailableError from every operation.
 */
export interface Store {
  /**
   * Writes a batch, in order. May be called again before the last call resolved: batches are pipelined and applied in the order of calls;
   * a batch that follows a failed one is answered `out-of-sequence`. Resolves when the batch is as durable as the store can make it.
   */
  commit(batch: CommitBatch): Promise<CommitOutcome>
  /** Reads everything. To be called after the lease is held and before the first commit. */
  load(): Promise<LoadedState>
  /**
   * Takes the lease when it is free or expired, under a new epoch. `leader` is where others reach this process. The epoch is durable before
   * this resolves. Deadlines come from the store's own clock.
   */
  acquireLease(
    holder: string,
    ttlMs: number,
    leader: LeaderAddresses,
    options?: AcquireLeaseOptions,
  ): Promise<LeaseOutcome>
  /** Keeps the lease for another `ttlMs`; `taken` when it is somebody else's, and then it never comes back to this fence. */
  renewLease(fence: Fence, ttlMs: number): Promise<LeaseOutcome>
  /** Gives the lease back, if it is still held, so that a successor need not wait for its end. */
  releaseLease(fence: Fence): Promise<void>
  /** Committed batches after `afterSequence`, as they come, until `signal` aborts. Entries older than the feed's length are gone: then the first entry skips. */
  feed(afterSequence: number, signal: AbortSignal): AsyncIterable<FeedEntry>
  safety(): Promise<SafetyReport>
  close(): Promise<void>
}
