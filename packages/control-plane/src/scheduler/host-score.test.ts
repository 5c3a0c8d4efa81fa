import { describe, expect, it } from 'vitest'
import { NO_DEMAND } from './demand.ts'
import { HostFleet } from './host-fleet.ts'
import {
  binpackValue,
  compactRoom,
  completeStrategy,
  customRoom,
  gpuRank,
  readRoom,
  scoreOf,
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

  it('has GPUs before all else, those that the host has before those that are left', () => {
    const ranks = [gpuRank(0, 0), gpuRank(1, 0), gpuRank(1, 1), gpuRank(2, 0), gpuRank(8, 3), gpuRank(15, 15)]
    expect(ranks).toEqual([0, 16, 17, 32, 131, 255])
    expect([gpuRank(99, 99), gpuRank(2, -1)]).toEqual([255, 32])
    expect(valueLeft('room', 2 ** 22, 2 ** 22, gpuRank(99, 99), 1)).toBe(2 ** 31 - 1)
  })

  it.each([
    [0, { gpus: 0, room: 0 }],
    [4096, { gpus: 0, room: 4096 }],
    [gpuRank(8, 3) * RANK + 5, { gpus: 3, room: 5 }],
    [gpuRank(15, 15) * RANK + RANK - 1, { gpus: 15, room: RANK - 1 }],
  ])('of value %i says %j', (value, said) => {
    expect(readRoom(value)).toEqual(said)
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
      ['a1', 'a2', 'b1'].map((id) => scoreOf(fleet, step, group, { uint32: () => 42 })(fleet.slotOf(id) ?? -1))
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
