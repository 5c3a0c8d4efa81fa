/** A set of small integers that is walked as a dense array: add, remove and membership in constant time. */
export class SlotSet {
  /** The members are `members[0 .. size)`, in no particular order. */
  members = new Int32Array(16)
  size = 0
  private positions = new Int32Array(16).fill(-1)

  add(slot: number): void {
    if (this.has(slot)) return
    if (this.size === this.members.length) this.members = grown(this.members, this.size * 2, 0)
    if (slot >= this.positions.length)
      this.positions = grown(this.positions, Math.max(slot + 1, this.positions.length * 2), -1)
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

/** A longer copy of `array`, its new places filled with `fill`. */
export function grown(array: Int32Array<ArrayBuffer>, length: number, fill: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(length)
  if (fill !== 0) longer.fill(fill, array.length)
  longer.set(array)
  return longer
}
