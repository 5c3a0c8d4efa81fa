import type { Transaction } from './cell.ts'
import type { StoreReturnRecord } from './records.ts'
import type { ReadonlyTables } from './tables.ts'

const key = 'latest'

/** The last time that the store went back, if it ever did. */
export const lastStoreReturn = (tables: ReadonlyTables): StoreReturnRecord | undefined => tables.storeReturns.get(key)

/** Until when nothing is stopped or replaced by itself, in ms since the epoch; 0 for no such time. */
export const quarantinedUntil = (tables: ReadonlyTables): number => lastStoreReturn(tables)?.quarantinedUntil ?? 0

/**
 * Notes that the store went back. From now on for `quarantineMs` nothing is stopped or replaced by itself, so that hosts can say what they
 * run before anybody acts on records that lack it. News of the same return make its quarantine longer.
 */
export function noteStoreReturn(tx: Transaction, now: number, quarantineMs: number, reason: string): void {
  const before = lastStoreReturn(tx.tables)
  const isSame = before !== undefined && now < before.quarantinedUntil
  tx.put('storeReturns', key, {
    noticedAt: isSame ? before.noticedAt : now,
    reason: isSame ? before.reason : reason,
    quarantinedUntil: now + quarantineMs,
    adoptedTasks: isSame ? before.adoptedTasks : 0,
  })
}

/** Counts tasks that hosts have handed back. */
export function countAdopted(tx: Transaction, tasks: number): void {
  const before = lastStoreReturn(tx.tables)
  if (before && tasks > 0) tx.put('storeReturns', key, { ...before, adoptedTasks: before.adoptedTasks + tasks })
}
