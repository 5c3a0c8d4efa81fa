import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NO_DEMAND } from './demand.ts'
import { HostFleet } from './host-fleet.ts'
import { chooseTasksToStop, type ScaleInCandidate } from './scale-in.ts'
import type { StrategyStep } from './strategy.ts'
import { describeHost, RUNNING } from './test-hosts.ts'
import { propertyRuns } from './testing/property-runs.ts'

function fleetOf(hosts: Record<string, { zone: string; used: number }>): HostFleet {
  const fleet = new HostFleet()
  for (const [id, { zone, used }] of Object.entries(hosts)) {
    fleet.putHost(describeHost({ id, cpu: 1000, memory: 1000, zone }), RUNNING)
    fleet.claim(id, `filler on ${id}`, { ...NO_DEMAND, cpu: used, memory: used }, { group: 'other', dynamicPorts: [] })
  }
  return fleet
}

const on = (hostId: string, taskId: string, createdAt = 0, rank = 1) => ({ taskId, hostId, createdAt, rank })

const packed: readonly StrategyStep[] = [{ type: 'binpack', field: 'memory' }]
const byRack: readonly StrategyStep[] = [{ type: 'spread', by: { kind: 'attribute', name: 'rack' } }]

describe('which tasks a service stops first', () => {
  const fleet = fleetOf({
    a1: { zone: 'a', used: 500 },
    a2: { zone: 'a', used: 900 },
    b1: { zone: 'b', used: 0 },
  })
  const stopped = (tasks: readonly ScaleInCandidate[], count: number, strategy: readonly StrategyStep[] = []) =>
    chooseTasksToStop(fleet, tasks, count, strategy).map(({ taskId }) => taskId)

  it('one of the fullest zone, and there of the host that has the most', () => {
    const tasks = [on('a1', 't1'), on('a2', 't2'), on('a2', 't3'), on('b1', 't4'), on('b1', 't5')]
    expect(stopped(tasks, 1)).toEqual(['t2'])
  })

  it('one of the host with the most room, where hosts have as many', () => {
    expect(stopped([on('a1', 't1'), on('a2', 't2')], 1)).toEqual(['t1'])
  })

  it('one of the host with the most room although another has more tasks, where the service packs', () => {
    const tasks = [on('a1', 't1'), on('a2', 't2'), on('a2', 't3')]
    expect(stopped(tasks, 1, packed)).toEqual(['t1'])
    expect(stopped(tasks, 1)).toEqual(['t2'])
  })

  it('spreads by host when asked: from the host with most tasks', () => {
    const tasks = [on('a1', 't1'), on('a2', 't2'), on('a2', 't3')]
    expect(stopped(tasks, 1, [{ type: 'spread', by: { kind: 'host' } }])).toEqual(['t2'])
  })

  it('keeps even what the service spreads over instead of zones', () => {
    const racks = new HostFleet()
    for (const [id, zone, rack] of [
      ['h1', 'a', 'r1'],
      ['h2', 'b', 'r1'],
      ['h3', 'a', 'r2'],
    ] as const)
      racks.putHost(describeHost({ id, zone, attributes: { rack } }), RUNNING)
    const tasks = [on('h1', 't1', 1), on('h2', 't2', 2), on('h3', 't3', 3)]
    expect(chooseTasksToStop(racks, tasks, 1, byRack)).toEqual([tasks[1]])
    expect(chooseTasksToStop(racks, tasks, 1, [])).toEqual([tasks[2]])
  })

  it('takes lower ranks first whatever the balance, and the youngest among equals', () => {
    const tasks = [on('a1', 'old', 1), on('a1', 'young', 2), on('b1', 'unhealthy', 0, 0)]
    expect(stopped(tasks, 2)).toEqual(['unhealthy', 'young'])
  })

  it('stops tasks without a host among their rank, and never more than there are', () => {
    expect(stopped([{ taskId: 't', rank: 0, createdAt: 0 }], 5)).toEqual(['t'])
    expect(stopped([], 5)).toEqual([])
  })

  /** Asks in both orders of the candidates: none of the answers may hang on it. */
  const stoppedEither = (
    of: HostFleet,
    tasks: readonly ScaleInCandidate[],
    count: number,
    ...strategy: StrategyStep[]
  ) => {
    const [one, other] = [tasks, tasks.toReversed()].map((each) => chooseTasksToStop(of, each, count, strategy))
    expect(other).toEqual(one)
    return one?.map(({ taskId }) => taskId)
  }

  it('one of the host with the most room of what the service packs by', () => {
    const uneven = new HostFleet()
    uneven.putHost(describeHost({ id: 'x', cpu: 900, memory: 100 }), RUNNING)
    uneven.putHost(describeHost({ id: 'y', cpu: 100, memory: 1000 }), RUNNING)
    const tasks = [on('x', 'in x'), on('y', 'in y')]
    const spread = { type: 'spread', by: { kind: 'attribute', name: 'rack' } } as const
    expect(stoppedEither(uneven, tasks, 1, { type: 'binpack', field: 'memory' })).toEqual(['in y'])
    expect(stoppedEither(uneven, tasks, 1, { type: 'binpack', field: 'cpu' })).toEqual(['in x'])
    expect(stoppedEither(uneven, tasks, 1, spread, { type: 'binpack', field: 'memory' })).toEqual(['in y'])
    expect(stoppedEither(uneven, tasks, 1)).toEqual(['in x'])
    const nowhere = [...tasks, { taskId: 'nowhere', createdAt: 0, rank: 1 }, on('gone', 'gone', 1)]
    expect(stoppedEither(uneven, nowhere, 2, spread, { type: 'binpack', field: 'cpu' })).toEqual(['gone', 'nowhere'])
  })

  it('empties the host that it began with, where several have equal room, and takes the youngest first', () => {
    const equal = fleetOf({ p: { zone: 'a', used: 0 }, q: { zone: 'a', used: 0 } })
    const tasks = [
      on('p', 'p1', 1),
      on('p', 'p10', 10),
      on('p', 'p5', 5),
      on('q', 'q9', 9),
      on('q', 'q2', 2),
      on('q', 'q8', 8),
    ]
    expect(stoppedEither(equal, tasks, 4, ...packed)).toEqual(['p10', 'p5', 'p1', 'q9'])
    const sameAge = [on('p', 'b', 3), on('p', 'a', 3), on('q', 'd', 3), on('q', 'c', 3)]
    expect(stoppedEither(equal, sameAge, 4, ...packed)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('takes all of a rank before any of the next', () => {
    const tasks = [on('a1', 'third', 9, 7), on('b1', 'first', 1, 2), on('a2', 'second', 5, 3), on('a2', 'fourth', 1, 7)]
    expect(stoppedEither(fleet, tasks, 3, ...packed)).toEqual(['first', 'second', 'third'])
  })

  it('keeps zones even before hosts, and hosts unless the service packs', () => {
    const many = (host: string, count: number) =>
      Array.from({ length: count }, (_, at) => on(host, `${host}-${at}`, at))
    const tasks = [...many('a1', 2), ...many('a2', 2), ...many('b1', 3)]
    const hostOf = (...strategy: StrategyStep[]) => stoppedEither(fleet, tasks, 1, ...strategy)?.[0]?.split('-')[0]
    expect(hostOf({ type: 'spread', by: { kind: 'host' } })).toBe('a1')
    expect(hostOf({ type: 'random' })).toBe('a1')
    expect(hostOf(...byRack)).toBe('b1')
    const fuller = [...many('a1', 1), ...many('a2', 2)]
    const zone = { type: 'spread', by: { kind: 'attribute', name: 'ecs.availability-zone' } } as const
    expect(stoppedEither(fleet, fuller, 1, zone)).toEqual(['a2-1'])
    expect(stoppedEither(fleet, fuller, 1, zone, ...packed)).toEqual(['a1-0'])
  })

  it('leaves zones as even as they can be', () => {
    const zoneOf: Readonly<Record<string, string>> = { a1: 'a', a2: 'a', b1: 'b' }
    const task = fc.tuple(fc.constantFrom('a1', 'a2', 'b1'), fc.nat(5))
    fc.assert(
      fc.property(fc.array(task, { minLength: 1, maxLength: 30 }), fc.nat(30), (drawn, count) => {
        const tasks = drawn.map(([host, createdAt], index) => on(host, String(index), createdAt))
        const gone = new Set(chooseTasksToStop(fleet, tasks, count, []))
        expect(gone.size).toBe(Math.min(count, tasks.length))
        const left = (zone: string, of = tasks.filter((each) => !gone.has(each))) =>
          of.filter(({ hostId }) => zoneOf[hostId] === zone).length
        // A zone from which something went had the most: it is at most one below any other.
        for (const zone of ['a', 'b'])
          if (left(zone) < left(zone, tasks))
            for (const other of ['a', 'b']) expect(left(other)).toBeLessThanOrEqual(left(zone) + 1)
      }),
      propertyRuns(100),
    )
  })

  it('chooses among thousands of tasks on as many hosts', () => {
    const large = new HostFleet()
    for (let host = 0; host < 1000; host++)
      large.putHost(describeHost({ id: `host-${host}`, zone: `zone-${host % 3}` }), RUNNING)
    const tasks = Array.from({ length: 5000 }, (_, index) => on(`host-${index % 1000}`, String(index), index))
    expect(new Set(chooseTasksToStop(large, tasks, 300, [])).size).toBe(300)
  })
})
