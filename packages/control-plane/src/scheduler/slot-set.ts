/** A set of small integers that is walked as a dense array: add, remove and membership in constant time. */
export class SlotSet {
  /** The members are `members[0 .. size)`, in no particular order. */
  members = new Int32Array(16)
  size = 0
  private positions = new Int32Array(16).fill(-1)

  add(slot: number): void {
    if (this.has(slot)) return
    this.members = withPlaceFor(this.size, this.members, 0)
    this.positions = withPlaceFor(slot, this.positions, -1)
    this.positions[slot] = this.size
    this.members[this.size++] = slot
  }

  delete(slot: number): void {
    if (!this.has(slot)) return
    const at = this.positions[slot] as number
    const last = this.members[--this.size] as number
    this.members[at] = last
    this.positions[last] = at
    this.positions[slot] = -1
  }

  has(slot: number): boolean {
    return slot < this.positions.length && (this.positions[slot] as number) >= 0
  }
}

/**
 * The array itself where it has a place `index`; else a copy that has, its new places filled with `fill`, as long as the next power of two:
 * so places that come one by one cost few copies.
 */
export function withPlaceFor<Places extends Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  index: number,
  array: Places,
  fill: number,
): Places {
  if (index < array.length) return array
  const Longer = array.constructor as new (length: number) => Places
  const longer = new Longer(2 ** (32 - Math.clz32(index)))
  longer.fill(fill)
  longer.set(array)
  return longer
}
