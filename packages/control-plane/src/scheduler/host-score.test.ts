import { describe, expect, it } from 'vitest'
import { NO_DEMAND } from './demand.ts'
import { HostFleet } from './host-fleet.ts'
import {
  binpackValue,
  compactRoom,
  completeStrategy,
  customRoom,
  gpuRank,
  leastValue,
  overdraws,
  readRoom,
  scoreOf,
  valueFor,
  valueLeft,
} from './host-score.ts'
import { RUNNING, describeHost } from './test-hosts.ts'

const RANK = 2 ** 23

describe('what is left of a host', () => {
  it.each([
    ['cpu', 7, 9, 3, 5, 7],
    ['memory', 7, 9, 3, 5, 9],
    ['room', 7, 9, 0, 5, 28],
    ['room', 7, 9, 3, 0, 3 * RANK + 23],
    ['room', RANK, RANK, 1, 0, 2 * RANK - 1],
    ['room', 0, RANK - 1, 0, 0, RANK - 1],
  ] as const)(
    'by %s, of %i CPU units, %i MiB, GPU rank %i, custom %i, is %i',
    (field, cpu, memory, gpus, custom, value) => {
      expect(valueLeft(field, cpu, memory, gpus, custom)).toBe(value)
    },
  )

  it('has GPUs before all else: hosts without, then with all taken, then with some taken, then with none taken', () => {
    expect([gpuRank(0, 0), gpuRank(0, -1)]).toEqual([0, 0])
    expect([gpuRank(1, 0), gpuRank(8, 0), gpuRank(2, -1)]).toEqual([1, 1, 1])
    expect([gpuRank(2, 1), gpuRank(8, 1), gpuRank(8, 7)]).toEqual([2, 2, 2])
    expect([gpuRank(1, 1), gpuRank(99, 99)]).toEqual([3, 3])
    expect(valueLeft('room', 2 ** 22, 2 ** 22, gpuRank(99, 99), 1)).toBe(4 * RANK - 1)
  })

  it.each([
    ['cpu', NO_DEMAND, 0],
    ['cpu', { ...NO_DEMAND, cpu: 7, memory: 9, gpus: 1 }, 7],
    ['memory', { ...NO_DEMAND, cpu: 7, memory: 9, gpus: 1 }, 9],
    ['room', { ...NO_DEMAND, cpu: 7, memory: 9 }, 23],
    ['room', { ...NO_DEMAND, cpu: 7, memory: 9, gpus: 1 }, 2 * RANK + 23],
  ] as const)('by %s is at least what the demand %j asks: %i', (field, demand, value) => {
    expect(leastValue(field, demand)).toBe(value)
  })

  it.each([
    [0, { gpus: 'none', isOverdrawn: false, room: 0 }],
    [4096, { gpus: 'none', isOverdrawn: false, room: 4096 }],
    [RANK + 1, { gpus: 'taken', isOverdrawn: false, room: 1 }],
    [2 * RANK + 5, { gpus: 'begun', isOverdrawn: false, room: 5 }],
    [4 * RANK - 1, { gpus: 'untouched', isOverdrawn: false, room: RANK - 1 }],
    [4 * RANK + 2 * RANK + 5, { gpus: 'begun', isOverdrawn: true, room: 5 }],
    [4 * RANK + 3 * RANK, { gpus: 'untouched', isOverdrawn: true, room: 0 }],
  ])('of value %i says %j', (value, said) => {
    expect(readRoom(value)).toEqual(said)
  })

  it.each([
    [{ cpu: 100, memory: 200, gpus: 1 }, false],
    [{ cpu: 101, memory: 0, gpus: 1 }, true],
    [{ cpu: 0, memory: 201, gpus: 1 }, true],
    [{ cpu: 200, memory: 400, gpus: 2 }, false],
    [{ cpu: 201, memory: 400, gpus: 2 }, true],
    [{ cpu: 400, memory: 800, gpus: 4 }, false],
    [{ cpu: 400, memory: 800, gpus: 0 }, false],
  ])('of 400 units, 800 MiB and 4 of 5 GPUs is overdrawn by a task of %j: %s', (asked, isOverdrawn) => {
    const fleet = new HostFleet()
    fleet.putHost(describeHost({ id: 'h', cpu: 500, memory: 900, gpus: 5 }), RUNNING)
    fleet.claim('h', 't', { ...NO_DEMAND, cpu: 100, memory: 100, gpus: 1 }, { group: 'g', dynamicPorts: [] })
    const slot = fleet.slotOf('h') ?? -1
    const demand = { ...NO_DEMAND, ...asked }
    expect(overdraws(fleet, 'room', demand, slot)).toBe(isOverdrawn)
    expect(valueFor(fleet, 'room', demand, slot)).toBe((isOverdrawn ? 6 : 2) * RANK + 1600)
    expect([valueFor(fleet, 'cpu', demand, slot), valueFor(fleet, 'memory', demand, slot)]).toEqual([400, 800])
  })

  it('keeps its order in fewer bits, as long as it is made for', () => {
    const compact = compactRoom(1000)
    const values = [0, 1, 999, 1000, 1023, RANK, RANK + 7, 17 * RANK + 3]
    expect(values.map(compact)).toEqual([0, 1, 999, 1000, 1023, 1024, 1031, 17 * 1024 + 3])
    expect([1024, RANK - 1, 2 * RANK - 1].map(compact)).toEqual([1023, 1023, 2047])
    expect(compact(-5)).toBeLessThan(0)
    expect(compactRoom(RANK * 9)(RANK - 1)).toBe(RANK - 1)
  })

  it('counts custom resources as much as CPU and memory on the average, each by its part', () => {
    const fleet = new HostFleet()
    fleet.putHost(describeHost({ id: 'plain', cpu: 100, memory: 400 }), RUNNING)
    const custom = new Map([
      ['fpga', 2],
      ['licence', 10],
    ])
    fleet.putHost(describeHost({ id: 'rich', cpu: 100, memory: 401, custom, gpus: 2 }), RUNNING)
    const slot = fleet.slotOf('rich') ?? -1
    expect(customRoom(fleet, fleet.slotOf('plain') ?? -1)).toBe(0)
    expect(customRoom(fleet, slot)).toBe(601)
    expect(customRoom(fleet, slot, new Map([['fpga', 1]]), 1)).toBe(450)
    expect(customRoom(fleet, slot, new Map([['licence', 3]]), 2)).toBe(420)
    fleet.claim(
      'rich',
      't',
      { ...NO_DEMAND, cpu: 10, gpus: 1, custom: new Map([['fpga', 3]]) },
      { group: 'g', dynamicPorts: [] },
    )
    expect(customRoom(fleet, slot)).toBe(300)
    expect(binpackValue(fleet, 'room', slot)).toBe(gpuRank(2, 1) * RANK + 180 + 401 + 300)
    expect([binpackValue(fleet, 'cpu', slot), binpackValue(fleet, 'memory', slot)]).toEqual([90, 401])
  })

  it('is how each step of a strategy scores it', () => {
    const fleet = new HostFleet()
    for (const [id, zone] of [
      ['a1', 'a'],
      ['a2', 'a'],
      ['b1', 'b'],
    ] as const)
      fleet.putHost(describeHost({ id, zone }), RUNNING)
    const none = { group: 'g', dynamicPorts: [] }
    for (const [id, host] of [
      ['1', 'a1'],
      ['2', 'a1'],
      ['3', 'a2'],
      ['4', 'b1'],
    ] as const)
      fleet.claim(host, id, NO_DEMAND, none)
    fleet.claim('b1', '5', NO_DEMAND, { ...none, group: 'other' })
    const zone = { type: 'spread', by: { kind: 'attribute', name: 'ecs.availability-zone' } } as const
    const host = { type: 'spread', by: { kind: 'host' } } as const
    const scores = (step: Parameters<typeof scoreOf>[1], group: string) =>
      ['a1', 'a2', 'b1'].map((id) =>
        scoreOf(fleet, step, { group, demand: NO_DEMAND }, { uint32: () => 42 })(fleet.slotOf(id) ?? -1),
      )
    expect(scores(zone, 'g')).toEqual([3, 3, 1])
    expect(scores(host, 'g')).toEqual([2, 1, 1])
    expect(scores(host, 'other')).toEqual([0, 0, 1])
    expect(scores(zone, 'nobody')).toEqual([0, 0, 0])
    expect(scores({ type: 'random' }, 'g')).toEqual([42, 42, 42])
    expect(scores({ type: 'binpack', field: 'memory' }, 'g')).toEqual([2048, 2048, 2048])
    expect(completeStrategy([])).toEqual([{ type: 'binpack', field: 'room' }])
    expect(completeStrategy([zone])).toEqual([zone, { type: 'binpack', field: 'room' }])
    for (const whole of [[{ type: 'random' }], [zone, { type: 'binpack', field: 'cpu' }]] as const)
      expect(completeStrategy(whole)).toBe(whole)
  })
})
