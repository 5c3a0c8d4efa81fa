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
