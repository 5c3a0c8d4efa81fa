import { grown } from './slot-set.ts'

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
    if ((slot + 1) * HOST <= this.hosts.length) return
    this.hosts = grown(this.hosts, Math.max((slot + 1) * HOST, this.hosts.length * 2), NONE)
  }

  /** Whether the host is in an order. */
  has(slot: number): boolean {
    return (this.hosts[slot * HOST + IN_CELL] as number) !== NONE
  }

  newCell(key: number, cpu: number, memory: number, nextCell: number): number {
    let cell = this.unused
    if (cell === NONE) {
      cell = this.cellCount++
      if ((cell + 1) * CELL > this.cells.length) this.cells = grown(this.cells, this.cells.length * 2, 0)
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

/**
 * Hosts in the order of a key (what `binpack` compares), then of CPU and memory left, in which the first host with enough
 * of both is found without looking at those before it.
 *
 * The keys are cut into equal buckets, two to four for each host. Above the buckets stands a segment tree of the largest
 * CPU and the largest memory left in each subtree: a walk skips every subtree in which no host can have both. Without that
 * pruning a sorted index is as slow as a scan, because the fullest hosts come first and do not fit.
 */
export class FitOrder {
  private readonly store: FitCells
  private readonly buckets: number
  private readonly shift: number
  private readonly firstCell: Int32Array<ArrayBuffer>
  /**
   * The largest CPU and memory by node, side by side. Node 1 is the root, node n has the children 2n and 2n + 1, the leaf of
   * bucket b is `buckets + b`.
   */
  private readonly largest: Int32Array<ArrayBuffer>

  /** An order for keys from 0 to `maxKey`; others count into the outermost buckets. */
  constructor(store: FitCells, hosts: number, maxKey: number) {
    this.store = store
    const keyBits = Math.max(1, 32 - Math.clz32(maxKey))
    const bucketBits = Math.min(keyBits, Math.max(6, 33 - Math.clz32(hosts)))
    this.buckets = 2 ** bucketBits
    this.shift = keyBits - bucketBits
    this.firstCell = new Int32Array(this.buckets).fill(NONE)
    this.largest = new Int32Array(this.buckets * 4).fill(NONE)
  }

  insert(slot: number, key: number, cpu: number, memory: number): void {
    const { store } = this
    const bucket = this.bucketOf(key)
    let before = NONE
    let cell = this.firstCell[bucket] as number
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
    let at = this.firstCell[bucket] as number
    while (at !== cell) {
      before = at
      at = cells[at * CELL + NEXT_CELL] as number
    }
    this.setBehind(bucket, before, cells[cell * CELL + NEXT_CELL] as number)
    store.freeCell(cell)
    this.lower(bucket)
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
      cursor.cell = this.firstCell[bucket] as number
    }
  }

  /** The first bucket, from this one on, that may hold a host with enough of both. */
  private bucketWith(from: number, cpu: number, memory: number): number {
    const { buckets, largest } = this
    if (from >= buckets) return NONE
    let node = buckets + from
    for (;;) {
      if ((largest[node * 2] as number) >= cpu && (largest[node * 2 + 1] as number) >= memory) {
        if (node >= buckets) return node - buckets
        node *= 2
      } else {
        while ((node & 1) === 1) node >>= 1
        if (node === 0) return NONE
        node++
      }
    }
  }

  private bucketOf(key: number): number {
    return Math.max(0, Math.min(this.buckets - 1, key >> this.shift))
  }

  private setBehind(bucket: number, before: number, cell: number): void {
    if (before === NONE) this.firstCell[bucket] = cell
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

  /** Takes a new cell into the maxima above its bucket. */
  private raise(bucket: number, cpu: number, memory: number): void {
    const { largest } = this
    for (let node = this.buckets + bucket; node > 0; node >>= 1) {
      const higherCpu = (largest[node * 2] as number) < cpu
      const higherMemory = (largest[node * 2 + 1] as number) < memory
      if (!higherCpu && !higherMemory) return
      if (higherCpu) largest[node * 2] = cpu
      if (higherMemory) largest[node * 2 + 1] = memory
    }
  }

  /** Works the maxima out anew, above a bucket that lost a cell. */
  private lower(bucket: number): void {
    const { largest } = this
    const { cells } = this.store
    let cpu = NONE
    let memory = NONE
    for (let cell = this.firstCell[bucket] as number; cell !== NONE; cell = cells[cell * CELL + NEXT_CELL] as number) {
      cpu = Math.max(cpu, cells[cell * CELL + CPU] as number)
      memory = Math.max(memory, cells[cell * CELL + MEMORY] as number)
    }
    let node = this.buckets + bucket
    while (largest[node * 2] !== cpu || largest[node * 2 + 1] !== memory) {
      largest[node * 2] = cpu
      largest[node * 2 + 1] = memory
      if (node === 1) return
      const sibling = (node ^ 1) * 2
      cpu = Math.max(cpu, largest[sibling] as number)
      memory = Math.max(memory, largest[sibling + 1] as number)
      node >>= 1
    }
  }
}
