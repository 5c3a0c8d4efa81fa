import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NO_ROOM, coarseRoom, isBelow, mayHold, mostOf } from './coarse-room.ts'
import { propertyRuns } from './testing/property-runs.ts'

const MOST = 2 ** 31 - 1
/** Small ones, large ones, and those about a power of two, where the number of dropped bits changes. */
const amount = fc.oneof(
  fc.integer({ min: -3, max: 5000 }),
  fc.integer({ min: 0, max: MOST }),
  fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: -2, max: 2 })).map(([bit, off]) => 2 ** bit + off),
)

describe('coarse room', () => {
  it('never misses room that is there, and says it is there only where less than a thousandth lacks', () => {
    const mayHave = (left: number, asked: number) => asked <= 0 || left * (1 + 1 / 1000) >= asked
    fc.assert(
      fc.property(amount, amount, amount, amount, (cpu, memory, askedCpu, askedMemory) => {
        const may = mayHold(coarseRoom(cpu, memory), coarseRoom(askedCpu, askedMemory))
        if (cpu >= askedCpu && memory >= askedMemory) expect(may).toBe(true)
        if (!mayHave(cpu, askedCpu) || !mayHave(memory, askedMemory)) expect(may).toBe(false)
      }),
      propertyRuns(2000),
    )
  })

  it('is exact below 2048', () => {
    for (const [left, asked, may] of [
      [2047, 2047, true],
      [2046, 2047, false],
      [1, 1, true],
      [0, 1, false],
      [0, 0, true],
    ] as const) {
      expect(mayHold(coarseRoom(left, MOST), coarseRoom(asked, 0))).toBe(may)
      expect(mayHold(coarseRoom(MOST, left), coarseRoom(0, asked))).toBe(may)
    }
  })

  it('has nothing for anybody where no host is, and something for those who ask nothing where one is that has less than nothing', () => {
    expect(mayHold(NO_ROOM, coarseRoom(0, 0))).toBe(false)
    expect(mayHold(coarseRoom(-5, -5), coarseRoom(0, 0))).toBe(true)
  })

  it('answers for the most that anybody may ask as for more than that', () => {
    expect(mayHold(coarseRoom(MOST, MOST), coarseRoom(2 ** 40, 2 ** 40))).toBe(true)
    expect(mayHold(coarseRoom(MOST / 2, MOST), coarseRoom(2 ** 40, 0))).toBe(false)
  })

  it('takes the larger CPU and the larger memory of two', () => {
    fc.assert(
      fc.property(amount, amount, amount, amount, (cpu, memory, otherCpu, otherMemory) => {
        const most = coarseRoom(Math.max(cpu, otherCpu), Math.max(memory, otherMemory))
        expect(mostOf(coarseRoom(cpu, memory), coarseRoom(otherCpu, otherMemory))).toBe(most)
      }),
      propertyRuns(2000),
    )
    expect(mostOf(NO_ROOM, coarseRoom(3, 4))).toBe(coarseRoom(3, 4))
    expect(mostOf(coarseRoom(3, 4), NO_ROOM)).toBe(coarseRoom(3, 4))
  })

  it('is below another only when both amounts are less', () => {
    for (const [cpu, memory, below] of [
      [4, 6, true],
      [5, 6, false],
      [4, 7, false],
      [0, 9, false],
      [9, 0, false],
      [0, 0, true],
    ] as const)
      expect(isBelow(coarseRoom(cpu, memory), coarseRoom(5, 7))).toBe(below)
    expect(isBelow(coarseRoom(0, 0), coarseRoom(0, 0))).toBe(false)
  })
})
