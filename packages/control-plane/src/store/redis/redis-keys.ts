/** Every key that a cell has in Redis. All share one hash tag, so that a script may touch them together on a Redis Cluster too. */
export interface RedisKeys {
  /** Hash: who leads (`epoch`, `holder`, `leader`, `deadline` in ms of Redis's clock) and the last batch that is in (`sequence`). */
  readonly cell: string
  /** Stream: committed batches in parts, with the ids `<sequence>-<part>`. */
  readonly feed: string
  /** Set: the names of all tables that ever had a record. */
  readonly tables: string
  /** Hash: the records of one table. */
  table(name: string): string
}

export function redisKeys(cell: string): RedisKeys {
  const prefix = `{berth:${cell}}`
  return {
    cell: `${prefix}:cell`,
    feed: `${prefix}:feed`,
    tables: `${prefix}:tables`,
    table: (name) => `${prefix}:table:${name}`,
  }
}

const escaped = '\u0001'

/** A record's key as the name of a hash field. Keys that UTF-8 cannot carry (lone surrogates) are escaped, so that no two become one. */
export const fieldOf = (key: string): string =>
  key.isWellFormed() && !key.startsWith(escaped) ? key : escaped + JSON.stringify(key)

/** The record's key that `fieldOf` made a field of. */
export const keyOf = (field: string): string =>
  field.startsWith(escaped) ? (JSON.parse(field.slice(1)) as string) : field
