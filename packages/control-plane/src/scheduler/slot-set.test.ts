import { describe, expect, it } from 'vitest'
import { SlotSet, withPlaceFor } from './slot-set.ts'

const membersOf = ({ members, size }: SlotSet) => Array.from(members.slice(0, size).toSorted())

describe('a set of slots', () => {
  it('has what was added and not deleted since, once each, in a dense array', () => {
    const set = new SlotSet()
    for (const slot of [100, 3, 0, 3, 7]) set.add(slot)
    set.delete(3)
    set.delete(3)
    set.delete(5000)
    expect(membersOf(set)).toEqual([0, 7, 100])
    expect([0, 3, 7, 100, 99, 5000].map((slot) => set.has(slot))).toEqual([true, false, true, true, false, false])
    for (const slot of [0, 7, 100]) set.delete(slot)
    expect(set.size).toBe(0)
    expect(set.has(0)).toBe(false)
  })

  it('holds as many as come', () => {
    const set = new SlotSet()
    for (let slot = 0; slot < 1000; slot++) set.add(999 - slot)
    for (let slot = 0; slot < 1000; slot += 2) set.delete(slot)
    expect(membersOf(set)).toEqual(Array.from({ length: 500 }, (_, at) => 2 * at + 1))
  })
})

describe('an array with a place for an index', () => {
  it('is the array itself, or the next longer one with the same in it', () => {
    const array = Int32Array.of(1, 2, 3, 4)
    expect(withPlaceFor(3, array, -1)).toBe(array)
    expect(withPlaceFor(4, array, -1)).toEqual(Int32Array.of(1, 2, 3, 4, -1, -1, -1, -1))
    expect(withPlaceFor(16, Uint8Array.of(7), 0)).toEqual(Uint8Array.of(7, ...Array<number>(31).fill(0)))
  })
})
