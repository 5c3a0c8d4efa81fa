import type { Redis } from 'ioredis'
import type { FeedEntry, StoredChange } from '../store.ts'
import { keyOf } from './redis-keys.ts'

/** How long one read of the feed waits for news, in ms: shorter than a command may take. */
export const feedBlockMs = 1000

const partsPerRead = 100

type StreamEntry = readonly [id: string, fields: readonly string[]]

interface Part {
  readonly sequence: number
  readonly epoch: number
  readonly number: number
  readonly parts: number
  readonly changes: readonly StoredChange[]
}

/** Batches after `afterSequence`, put together from their parts. What lacks its first parts, because the feed was cut there, is left out. */
export async function* readFeed(
  send: <T>(command: (client: Redis) => Promise<T>) => Promise<T>,
  feed: string,
  afterSequence: number,
  signal: AbortSignal,
): AsyncGenerator<FeedEntry> {
  let position = `${afterSequence}-18446744073709551615`
  let open: { readonly sequence: number; readonly changes: StoredChange[]; next: number } | undefined
  while (!signal.aborted) {
    for (const entry of await readEntries(send, feed, position)) {
      position = entry[0]
      const part = parsePart(entry)
      if (part.number === 0) open = { sequence: part.sequence, changes: [], next: 0 }
      if (open?.sequence !== part.sequence || open.next !== part.number) continue
      open.next++
      open.changes.push(...part.changes)
      if (open.next === part.parts) yield { sequence: part.sequence, epoch: part.epoch, changes: open.changes }
      if (signal.aborted) return
    }
  }
}

async function readEntries(
  send: <T>(command: (client: Redis) => Promise<T>) => Promise<T>,
  feed: string,
  position: string,
): Promise<readonly StreamEntry[]> {
  const reply = await send((client) =>
    client.xread('COUNT', partsPerRead, 'BLOCK', feedBlockMs, 'STREAMS', feed, position),
  )
  return (reply as readonly [string, readonly StreamEntry[]][] | null)?.[0]?.[1] ?? []
}

/** Reads what `commit-batch` wrote: a header, then field and value by turns. */
export function parsePart([id, fields]: StreamEntry): Part {
  const [epoch, number, parts, kind, ...table] = (fields[1] ?? '').split(' ')
  const changes: StoredChange[] = []
  for (let i = 2; i + 1 < fields.length; i += 2) {
    changes.push({
      table: table.join(' '),
      key: keyOf(fields[i] as string),
      value: kind === 'delete' ? null : (fields[i + 1] as string),
    })
  }
  return { sequence: Number.parseInt(id), epoch: Number(epoch), number: Number(number), parts: Number(parts), changes }
}
