import { type Clock, sleep } from '@berth/shared/clock.ts'
import {
  type CommitBatch,
  type CommitOutcome,
  type FeedEntry,
  type Fence,
  type LeaseOutcome,
  type Store,
  StoreUnavailableError,
} from '../store.ts'
import { type MemoryWorld, memoryWorld, nowhere } from './memory-world.ts'

export type StoreOperation = 'commit' | 'load' | 'acquireLease' | 'renewLease' | 'releaseLease'

/** What becomes of a call: `refused` before it did anything, or done with its `answer lost`. Both look alike to the caller. */
export type CallFate = 'done' | 'refused' | 'answer lost'

export interface MemoryStoreFaults {
  /** How long a call is on its way to the store, and its answer on its way back, in ms. Calls never overtake one another. */
  readonly delayMs?: (operation: StoreOperation, way: 'there' | 'back') => number
  readonly fate?: (operation: StoreOperation) => CallFate
}

export interface MemoryStoreOptions {
  /** Times the lease and the delays. */
  readonly clock: Clock
  /** What the store's data is in; stores of several processes may share one. Default: a new one. */
  readonly world?: MemoryWorld
  readonly faults?: MemoryStoreFaults
}

/** Batches that the feed keeps. */
const feedLength = 1000

/**
 * A store that keeps everything in memory and does every call in the order of the calls: for tests and simulations, where it
 * is deterministic, and for a control plane that need not outlive its process.
 */
export function memoryStore({ clock, world = memoryWorld(), faults = {} }: MemoryStoreOptions): Store {
  const closing = new AbortController()
  let lastApplied: Promise<unknown> = Promise.resolve()
  let lastAnswered: Promise<unknown> = Promise.resolve()

  const travel = async (operation: StoreOperation, way: 'there' | 'back'): Promise<void> => {
    const delay = faults.delayMs?.(operation, way) ?? 0
    if (delay > 0) await sleep(clock, delay)
  }

  const call = <T>(operation: StoreOperation, apply: () => T): Promise<T> => {
    const fate = faults.fate?.(operation) ?? 'done'
    const applied = Promise.all([travel(operation, 'there'), lastApplied]).then(() => {
      if (closing.signal.aborted) throw new StoreUnavailableError('the store is closed')
      if (fate === 'refused') throw new StoreUnavailableError('the store does not answer')
      const result = apply()
      if (fate === 'answer lost') throw new StoreUnavailableError('the answer was lost')
      return result
    })
    lastApplied = applied.catch(() => {})
    const back = lastApplied.then(() => travel(operation, 'back'))
    const answered = Promise.all([back, lastAnswered]).then(() => applied)
    lastAnswered = answered.catch(() => {})
    return answered
  }

  return {
    commit: (batch) => call('commit', () => commit(world, batch)),

    load: () =>
      call('load', () => ({
        sequence: world.state.sequence,
        records: Array.from(world.state.tables, ([table, records]) =>
          Array.from(records, ([key, value]) => ({ table, key, value })),
        ).flat(),
      })),

    acquireLease: (holder, ttlMs, leader, { predecessor, aboveEpoch = 0 } = {}) =>
      call('acquireLease', (): LeaseOutcome => {
        const { state } = world
        const isFree = ['', holder, predecessor].includes(state.holder) || state.deadline <= clock.monotonic()
        if (!isFree) return taken(world, clock)
        Object.assign(state, {
          epoch: Math.max(state.epoch, aboveEpoch) + 1,
          holder,
          leader,
          deadline: clock.monotonic() + ttlMs,
        })
        return { kind: 'held', fence: { epoch: state.epoch, holder } }
      }),

    renewLease: (fence, ttlMs) =>
      call('renewLease', (): LeaseOutcome => {
        if (!holds(world, fence)) return taken(world, clock)
        world.state.deadline = clock.monotonic() + ttlMs
        return { kind: 'held', fence }
      }),

    releaseLease: (fence) =>
      call('releaseLease', () => {
        if (holds(world, fence)) Object.assign(world.state, { holder: '', leader: nowhere, deadline: 0 })
      }),

    feed: (afterSequence, signal) => readFeed(world, afterSequence, AbortSignal.any([signal, closing.signal])),

    safety: async () => ({
      durable: false,
      warnings: ['Everything is kept in memory: it ends with this process.'],
    }),

    close: async () => closing.abort(),
  }
}

const holds = ({ state }: MemoryWorld, fence: Fence): boolean =>
  state.epoch === fence.epoch && state.holder === fence.holder

function taken({ state }: MemoryWorld, clock: Clock): LeaseOutcome {
  const { epoch, holder, leader, deadline } = state
  return { kind: 'taken', by: { epoch, holder }, leader, expiresInMs: Math.max(0, deadline - clock.monotonic()) }
}

function commit(world: MemoryWorld, { fence, sequence, changes }: CommitBatch): CommitOutcome {
  const { state } = world
  if (!holds(world, fence))
    return { kind: 'fenced', by: state.holder === '' ? undefined : { epoch: state.epoch, holder: state.holder } }
  if (sequence <= state.sequence) return { kind: 'committed' }
  if (sequence !== state.sequence + 1) return { kind: 'out-of-sequence', durable: state.sequence }
  for (const { table, key, value } of changes) {
    let records = state.tables.get(table)
    if (!records) state.tables.set(table, (records = new Map()))
    if (value === null) records.delete(key)
    else records.set(key, value)
  }
  state.sequence = sequence
  state.feed = [...state.feed.slice(1 - feedLength), { sequence, epoch: fence.epoch, changes }]
  for (const listener of world.feedListeners) listener()
  return { kind: 'committed' }
}

async function* readFeed(world: MemoryWorld, afterSequence: number, signal: AbortSignal): AsyncGenerator<FeedEntry> {
  let last = afterSequence
  while (!signal.aborted) {
    const next = world.state.feed.find(({ sequence }) => sequence > last)
    if (next) {
      last = next.sequence
      yield next
    } else await news(world, signal)
  }
}

/** Resolves at the next commit, or when `signal` aborts. */
function news({ feedListeners }: MemoryWorld, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      feedListeners.delete(wake)
      signal.removeEventListener('abort', wake)
      resolve()
    }
    feedListeners.add(wake)
    signal.addEventListener('abort', wake)
  })
}
