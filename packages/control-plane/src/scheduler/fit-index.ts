import { withPlaceFor } from './slot-set.ts'

/** Where a walk through a `FitOrder` has come to. */
export interface FitCursor {
  bucket: number
  cell: number
  slot: number
}

const NONE = -1

/** What is said of a cell, side by side, so that one look at memory brings it all. */
const CELL = 8
const KEY = 0
const CPU = 1
const MEMORY = 2
const FIRST_SLOT = 3
/** The cell behind this one in its bucket; for an unused cell, the next unused one. */
const NEXT_CELL = 4

/** What is said of a host: its neighbours in its cell, and the cell. */
const HOST = 4
const NEXT = 0
const PREVIOUS = 1
const IN_CELL = 2

/**
 * The storage that the orders of one index share: hosts that are alike in key, CPU and memory left are one cell, a linked
 * list, so that ten thousand equal hosts cost no more than one. A host is in one order at a time.
 */
export class FitCells {
  cells = new Int32Array(64 * CELL)
  hosts = new Int32Array(64 * HOST).fill(NONE)
  private cellCount = 0
  private unused = NONE

  ensureSlot(slot: number): void {
    this.hosts = withPlaceFor((slot + 1) * HOST - 1, this.hosts, NONE)
  }

  /** Whether the host is in an order. */
  has(slot: number): boolean {
    return (this.hosts[slot * HOST + IN_CELL] as number) !== NONE
  }

  newCell(key: number, cpu: number, memory: number, nextCell: number): number {
    let cell = this.unused
    if (cell === NONE) {
      cell = this.cellCount++
      this.cells = withPlaceFor((cell + 1) * CELL - 1, this.cells, 0)
    } else {
      this.unused = this.cells[cell * CELL + NEXT_CELL] as number
    }
    const { cells } = this
    const at = cell * CELL
    cells[at + KEY] = key
    cells[at + CPU] = cpu
    cells[at + MEMORY] = memory
    cells[at + FIRST_SLOT] = NONE
    cells[at + NEXT_CELL] = nextCell
    return cell
  }

  freeCell(cell: number): void {
    this.cells[cell * CELL + NEXT_CELL] = this.unused
    this.unused = cell
  }

  link(cell: number, slot: number): void {
    const { cells, hosts } = this
    const first = cells[cell * CELL + FIRST_SLOT] as number
    hosts[slot * HOST + NEXT] = first
    hosts[slot * HOST + PREVIOUS] = NONE
    hosts[slot * HOST + IN_CELL] = cell
    if (first !== NONE) hosts[first * HOST + PREVIOUS] = slot
    cells[cell * CELL + FIRST_SLOT] = slot
  }

  /** Takes the host out of its cell; true when the cell is empty now. */
  unlink(slot: number): boolean {
    const { cells, hosts } = this
    const next = hosts[slot * HOST + NEXT] as number
    const previous = hosts[slot * HOST + PREVIOUS] as number
    const cell = hosts[slot * HOST + IN_CELL] as number
    if (next !== NONE) hosts[next * HOST + PREVIOUS] = previous
    if (previous === NONE) cells[cell * CELL + FIRST_SLOT] = next
    else hosts[previous * HOST + NEXT] = next
    hosts[slot * HOST + IN_CELL] = NONE
    return previous === NONE && next === NONE
  }
}

/** The buckets, and the nodes of each level above them, go by eights: a node stands for eight of the level below it. */
const EIGHT = 8

/**
 * What is said of a bucket or a node: the most CPU and the most memory that any one host in it has left, and of a bucket
 * its first cell. Eight of them are two lines of the processor's cache, which it brings together.
 */
const NODE = 4
const MOST_CPU = 0
const MOST_MEMORY = 1
const FIRST_CELL = 2

/**
 * Hosts in the order of a key (what `binpack` compares), then of CPU and memory left, in which the first host with enough
 * of both is found without looking at those before it.
 *
 * The keys are cut into equal buckets, two to four for each host. Above the buckets stands a tree of the most CPU and the
 * most memory left in each subtree: a walk skips every subtree in which no host can have both. Without that pruning a
 * sorted index is as slow as a scan, because the fullest hosts come first and do not fit.
 *
 * In a large fleet time goes into memory that is not in the cache, not into steps. So a bucket's first cell stands beside
 * its maxima, and a node has eight children, side by side: between a bucket and the levels that stay in the cache there
 * is one look at memory, where a binary tree has four.
 */
export class FitOrder {
  private readonly store: FitCells
  private readonly buckets: number
  private readonly shift: number
  private readonly compact: (key: number) => number
  /** The buckets, then the nodes above them level by level, the last level at most eight. */
  private readonly nodes: Int32Array<ArrayBuffer>
  /** The node at which each level begins, and behind the last level the number of all nodes. */
  private readonly levels: readonly number[]

  /**
   * An order for keys from 0 to `maxKey`; others count into the outermost buckets. `compact` says where in the buckets a key
   * belongs when keys lie thinly: it must never be less for a larger key.
   */
  constructor(store: FitCells, hosts: number, maxKey: number, compact: (key: number) => number = (key) => key) {
    this.store = store
    this.compact = compact
    const keyBits = Math.max(1, 32 - Math.clz32(compact(maxKey)))
    const bucketBits = Math.min(keyBits, Math.max(6, 33 - Math.clz32(hosts)))
    this.buckets = 2 ** bucketBits
    this.shift = keyBits - bucketBits
    const levels = [0]
    for (let size = this.buckets, first = 0; levels.length === 1 || size > 1; size = Math.ceil(size / EIGHT)) {
      first += Math.ceil(size / EIGHT) * EIGHT
      levels.push(first)
    }
    this.levels = levels
    this.nodes = new Int32Array((levels.at(-1) as number) * NODE).fill(NONE)
  }

  insert(slot: number, key: number, cpu: number, memory: number): void {
    const { store } = this
    const bucket = this.bucketOf(key)
    let before = NONE
    let cell = this.nodes[bucket * NODE + FIRST_CELL] as number
    while (cell !== NONE && this.compare(cell, key, cpu, memory) < 0) {
      before = cell
      cell = store.cells[cell * CELL + NEXT_CELL] as number
    }
    if (cell === NONE || this.compare(cell, key, cpu, memory) !== 0) {
      cell = store.newCell(key, cpu, memory, cell)
      this.setBehind(bucket, before, cell)
      this.raise(bucket, cpu, memory)
    }
    store.link(cell, slot)
  }

  remove(slot: number): void {
    const { store } = this
    const cell = store.hosts[slot * HOST + IN_CELL] as number
    if (!store.unlink(slot)) return
    const { cells } = store
    const bucket = this.bucketOf(cells[cell * CELL + KEY] as number)
    let before = NONE
    let at = this.nodes[bucket * NODE + FIRST_CELL] as number
    while (at !== cell) {
      before = at
      at = cells[at * CELL + NEXT_CELL] as number
    }
    this.setBehind(bucket, before, cells[cell * CELL + NEXT_CELL] as number)
    this.lower(bucket, cells[cell * CELL + CPU] as number, cells[cell * CELL + MEMORY] as number)
    store.freeCell(cell)
  }

  /** A walk that begins before the first host whose key is `minKey` or more. */
  walkFrom(minKey: number): FitCursor {
    return { bucket: this.bucketOf(minKey) - 1, cell: NONE, slot: NONE }
  }

  /**
   * Moves the cursor to the next host with at least this much CPU and memory left; -1 at the end. The order must not
   * change during a walk.
   */
  next(cursor: FitCursor, cpu: number, memory: number): number {
    const { cells, hosts } = this.store
    if (cursor.slot !== NONE) {
      cursor.slot = hosts[cursor.slot * HOST + NEXT] as number
      if (cursor.slot !== NONE) return cursor.slot
      cursor.cell = cells[cursor.cell * CELL + NEXT_CELL] as number
    }
    for (;;) {
      for (; cursor.cell !== NONE; cursor.cell = cells[cursor.cell * CELL + NEXT_CELL] as number) {
        const at = cursor.cell * CELL
        if ((cells[at + CPU] as number) < cpu || (cells[at + MEMORY] as number) < memory) continue
        cursor.slot = cells[at + FIRST_SLOT] as number
        return cursor.slot
      }
      const bucket = this.bucketWith(cursor.bucket + 1, cpu, memory)
      if (bucket === NONE) return NONE
      cursor.bucket = bucket
      cursor.cell = this.nodes[bucket * NODE + FIRST_CELL] as number
    }
  }

  /** The first bucket, from this one on, that may hold a host with enough of both. */
  private bucketWith(from: number, cpu: number, memory: number): number {
    const { nodes, levels } = this
    let level = 0
    let at = from
    for (;;) {
      const first = levels[level] as number
      const behind = levels[level + 1]
      if (behind === undefined || first + at >= behind) return NONE
      const end = at - (at % EIGHT) + EIGHT
      for (let node = (first + at) * NODE; at < end; at++, node += NODE) {
        if ((nodes[node + MOST_CPU] as number) >= cpu && (nodes[node + MOST_MEMORY] as number) >= memory) break
      }
      if (at === end) {
        level++
        at = end / EIGHT
      } else if (level === 0) {
        return at
      } else {
        level--
        at *= EIGHT
      }
    }
  }

  private bucketOf(key: number): number {
    return Math.max(0, Math.min(this.buckets - 1, this.compact(key) >> this.shift))
  }

  private setBehind(bucket: number, before: number, cell: number): void {
    if (before === NONE) this.nodes[bucket * NODE + FIRST_CELL] = cell
    else this.store.cells[before * CELL + NEXT_CELL] = cell
  }

  /** Negative, 0 or positive as the cell is before, at or behind this place in the order. */
  private compare(cell: number, key: number, cpu: number, memory: number): number {
    const { cells } = this.store
    const at = cell * CELL
    const byKey = (cells[at + KEY] as number) - key
    if (byKey !== 0) return byKey
    const byCpu = (cells[at + CPU] as number) - cpu
    return byCpu === 0 ? (cells[at + MEMORY] as number) - memory : byCpu
  }

  /** Takes a new cell into the maxima of its bucket and above. */
  private raise(bucket: number, cpu: number, memory: number): void {
    const { nodes, levels } = this
    for (let level = 0, at = bucket; level + 1 < levels.length; level++, at = Math.floor(at / EIGHT)) {
      const node = ((levels[level] as number) + at) * NODE
      const higherCpu = (nodes[node + MOST_CPU] as number) < cpu
      const higherMemory = (nodes[node + MOST_MEMORY] as number) < memory
      if (!higherCpu && !higherMemory) return
      if (higherCpu) nodes[node + MOST_CPU] = cpu
      if (higherMemory) nodes[node + MOST_MEMORY] = memory
    }
  }

  /** Works out anew the maxima of a bucket that lost a cell with so much CPU and memory, and above, as far as they change. */
  private lower(bucket: number, lostCpu: number, lostMemory: number): void {
    const { nodes, levels } = this
    const { cells } = this.store
    if (
      lostCpu < (nodes[bucket * NODE + MOST_CPU] as number) &&
      lostMemory < (nodes[bucket * NODE + MOST_MEMORY] as number)
    )
      return
    let cpu = NONE
    let memory = NONE
    let cell = nodes[bucket * NODE + FIRST_CELL] as number
    for (; cell !== NONE; cell = cells[cell * CELL + NEXT_CELL] as number) {
      cpu = Math.max(cpu, cells[cell * CELL + CPU] as number)
      memory = Math.max(memory, cells[cell * CELL + MEMORY] as number)
    }
    for (let level = 0, at = bucket; level + 1 < levels.length; level++, at = Math.floor(at / EIGHT)) {
      const node = ((levels[level] as number) + at) * NODE
      if (nodes[node + MOST_CPU] === cpu && nodes[node + MOST_MEMORY] === memory) return
      nodes[node + MOST_CPU] = cpu
      nodes[node + MOST_MEMORY] = memory
      const eight = node - (at % EIGHT) * NODE
      for (let other = eight; other < eight + EIGHT * NODE; other += NODE) {
        cpu = Math.max(cpu, nodes[other + MOST_CPU] as number)
        memory = Math.max(memory, nodes[other + MOST_MEMORY] as number)
      }
    }
  }
}
