import { randomBelow, seededRandom } from '@berth/shared/random.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileConstraints } from './constraint.ts'
import { NO_DEMAND } from './demand.ts'
import { HostFleet } from './host-fleet.ts'
import { packAfresh } from './pack-afresh.ts'
import type { PlacementRequest } from './placement-request.ts'
import { place } from './placement.ts'
import type { MovableTask } from './rebalance-plan.ts'
import { RUNNING, describeHost } from './test-hosts.ts'
import { propertyRuns } from './testing/property-runs.ts'

const asking = (cpu: number, memory: number, more: Partial<PlacementRequest> = {}): PlacementRequest => ({
  demand: { ...NO_DEMAND, cpu, memory },
  constraints: [],
  strategy: [],
  requiredAttributes: [],
  group: 'service:web',
  count: 1,
  pool: 'main',
  ...more,
})

/** Hosts of 1024 CPU units and 1024 MiB with tasks by host. */
function fleetOf(hosts: readonly string[], tasks: readonly (readonly [host: string, request: PlacementRequest])[]) {
  const fleet = new HostFleet()
  for (const id of hosts) fleet.putHost({ ...describeHost({ id, zone: 'a' }), cpu: 1024, memory: 1024 }, RUNNING)
  const movable = tasks.map(([host, request], at): MovableTask => {
    fleet.claim(host, `t${at}`, request.demand, { group: request.group, dynamicPorts: [] })
    return { taskId: `t${at}`, request }
  })
  return { fleet, movable }
}

describe('packing afresh', () => {
  it('puts together what goes together', () => {
    const [wide, tall] = [asking(768, 128), asking(128, 768)]
    const { fleet, movable } = fleetOf(
      ['a', 'b', 'c', 'd'],
      [
        ['a', wide],
        ['b', wide],
        ['c', tall],
        ['d', tall],
      ],
    )
    const packed = packAfresh(fleet, movable)
    expect(new Set(packed.values()).size).toBe(2)
    expect(packed.get('t0')).not.toBe(packed.get('t1'))
  })

  it('fills hosts that are in use anyway before others', () => {
    const { fleet, movable } = fleetOf(['a', 'b'], [['a', asking(256, 256)]])
    fleet.claim('b', 'daemon', { ...NO_DEMAND, cpu: 128, memory: 128 }, { group: 'd', dynamicPorts: [] })
    expect([...packAfresh(fleet, movable).values()]).toEqual(['b'])
  })

  it('over-commits no host, keeps constraints, and changes nothing', () => {
    const distinct = compileConstraints([{ type: 'distinctInstance' }])
    if (!distinct.ok) throw new Error(distinct.message)
    fc.assert(
      fc.property(fc.integer({ min: 0 }), (seed) => {
        const random = seededRandom(seed)
        const hosts = Array.from({ length: 2 + randomBelow(random, 12) }, (_, at) => `h${at}`)
        const kinds = Array.from({ length: 4 }, (_, at) => {
          const constraints = at === 0 ? distinct.constraints : []
          return asking(64 + randomBelow(random, 500), 64 + randomBelow(random, 500), { group: `g${at}`, constraints })
        })
        const { fleet, movable: none } = fleetOf(hosts, [])
        const movable: MovableTask[] = [...none]
        for (let task = 0; task < hosts.length * 3; task++) {
          const request = kinds[randomBelow(random, kinds.length)] as PlacementRequest
          const [to] = place(fleet, { ...request, strategy: [{ type: 'random' }] }, random).placed
          if (to === undefined) continue
          fleet.claim(to.hostId, `t${task}`, request.demand, { group: request.group, dynamicPorts: [] })
          movable.push({ taskId: `t${task}`, request })
        }
        const before = hosts.map((id) => [fleet.roomOn(id), fleet.tasksOn(id)])
        const packed = packAfresh(fleet, movable)
        expect(hosts.map((id) => [fleet.roomOn(id), fleet.tasksOn(id)])).toEqual(before)
        for (const id of hosts) {
          const its = movable.filter(({ taskId }) => packed.get(taskId) === id)
          const total = (of: (task: MovableTask) => number) => its.reduce((all, task) => all + of(task), 0)
          expect(total(({ request }) => request.demand.cpu)).toBeLessThanOrEqual(1024)
          expect(total(({ request }) => request.demand.memory)).toBeLessThanOrEqual(1024)
          expect(its.filter(({ request }) => request.group === 'g0').length).toBeLessThanOrEqual(1)
        }
      }),
      propertyRuns(100),
    )
  })
})
