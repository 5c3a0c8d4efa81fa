import { grown } from './slot-set.ts'

/** Where a walk through a `FitOrder` has come to. */
export interface FitCursor {
  bucket: number
  cell: number
  slot: number
}

const NONE = -1

/**
 * The storage that the orders of one index share: hosts that are alike in key, CPU and memory left are one cell, a list
 * through `next`, so that ten thousand equal hosts cost no more than one. A host is in one order at a time.
 */
export class FitCells {
  key = new Int32Array(64)
  cpu = new Int32Array(64)
  memory = new Int32Array(64)
  /** The first host of each cell. */
  firstSlot = new Int32Array(64)
  /** The cell behind this one in its bucket; for an unused cell, the next unused one. */
  nextCell = new Int32Array(64)
  /** The next and previous host of the same cell, and the cell, by slot. */
  next = new Int32Array(64)
  previous = new Int32Array(64)
  cellOf = new Int32Array(64).fill(NONE)
  private cellCount = 0
  private unused = NONE

  ensureSlot(slot: number): void {
    if (slot < this.cellOf.length) return
    const length = Math.max(slot + 1, this.cellOf.length * 2)
    this.next = grown(this.next, length, NONE)
    this.previous = grown(this.previous, length, NONE)
    this.cellOf = grown(this.cellOf, length, NONE)
  }

  newCell(key: number, cpu: number, memory: number): number {
    let cell = this.unused
    if (cell === NONE) {
      cell = this.cellCount++
      if (cell === this.key.length) this.growCells(cell * 2)
    } else {
      this.unused = this.nextCell[cell] as number
    }
    this.key[cell] = key
    this.cpu[cell] = cpu
    this.memory[cell] = memory
    this.firstSlot[cell] = NONE
    return cell
  }

  freeCell(cell: number): void {
    this.nextCell[cell] = this.unused
    this.unused = cell
  }

  link(cell: number, slot: number): void {
    const first = this.firstSlot[cell] as number
    this.next[slot] = first
    this.previous[slot] = NONE
    if (first !== NONE) this.previous[first] = slot
    this.firstSlot[cell] = slot
    this.cellOf[slot] = cell
  }

  /** Takes the host out of its cell; true when the cell is empty now. */
  unlink(slot: number): boolean {
    const cell = this.cellOf[slot] as number
    const next = this.next[slot] as number
    const previous = this.previous[slot] as number
    if (next !== NONE) this.previous[next] = previous
    if (previous === NONE) this.firstSlot[cell] = next
    else this.next[previous] = next
    this.cellOf[slot] = NONE
    return previous === NONE && next === NONE
  }

  private growCells(length: number): void {
    this.key = grown(this.key, length, 0)
    this.cpu = grown(this.cpu, length, 0)
    this.memory = grown(this.memory, length, 0)
    this.firstSlot = grown(this.firstSlot, length, NONE)
    this.nextCell = grown(this.nextCell, length, NONE)
  }
}

/**
 * Hosts in the order of a key (what `binpack` compares), then of CPU and memory left, in which the first host with enough
 * of both is found without looking at those before it.
 *
 * The keys are cut into equal buckets, about four for each host. Above the buckets stands a segment tree of the largest CPU
 * and the largest memory left in each subtree: a walk skips every subtree in which no host can have both. Without that
 * pruning a sorted index is as slow as a scan, because the fullest hosts come first and do not fit.
 */
export class FitOrder {
  private readonly cells: FitCells
  private readonly buckets: number
  private readonly shift: number
  private readonly firstCell: Int32Array<ArrayBuffer>
  /** Node 1 is the root, node n has the children 2n and 2n + 1, the leaf of bucket b is `buckets + b`. */
  private readonly maxCpu: Int32Array<ArrayBuffer>
  private readonly maxMemory: Int32Array<ArrayBuffer>

  /** An order for keys from 0 to `maxKey`; others count into the outermost buckets. */
  constructor(cells: FitCells, hosts: number, maxKey: number) {
    this.cells = cells
    const keyBits = Math.max(1, 32 - Math.clz32(maxKey))
    const bucketBits = Math.min(keyBits, Math.max(6, 34 - Math.clz32(hosts)))
    this.buckets = 2 ** bucketBits
    this.shift = keyBits - bucketBits
    this.firstCell = new Int32Array(this.buckets).fill(NONE)
    this.maxCpu = new Int32Array(this.buckets * 2).fill(NONE)
    this.maxMemory = new Int32Array(this.buckets * 2).fill(NONE)
  }

  insert(slot: number, key: number, cpu: number, memory: number): void {
    const { cells } = this
    const bucket = this.bucketOf(key)
    let before = NONE
    let cell = this.firstCell[bucket] as number
    while (cell !== NONE && this.isBefore(cell, key, cpu, memory)) {
      before = cell
      cell = cells.nextCell[cell] as number
    }
    if (cell === NONE || cells.key[cell] !== key || cells.cpu[cell] !== cpu || cells.memory[cell] !== memory) {
      const behind = cell
      cell = cells.newCell(key, cpu, memory)
      cells.nextCell[cell] = behind
      if (before === NONE) this.firstCell[bucket] = cell
      else cells.nextCell[before] = cell
      this.raise(bucket, cpu, memory)
    }
    cells.link(cell, slot)
  }

  remove(slot: number): void {
    const { cells } = this
    const cell = cells.cellOf[slot] as number
    if (!cells.unlink(slot)) return
    const bucket = this.bucketOf(cells.key[cell] as number)
    let before = NONE
    let at = this.firstCell[bucket] as number
    while (at !== cell) {
      before = at
      at = cells.nextCell[at] as number
    }
    const behind = cells.nextCell[cell] as number
    if (before === NONE) this.firstCell[bucket] = behind
    else cells.nextCell[before] = behind
    cells.freeCell(cell)
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
    const { cells } = this
    if (cursor.slot !== NONE) {
      cursor.slot = cells.next[cursor.slot] as number
      if (cursor.slot !== NONE) return cursor.slot
      cursor.cell = cells.nextCell[cursor.cell] as number
    }
    for (;;) {
      for (; cursor.cell !== NONE; cursor.cell = cells.nextCell[cursor.cell] as number) {
        if ((cells.cpu[cursor.cell] as number) < cpu || (cells.memory[cursor.cell] as number) < memory) continue
        cursor.slot = cells.firstSlot[cursor.cell] as number
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
    const { buckets, maxCpu, maxMemory } = this
    if (from >= buckets) return NONE
    let node = buckets + from
    for (;;) {
      if ((maxCpu[node] as number) >= cpu && (maxMemory[node] as number) >= memory) {
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

  private isBefore(cell: number, key: number, cpu: number, memory: number): boolean {
    const { cells } = this
    const byKey = (cells.key[cell] as number) - key
    if (byKey !== 0) return byKey < 0
    const byCpu = (cells.cpu[cell] as number) - cpu
    if (byCpu !== 0) return byCpu < 0
    return (cells.memory[cell] as number) < memory
  }

  /** Takes a new cell into the maxima above its bucket. */
  private raise(bucket: number, cpu: number, memory: number): void {
    const { maxCpu, maxMemory } = this
    for (let node = this.buckets + bucket; node > 0; node >>= 1) {
      const higherCpu = (maxCpu[node] as number) < cpu
      const higherMemory = (maxMemory[node] as number) < memory
      if (!higherCpu && !higherMemory) return
      if (higherCpu) maxCpu[node] = cpu
      if (higherMemory) maxMemory[node] = memory
    }
  }

  /** Works the maxima out anew, above a bucket that lost a cell. */
  private lower(bucket: number): void {
    const { cells, maxCpu, maxMemory } = this
    let cpu = NONE
    let memory = NONE
    for (let cell = this.firstCell[bucket] as number; cell !== NONE; cell = cells.nextCell[cell] as number) {
      cpu = Math.max(cpu, cells.cpu[cell] as number)
      memory = Math.max(memory, cells.memory[cell] as number)
    }
    let node = this.buckets + bucket
    while (maxCpu[node] !== cpu || maxMemory[node] !== memory) {
      maxCpu[node] = cpu
      maxMemory[node] = memory
      if (node === 1) return
      cpu = Math.max(cpu, maxCpu[node ^ 1] as number)
      memory = Math.max(memory, maxMemory[node ^ 1] as number)
      node >>= 1
    }
  }
}
