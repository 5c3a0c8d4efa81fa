import type { Redis } from 'ioredis'
import { type LoadedState, type StoredChange, StoreUnavailableError } from '../store.ts'
import { keyOf, type RedisKeys } from './redis-keys.ts'

/** Records asked for at once: few enough that a thousand big ones fit into memory and into a command's time, many enough that the way there and back does not matter. */
const recordsPerScan = 1000

/**
 * Reads all records. The caller holds the lease, so that nobody else writes; that nobody did is checked.
 *
 * @throws StoreUnavailableError when the cell was written to while it was read.
 */
export async function loadRecords(
  send: <T>(command: (client: Redis) => Promise<T>) => Promise<T>,
  keys: RedisKeys,
): Promise<LoadedState> {
  const moment = async () => send((client) => client.hmget(keys.cell, 'epoch', 'holder', 'sequence'))
  const before = await moment()
  const records = await loadTables(send, keys)
  const after = await moment()
  if (before.some((value, index) => value !== after[index]))
    throw new StoreUnavailableError('somebody wrote to the cell while it was being read')
  return { sequence: Number(after[2] ?? 0), records }
}

/** Reads all records, one after the other, while they may be written to. */
export async function loadTables(
  send: <T>(command: (client: Redis) => Promise<T>) => Promise<T>,
  keys: RedisKeys,
): Promise<StoredChange[]> {
  const names = await send((client) => client.smembers(keys.tables))
  const tables = await Promise.all(names.sort().map((table) => loadTable(send, table, keys.table(table))))
  return tables.flat()
}

async function loadTable(
  send: <T>(command: (client: Redis) => Promise<T>) => Promise<T>,
  table: string,
  hash: string,
): Promise<StoredChange[]> {
  // A scan may show a field twice while Redis resizes the hash.
  const records = new Map<string, string>()
  let cursor = '0'
  do {
    const [next, pairs] = await send((client) => client.hscan(hash, cursor, 'COUNT', recordsPerScan))
    for (let i = 0; i + 1 < pairs.length; i += 2) records.set(pairs[i] as string, pairs[i + 1] as string)
    cursor = next
  } while (cursor !== '0')
  return Array.from(records, ([field, value]) => ({ table, key: keyOf(field), value }))
}
