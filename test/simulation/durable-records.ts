import { type CellRecords, type TableName, tableNames } from '@berth/control-plane/cell/records.ts'
import type { MemoryWorld } from '@berth/control-plane/store/memory/memory-world.ts'
import type { FeedEntry, Fence } from '@berth/control-plane/store/store.ts'

type Records = { readonly [K in TableName]: Map<string, CellRecords[K]> }

/** One record that a commit changed, as the store had it before and has it now. */
export type DurableChange = {
  readonly [K in TableName]: {
    readonly table: K
    readonly key: string
    readonly before: CellRecords[K] | undefined
    readonly after: CellRecords[K] | undefined
  }
}[TableName]

/** What the store holds, read from its feed as it is written: what every API answer and every order must agree with. */
export interface DurableRecords {
  readonly tables: Records
  /** Calls `listener` with each commit, at once. */
  onCommit(listener: (changes: readonly DurableChange[], entry: FeedEntry) => void): void
}

export function followStore(world: MemoryWorld): DurableRecords {
  const tables = Object.fromEntries(tableNames.map((name) => [name, new Map()])) as unknown as Records
  const listeners: ((changes: readonly DurableChange[], entry: FeedEntry) => void)[] = []
  world.feedListeners.add(() => {
    const entry = world.state.feed.at(-1)
    if (!entry) return
    const changes = entry.changes.map(({ table, key, value }) => {
      const records = tables[table as TableName] as Map<string, unknown>
      const before = records.get(key)
      const after: unknown = value === null ? undefined : JSON.parse(value)
      if (after === undefined) records.delete(key)
      else records.set(key, after)
      return { table, key, before, after } as DurableChange
    })
    for (const listener of listeners) listener(changes, entry)
  })
  return { tables, onCommit: (listener) => void listeners.push(listener) }
}

/** Who really sent each batch, by the list of its changes, whatever became of its fence on the way. */
export type Senders = WeakMap<FeedEntry['changes'], Fence>
