import { type CoarseRoom, NO_ROOM, coarseRoom, isBelow, mayHold, mostOf } from './coarse-room.ts'
import { withPlaceFor } from './slot-set.ts'

const NONE = -1

/** Where a walk through a `FitOrder` has come to: the cells from `cell` up to `end` are left in the bucket. */
export interface FitCursor {
  bucket: number
  cell: number
  end: number
  slot: number
}

/** What is said of a cell: what its hosts have in common, and the first of them. */
const CELL = 4
const KEY = 0
const CPU = 1
const MEMORY = 2
const FIRST_SLOT = 3

/** What is said of a host: the next one in its cell, and the one before it, or, of the first, its bucket as `~bucket`. */
const HOST = 2
const NEXT = 0
const BEFORE = 1

/** Said in place of the next host of one that is in no order. */
const IN_NO_ORDER = -2

/**
 * The storage that the orders of one index share. Hosts that are alike in key, CPU and memory left are one cell, a linked list, so that ten
 * thousand equal hosts cost no more than one. The cells of a bucket are a run: side by side in their order, so that to look through them
 * is to look at one or two lines of the processor's cache, and not at one for each. A host is in one order at a time.
 *
 * A run is known by where it begins in `cells`, and moves when it needs more or less place; which order it belongs to keeps that, and how
 * many cells it has.
 */
export class FitCells {
  cells = new Int32Array(64 * CELL)
  hosts = new Int32Array(64 * HOST).fill(IN_NO_ORDER)
  private cellsUsed = 0
  /** The first run of each kind that nobody uses; it begins with where the next one is. */
  private readonly unusedRuns = new Int32Array(32).fill(NONE)

  ensureSlot(slot: number): void {
    this.hosts = withPlaceFor((slot + 1) * HOST - 1, this.hosts, IN_NO_ORDER)
  }

  /** Whether the host is in an order. */
  has(slot: number): boolean {
    return (this.hosts[slot * HOST + NEXT] as number) !== IN_NO_ORDER
  }

  /** Puts a host before all others of a cell. */
  putFirst(slot: number, cell: number, bucket: number): void {
    const { cells, hosts } = this
    const next = cells[cell + FIRST_SLOT] as number
    hosts[slot * HOST + NEXT] = next
    hosts[slot * HOST + BEFORE] = ~bucket
    if (next !== NONE) hosts[next * HOST + BEFORE] = slot
    cells[cell + FIRST_SLOT] = slot
  }

  /** Takes a host out of its list, and returns the one behind it, or -1. A cell of which it was the first still says so. */
  unlink(slot: number): number {
    const { hosts } = this
    const next = hosts[slot * HOST + NEXT] as number
    const before = hosts[slot * HOST + BEFORE] as number
    hosts[slot * HOST + NEXT] = IN_NO_ORDER
    if (next !== NONE) hosts[next * HOST + BEFORE] = before
    if (before >= 0) hosts[before * HOST + NEXT] = next
    return next
  }

  /** Makes place for a cell at `at` in a run of `count`. Returns where the run begins now. */
  open(run: number, count: number, at: number): number {
    const moved = this.resized(run, count, count + 1)
    const { cells } = this
    const first = moved + at - run
    for (let from = moved + count * CELL - 1; from >= first; from--) cells[from + CELL] = cells[from] as number
    return moved
  }

  /** Takes the cell at `at` out of a run of `count`. Returns where the run begins now. */
  close(run: number, count: number, at: number): number {
    const { cells } = this
    const end = run + count * CELL
    for (let from = at + CELL; from < end; from++) cells[from - CELL] = cells[from] as number
    return this.resized(run, count, count - 1)
  }

  /** Moves a run to where it has place for `count` cells, should it have too little or too much where it is. */
  private resized(run: number, countBefore: number, count: number): number {
    const kindBefore = runKind(countBefore)
    const kind = runKind(count)
    if (kind === kindBefore) return run
    const moved = kind === NO_RUN ? 0 : this.newRun(kind)
    const { cells } = this
    const kept = Math.min(countBefore, count) * CELL
    for (let at = 0; at < kept; at++) cells[moved + at] = cells[run + at] as number
    if (kindBefore !== NO_RUN) {
      cells[run] = this.unusedRuns[kindBefore] as number
      this.unusedRuns[kindBefore] = run
    }
    return moved
  }

  private newRun(kind: number): number {
    const unused = this.unusedRuns[kind] as number
    if (unused !== NONE) {
      this.unusedRuns[kind] = this.cells[unused] as number
      return unused
    }
    const run = this.cellsUsed * CELL
    this.cellsUsed += 1 << kind
    this.cells = withPlaceFor(this.cellsUsed * CELL - 1, this.cells, 0)
    return run
  }
}

const NO_RUN = 0

/** The kind of run that `count` cells are kept in: it has place for `2 ** kind`, so that one that is free again serves others. */
const runKind = (count: number): number => (count > 2 ? 32 - Math.clz32(count - 1) : count > 0 ? 1 : NO_RUN)

/** The buckets, and the nodes of each level above them, go by eights: a node stands for eight of the level below it. */
const EIGHTH = 3
const EIGHT = 2 ** EIGHTH

/** What is said of a bucket: where its cells are, and how many. */
const BUCKET = 2
const RUN = 0
const COUNT = 1

/**
 * Hosts in the order of a key (what `binpack` compares), then of CPU and memory left, in which the first host with enough
 * of both is found without looking at those before it.
 *
 * The keys are cut into equal buckets, two to four for each host. Above the buckets stands a tree of the most CPU and the
 * most memory left in each subtree: a walk skips every subtree in which no host can have both. Without that pruning a
 * sorted index is as slow as a scan, because the fullest hosts come first and do not fit.
 *
 * In a large fleet time goes into memory that is not in the cache, not into steps, and the more hosts there are, the more
 * have the same key. So the cells of a bucket are side by side, and what is said of a bucket or a node in the tree is one
 * integer: of 100,000 hosts all that a walk needs but the cells themselves stays in the second-level cache.
 */
export class FitOrder {
  private readonly store: FitCells
  private readonly shift: number
  private readonly compact: (key: number) => number
  private readonly lastBucket: number
  private readonly buckets: Int32Array<ArrayBuffer>
  /** The room of each bucket, then of the nodes above them level by level, the last level at most eight. */
  private readonly rooms: Int32Array<ArrayBuffer>
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
    const buckets = 2 ** bucketBits
    this.shift = keyBits - bucketBits
    this.lastBucket = buckets - 1
    this.buckets = new Int32Array(buckets * BUCKET)
    const levels = [0]
    for (let size = buckets, first = 0; levels.length === 1 || size > 1; size = Math.ceil(size / EIGHT)) {
      first += Math.ceil(size / EIGHT) * EIGHT
      levels.push(first)
    }
    this.levels = levels
    this.rooms = new Int32Array(levels.at(-1) as number).fill(NO_ROOM)
  }

  insert(slot: number, key: number, cpu: number, memory: number): void {
    const { store } = this
    const bucket = this.bucketOf(key)
    const end = this.endOf(bucket)
    let cell = this.runOf(bucket)
    let order = 1
    while (cell < end && (order = compare(store.cells, cell, key, cpu, memory)) < 0) cell += CELL
    if (cell === end || order !== 0) cell = this.newCell(bucket, cell, key, cpu, memory)
    store.putFirst(slot, cell, bucket)
  }

  remove(slot: number): void {
    const { store, buckets } = this
    const { cells } = store
    const before = store.hosts[slot * HOST + BEFORE] as number
    const next = store.unlink(slot)
    if (before >= 0) return
    const bucket = ~before
    const run = this.runOf(bucket)
    let cell = run
    while (cells[cell + FIRST_SLOT] !== slot) cell += CELL
    if (next !== NONE) {
      cells[cell + FIRST_SLOT] = next
      return
    }
    const lost = coarseRoom(cells[cell + CPU] as number, cells[cell + MEMORY] as number)
    const count = buckets[bucket * BUCKET + COUNT] as number
    buckets[bucket * BUCKET + RUN] = store.close(run, count, cell)
    buckets[bucket * BUCKET + COUNT] = count - 1
    this.lower(bucket, lost)
  }

  /** A walk that begins before the first host whose key is `minKey` or more. */
  walkFrom(minKey: number): FitCursor {
    return { bucket: this.bucketOf(minKey) - 1, cell: 0, end: 0, slot: NONE }
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
      cursor.cell += CELL
    }
    const asked = coarseRoom(cpu, memory)
    for (;;) {
      for (; cursor.cell < cursor.end; cursor.cell += CELL) {
        const { cell } = cursor
        if ((cells[cell + CPU] as number) < cpu || (cells[cell + MEMORY] as number) < memory) continue
        cursor.slot = cells[cell + FIRST_SLOT] as number
        return cursor.slot
      }
      const bucket = this.bucketFor(asked, cursor.bucket + 1)
      if (bucket === NONE) return NONE
      cursor.bucket = bucket
      cursor.cell = this.runOf(bucket)
      cursor.end = this.endOf(bucket)
    }
  }

  /** The first bucket, from this one on, that may hold a host with so much. */
  private bucketFor(asked: CoarseRoom, from: number): number {
    const { rooms, levels } = this
    let level = 0
    let at = from
    for (;;) {
      const first = levels[level] as number
      const behind = levels[level + 1]
      if (behind === undefined || first + at >= behind) return NONE
      const end = (at | (EIGHT - 1)) + 1
      while (at < end && !mayHold(rooms[first + at] as number, asked)) at++
      if (at === end) {
        level++
        at >>= EIGHTH
      } else if (level === 0) {
        return at
      } else {
        level--
        at <<= EIGHTH
      }
    }
  }

  private bucketOf(key: number): number {
    return Math.max(0, Math.min(this.lastBucket, this.compact(key) >> this.shift))
  }

  /** Where the cells of a bucket begin. */
  private runOf(bucket: number): number {
    return this.buckets[bucket * BUCKET + RUN] as number
  }

  /** Where they end. */
  private endOf(bucket: number): number {
    return this.runOf(bucket) + (this.buckets[bucket * BUCKET + COUNT] as number) * CELL
  }

  /** Puts a cell without hosts before the one at `at`. Returns where it is. */
  private newCell(bucket: number, at: number, key: number, cpu: number, memory: number): number {
    const { store, buckets } = this
    const run = this.runOf(bucket)
    const count = buckets[bucket * BUCKET + COUNT] as number
    const moved = store.open(run, count, at)
    buckets[bucket * BUCKET + RUN] = moved
    buckets[bucket * BUCKET + COUNT] = count + 1
    const { cells } = store
    const cell = moved + at - run
    cells[cell + KEY] = key
    cells[cell + CPU] = cpu
    cells[cell + MEMORY] = memory
    cells[cell + FIRST_SLOT] = NONE
    this.raise(bucket, coarseRoom(cpu, memory))
    return cell
  }

  /** Takes a new cell into the room of its bucket and above. */
  private raise(bucket: number, room: CoarseRoom): void {
    const { rooms, levels } = this
    for (let level = 0, at = bucket; level + 1 < levels.length; level++, at >>= EIGHTH) {
      const node = (levels[level] as number) + at
      const before = rooms[node] as number
      const after = mostOf(before, room)
      if (after === before) return
      rooms[node] = after
    }
  }

  /** Works out anew the room of a bucket that lost a cell with so much, and above, as far as what was lost was the most. */
  private lower(bucket: number, lostRoom: CoarseRoom): void {
    const { rooms, levels } = this
    let lost = lostRoom
    for (let level = 0, at = bucket; level + 1 < levels.length; level++, at >>= EIGHTH) {
      const node = (levels[level] as number) + at
      const before = rooms[node] as number
      if (isBelow(lost, before)) return
      const room = level === 0 ? this.roomOfCells(bucket) : this.roomOfEight((levels[level - 1] as number) + at * EIGHT)
      if (room === before) return
      rooms[node] = room
      lost = before
    }
  }

  private roomOfEight(first: number): CoarseRoom {
    const { rooms } = this
    let room = NO_ROOM
    for (let node = first; node < first + EIGHT; node++) room = mostOf(room, rooms[node] as number)
    return room
  }

  private roomOfCells(bucket: number): CoarseRoom {
    const { cells } = this.store
    const run = this.runOf(bucket)
    const end = this.endOf(bucket)
    if (run === end) return NO_ROOM
    let cpu = 0
    let memory = 0
    for (let cell = run; cell < end; cell += CELL) {
      cpu = Math.max(cpu, cells[cell + CPU] as number)
      memory = Math.max(memory, cells[cell + MEMORY] as number)
    }
    return coarseRoom(cpu, memory)
  }
}

/** Negative, 0 or positive as the cell is before, at or behind this place in the order. */
function compare(cells: Int32Array, cell: number, key: number, cpu: number, memory: number): number {
  const byKey = (cells[cell + KEY] as number) - key
  if (byKey !== 0) return byKey
  const byCpu = (cells[cell + CPU] as number) - cpu
  return byCpu === 0 ? (cells[cell + MEMORY] as number) - memory : byCpu
}
