import type { Redis } from 'ioredis'
import type { LoadedState, StoredChange } from '../store.ts'
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts'
import { parsePart } from './redis-feed.ts'
import { fieldOf, redisKeys } from './redis-keys.ts'
import { loadTables } from './redis-load.ts'

/** All of a cell that a Redis has, as one moment had it. */
export interface CellBackup extends LoadedState {
  readonly epoch: number
  /** What lies beside the records by name, sealed as it is: the cell's CA among it. */
  readonly documents: readonly (readonly [name: string, text: string])[]
}

export type BackupOptions = Omit<RedisConnectionOptions, 'scripts' | 'key' | 'commandTimeoutMs'> & {
  /** Name of the cell. */
  readonly cell: string
}

/** A dump of a large table takes Redis longer than a lease would wait for. */
const commandTimeoutMs = 30_000
const tries = 5
const entriesPerRead = 200
const recordsPerWrite = 500

type Send = <T>(command: (client: Redis) => Promise<T>) => Promise<T>

async function withRedis<T>(options: BackupOptions, use: (send: Send) => Promise<T>): Promise<T> {
  const key = redisKeys(options.cell).cell
  const connection = new RedisConnection({ ...options, key, commandTimeoutMs, scripts: [] })
  try {
    await connection.usable()
    return await use((command) => connection.send(command))
  } finally {
    connection.close()
  }
}

/**
 * Reads a cell while it is written to, without holding anybody up: the records one after the other, and then over them all that the feed says
 * was written meanwhile. What comes of it is the cell as it was at the last entry.
 *
 * @throws StoreUnavailableError; Error when so much is written that the feed forgets it before it is read.
 */
export const readBackup = (options: BackupOptions): Promise<CellBackup> =>
  withRedis(options, async (send) => {
    for (let attempt = 0; attempt < tries; attempt++) {
      const backup = await tryBackup(send, options.cell)
      if (backup) return backup
    }
    throw new Error('the cell is written to faster than it can be read: try again when less happens')
  })

async function tryBackup(send: Send, cell: string): Promise<CellBackup | undefined> {
  const keys = redisKeys(cell)
  const documents = await readDocuments(send, cell)
  const before = Number((await send((client) => client.hget(keys.cell, 'sequence'))) ?? 0)
  const records = new Map<string, StoredChange>()
  for (const record of await loadTables(send, keys)) records.set(`${record.table} ${record.key}`, record)
  const [epoch, end] = (await send((client) => client.hmget(keys.cell, 'epoch', 'sequence'))).map(Number) as [
    number,
    number,
  ]
  let covered = before
  for (let position = `${before + 1}-0`, more = end > before; more;) {
    const entries = await send((client) =>
      client.xrange(keys.feed, position, `${end}-18446744073709551615`, 'COUNT', entriesPerRead),
    )
    for (const entry of entries) {
      const { sequence, changes } = parsePart(entry)
      if (sequence > covered + 1) return undefined
      covered = sequence
      for (const change of changes) records.set(`${change.table} ${change.key}`, change)
      position = `(${entry[0]}`
    }
    more = entries.length === entriesPerRead
  }
  if (covered !== end) return undefined
  const living = [...records.values()].filter(({ value }) => value !== null)
  return { epoch, sequence: end, records: living, documents }
}

const documentPrefix = (cell: string) => `{berth:${cell}}:document:`

async function readDocuments(send: Send, cell: string): Promise<[string, string][]> {
  const prefix = documentPrefix(cell)
  const documents: [string, string][] = []
  let cursor = '0'
  do {
    const [next, keys] = await send((client) =>
      client.scan(cursor, 'MATCH', `${prefix.replaceAll(/[[\]*?\\]/g, '\\$&')}*`, 'COUNT', 1000),
    )
    for (const key of keys) documents.push([key.slice(prefix.length), (await send((client) => client.get(key))) ?? ''])
    cursor = next
  } while (cursor !== '0')
  return documents
}

/**
 * Writes a backup into a Redis that has nothing of this cell. Whoever leads it next does so under a later epoch.
 *
 * @throws Error when there is something of the cell already; StoreUnavailableError, after which it is to be emptied and written again.
 */
export const writeBackup = (options: BackupOptions, backup: CellBackup): Promise<void> =>
  withRedis(options, async (send) => {
    const keys = redisKeys(options.cell)
    const there = await send((client) => client.exists(keys.cell, keys.tables))
    if (there > 0) throw new Error(`this Redis has a cell named ${options.cell} already`)
    const byTable = Map.groupBy(backup.records, ({ table }) => table)
    for (const [table, records] of byTable) {
      await send((client) => client.sadd(keys.tables, table))
      for (let at = 0; at < records.length; at += recordsPerWrite) {
        const pairs = records.slice(at, at + recordsPerWrite).flatMap(({ key, value }) => [fieldOf(key), value ?? ''])
        await send((client) => client.hset(keys.table(table), ...pairs))
      }
    }
    for (const [name, text] of backup.documents)
      await send((client) => client.set(documentPrefix(options.cell) + name, text))
    // Last, since a cell is there once it has an epoch.
    const { epoch, sequence } = backup
    await send((client) => client.hset(keys.cell, { epoch, sequence, holder: '', leader: '', deadline: 0 }))
  })
