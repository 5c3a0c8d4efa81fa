import { type Store, StoreUnavailableError } from './store.ts'

/** A store that is watched from where it is used. */
export interface WatchedStore {
  readonly store: Store
  /**
   * Whether the store failed to do what it was last asked for, as far as this process knows: the store is away, or this process is cut off
   * from it. A process that leads or wants to lead asks it several times in the length of a lease.
   */
  readonly away: () => boolean
}

/** Passes everything on to `store`, and remembers how the last call ended. */
export function watchedStore(store: Store): WatchedStore {
  let isAway = false
  const noting = async <T>(call: Promise<T>): Promise<T> => {
    try {
      const result = await call
      isAway = false
      return result
    } catch (error) {
      if (error instanceof StoreUnavailableError) isAway = true
      throw error
    }
  }
  return {
    away: () => isAway,
    store: {
      ...store,
      commit: (batch) => noting(store.commit(batch)),
      load: () => noting(store.load()),
      acquireLease: (...given) => noting(store.acquireLease(...given)),
      renewLease: (...given) => noting(store.renewLease(...given)),
      releaseLease: (fence) => noting(store.releaseLease(fence)),
    },
  }
}
