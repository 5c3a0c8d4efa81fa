import { FitCells, FitOrder } from './fit-index.ts'
import type { FleetIndex, HostFleet, Pool } from './host-fleet.ts'
import { binpackValue, compactRoom, gpuRank, mostCustomRoom, readRoom, valueLeft } from './host-score.ts'
import { withPlaceFor } from './slot-set.ts'
import type { BinpackField } from './strategy.ts'
import type { AttributeValues } from './attribute-values.ts'

/** Pools below this many hosts are looked through one by one: faster there than any index. */
export const INDEXED_FROM_HOSTS = 32

/** An attribute that has more values than this in a pool is not worth an order for each. */
const MAX_PARTS = 64

/**
 * The placeable hosts of one pool in the order of a `binpack` field, in one part for each value of an attribute (the
 * availability zones), or in a single part.
 *
 * A claim only notes the host as touched; orders are brought up to date when they are next asked.
 */
export class PoolIndex implements FleetIndex {
  private readonly fleet: HostFleet
  private readonly pool: Pool
  private readonly field: BinpackField
  private readonly values: AttributeValues | undefined
  private cells = new FitCells()
  private orders: (FitOrder | undefined)[] = []
  /** The touched hosts are `touched[0 .. touchedCount)`; each is there once. */
  private touched = new Int32Array(64)
  private touchedCount = 0
  private isTouched = new Uint8Array(64)
  private orderOf = new Int32Array(64)
  private plannedHosts = 0
  private maxKey = 0
  private maxRoom = 0
  private compact: (key: number) => number = (key) => key
  /** A host came whose key is beyond what the orders were made for: they are right still, but slow. */
  private isOutgrown = false

  constructor(fleet: HostFleet, pool: Pool, field: BinpackField, values: AttributeValues | undefined) {
    this.fleet = fleet
    this.pool = pool
    this.field = field
    this.values = values
    this.rebuild()
  }

  touch(slot: number): void {
    this.isTouched = withPlaceFor(slot, this.isTouched, 0)
    if (this.isTouched[slot] === 1) return
    this.isTouched[slot] = 1
    this.touched = withPlaceFor(this.touchedCount, this.touched, 0)
    this.touched[this.touchedCount++] = slot
  }

  /** The orders by part, up to date; a part without hosts may be absent. The part of a host is the id of its value. */
  current(): readonly (FitOrder | undefined)[] {
    if (this.pool.slots.size > this.plannedHosts * 2 || this.isOutgrown) this.rebuild()
    for (let at = 0; at < this.touchedCount; at++) {
      const slot = this.touched[at] as number
      this.isTouched[slot] = 0
      this.refresh(slot)
    }
    this.touchedCount = 0
    return this.orders
  }

  /** Puts the host where it belongs now. */
  private refresh(slot: number): void {
    const { fleet, cells } = this
    cells.ensureSlot(slot)
    if (cells.has(slot)) this.orders[this.orderOf[slot] as number]?.remove(slot)
    if (fleet.placeable[slot] === 0 || !this.pool.slots.has(slot)) return
    const key = binpackValue(fleet, this.field, slot)
    if (key > this.maxKey || (this.field === 'room' && readRoom(key).room > this.maxRoom)) this.isOutgrown = true
    this.orderOf = withPlaceFor(slot, this.orderOf, 0)
    const part = this.values === undefined ? 0 : this.values.of(slot)
    this.orderOf[slot] = part
    const order = (this.orders[part] ??= new FitOrder(cells, this.plannedHosts, this.maxKey, this.compact))
    order.insert(slot, key, fleet.cpuFree[slot] as number, fleet.memoryFree[slot] as number)
  }

  private rebuild(): void {
    const { slots } = this.pool
    this.cells = new FitCells()
    this.orders = []
    this.touchedCount = 0
    this.isTouched.fill(0)
    this.plannedHosts = Math.max(INDEXED_FROM_HOSTS, slots.size)
    this.maxKey = this.largestKey((gpus) => gpuRank(gpus, gpus))
    if (this.field === 'room') {
      this.maxRoom = this.largestKey(() => 0)
      this.compact = compactRoom(this.maxRoom)
    }
    for (let at = 0; at < slots.size; at++) this.refresh(slots.members[at] as number)
    this.isOutgrown = false
  }

  /** The largest key that a host of the pool has when it is empty, its GPUs ranked so. */
  private largestKey(rank: (gpus: number) => number): number {
    const { fleet, field } = this
    let largest = 1
    for (let at = 0; at < this.pool.slots.size; at++) {
      const { cpu, memory, gpus, custom } = fleet.hostAt(this.pool.slots.members[at] as number)
      const customLeft = mostCustomRoom(cpu, memory, custom?.size ?? 0)
      largest = Math.max(largest, Math.ceil(valueLeft(field, cpu, memory, rank(gpus), customLeft)))
    }
    return largest
  }
}

/** The index of a pool by field and attribute, made at its first use; nothing where looking through the hosts is better. */
export function indexOf(
  fleet: HostFleet,
  poolName: string,
  indexName: string,
  field: BinpackField,
  attribute: string | undefined,
): PoolIndex | undefined {
  const pool = fleet.pool(poolName)
  if (pool.slots.size < INDEXED_FROM_HOSTS) return undefined
  const values = attribute === undefined ? undefined : fleet.attributeValues(attribute)
  if (values !== undefined && values.texts.length > MAX_PARTS) return undefined
  const known = pool.indexes.get(indexName)
  if (known instanceof PoolIndex) return known
  const index = new PoolIndex(fleet, pool, field, values)
  pool.indexes.set(indexName, index)
  pool.told.push(index)
  return index
}
