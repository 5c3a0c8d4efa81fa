import type { FeedEntry, LeaderAddresses } from '../store.ts'

interface State {
  epoch: number
  /** Empty when nobody holds the lease. */
  holder: string
  leader: LeaderAddresses
  /** When the lease ends, in ms of the store's monotonic clock. */
  deadline: number
  sequence: number
  tables: Map<string, Map<string, string>>
  feed: readonly FeedEntry[]
}

/** A moment of a world, to go back to. */
export type MemorySnapshot = Readonly<State>

/** The data of memory stores: what outlives the process that uses one, as Redis's would. */
export interface MemoryWorld {
  state: State
  readonly feedListeners: Set<() => void>
  /** What `restore` takes back: for a store that loses what it acknowledged. */
  snapshot(): MemorySnapshot
  restore(snapshot: MemorySnapshot): void
}

/** Where a leader is while there is none. */
export const nowhere: LeaderAddresses = { api: '', agents: '' }

/** A world in which nothing ever happened. */
export function memoryWorld(): MemoryWorld {
  const world: MemoryWorld = {
    state: {
      epoch: 0,
      holder: '',
      leader: nowhere,
      deadline: 0,
      sequence: 0,
      tables: new Map(),
      feed: [],
    },
    feedListeners: new Set(),
    snapshot: () => copy(world.state),
    restore(snapshot) {
      world.state = copy(snapshot)
    },
  }
  return world
}

const copy = (state: MemorySnapshot): State => ({
  ...state,
  tables: new Map(Array.from(state.tables, ([name, records]) => [name, new Map(records)])),
})
