/** Reads one field that an index is kept by; `undefined` leaves the record out. */
export type IndexKey<R> = (record: R) => string | undefined

/**
 * One kind of record, in memory, with the indexes that are asked of it, and tallies where only the number of records is.
 * Every write goes through `set`, which returns what stood there, so that a transaction can put it back.
 */
export class Table<R, I extends string = string, T extends string = never> {
  readonly #records = new Map<string, R>()
  readonly #indexes: readonly {
    readonly name: I
    readonly keyOf: IndexKey<R>
    readonly entries: Map<string, Set<string>>
  }[]
  readonly #tallies: readonly {
    readonly name: T
    readonly keyOf: IndexKey<R>
    readonly counts: Map<string, number>
  }[]

  constructor(indexes: Readonly<Record<I, IndexKey<R>>>, tallies = {} as Readonly<Record<T, IndexKey<R>>>) {
    this.#indexes = Object.entries<IndexKey<R>>(indexes).map(([name, keyOf]) => ({
      name: name as I,
      keyOf,
      entries: new Map(),
    }))
    this.#tallies = Object.entries<IndexKey<R>>(tallies).map(([name, keyOf]) => ({
      name: name as T,
      keyOf,
      counts: new Map(),
    }))
  }

  get size(): number {
    return this.#records.size
  }

  get(key: string): R | undefined {
    return this.#records.get(key)
  }

  values(): IterableIterator<R> {
    return this.#records.values()
  }

  entries(): IterableIterator<[string, R]> {
    return this.#records.entries()
  }

  /** The records whose indexed field equals `value`, in the order in which they came. */
  *by(index: I, value: string): IterableIterator<R> {
    for (const key of this.#entries(index).get(value) ?? []) yield this.#records.get(key) as R
  }

  countBy(index: I, value: string): number {
    return this.#entries(index).get(value)?.size ?? 0
  }

  /** How many records have this value in a field that a tally is kept of, however many there are. */
  tallied(tally: T, value: string): number {
    return this.#tallies.find(({ name }) => name === tally)?.counts.get(value) ?? 0
  }

  /** Writes a record, or ends it with `undefined`, and returns the one before. */
  set(key: string, record: R | undefined): R | undefined {
    const before = this.#records.get(key)
    if (record === undefined) this.#records.delete(key)
    else this.#records.set(key, record)
    for (const { keyOf, entries } of this.#indexes) {
      const from = before === undefined ? undefined : keyOf(before)
      const to = record === undefined ? undefined : keyOf(record)
      if (from === to) continue
      if (from !== undefined) removeFrom(entries, from, key)
      if (to !== undefined) addTo(entries, to, key)
    }
    for (const { keyOf, counts } of this.#tallies) {
      const from = before === undefined ? undefined : keyOf(before)
      const to = record === undefined ? undefined : keyOf(record)
      if (from === to) continue
      if (from !== undefined) count(counts, from, -1)
      if (to !== undefined) count(counts, to, 1)
    }
    return before
  }

  #entries(index: I): Map<string, Set<string>> {
    const found = this.#indexes.find(({ name }) => name === index)
    if (!found) throw new Error(`no index ${index}`)
    return found.entries
  }
}

function addTo(entries: Map<string, Set<string>>, value: string, key: string): void {
  const keys = entries.get(value)
  if (keys) keys.add(key)
  else entries.set(value, new Set([key]))
}

function removeFrom(entries: Map<string, Set<string>>, value: string, key: string): void {
  const keys = entries.get(value)
  if (keys?.delete(key) && keys.size === 0) entries.delete(value)
}

function count(counts: Map<string, number>, value: string, change: 1 | -1): void {
  const next = (counts.get(value) ?? 0) + change
  if (next === 0) counts.delete(value)
  else counts.set(value, next)
}
