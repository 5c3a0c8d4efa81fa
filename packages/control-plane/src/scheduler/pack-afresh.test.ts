import { randomBelow, seededRandom } from '@berth/shared/random.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileConstraints } from './constraint.ts'
import { type Demand, NO_DEMAND } from './demand.ts'
import type { HostDescription } from './host-description.ts'
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

  it('fills the largest of hosts that nobody else uses, in the order in which they came where they are equal', () => {
    const { fleet, movable } = fleetOf(['a', 'b', 'c', 'd'], [['a', asking(256, 256)]])
    const hosts = (capacity: Readonly<Record<string, readonly [cpu: number, memory: number]>>) => {
      for (const [id, [cpu, memory]] of Object.entries(capacity))
        fleet.putHost({ ...describeHost({ id, zone: 'a' }), cpu, memory }, RUNNING)
      return [...packAfresh(fleet, movable).values()]
    }
    expect(hosts({})).toEqual(['a'])
    expect(hosts({ b: [1024, 1025] })).toEqual(['b'])
    expect(hosts({ c: [1025, 1024] })).toEqual(['c'])
    expect(hosts({ d: [1024, 1027] })).toEqual(['d'])
  })

  it('leaves alone what is not to be had: other pools, hosts that are not connected, hosts without room', () => {
    const { fleet, movable } = fleetOf(
      ['a', 'b', 'c', 'd', 'e'],
      [
        ['a', asking(256, 256)],
        ['a', asking(2000, 1)],
        ['a', asking(1, 2000)],
        ['a', asking(1, 1, { pool: 'none' })],
      ],
    )
    fleet.putHost(describeHost({ id: 'a', cpu: 9999, memory: 9999 }), { agentConnected: false, status: 'ACTIVE' })
    fleet.putHost(describeHost({ id: 'b', cpu: 9999, memory: 9999, pools: ['other'] }), RUNNING)
    fleet.putHost(describeHost({ id: 'c', cpu: 1999, memory: 256 }), RUNNING)
    fleet.putHost(describeHost({ id: 'd', cpu: 256, memory: 1999 }), RUNNING)
    fleet.claim('e', 'full', { ...NO_DEMAND, cpu: 800 }, { group: 'x', dynamicPorts: [] })
    expect([...packAfresh(fleet, movable)]).toEqual([['t0', 'c']])
  })

  it('keeps tasks on GPUs and custom resources to the hosts that have as many, and gives none twice', () => {
    const demand = { ...NO_DEMAND, cpu: 1, memory: 1 }
    const [learns, burns, plain] = [
      asking(0, 0, { demand: { ...demand, gpus: 1 } }),
      asking(0, 0, { demand: { ...demand, custom: new Map([['fpga', 2]]) } }),
      asking(0, 0, { demand }),
    ]
    const { fleet, movable } = fleetOf(
      ['a', 'b', 'c'],
      [learns, learns, learns, burns, burns, plain].map((request) => ['a', request] as const),
    )
    fleet.putHost(describeHost({ id: 'b', cpu: 900, memory: 900, gpus: 2 }), RUNNING)
    fleet.putHost(describeHost({ id: 'c', cpu: 900, memory: 900, custom: new Map([['fpga', 3]]) }), RUNNING)
    const packed = packAfresh(fleet, movable)
    const on = (id: string) => movable.filter(({ taskId }) => packed.get(taskId) === id).map(({ request }) => request)
    expect(on('a')).toEqual([plain])
    expect(on('b')).toEqual([learns, learns])
    expect(on('c')).toEqual([burns])
    expect(packed.size).toBe(4)
  })

  /** Which of the kinds takes the one place that a host in use has left, whatever their order: the name of a task of it. */
  function firstOf(
    has: Partial<HostDescription>,
    left: Partial<Demand>,
    kinds: Readonly<Record<string, readonly [tasks: number, demand: Partial<Demand>]>>,
  ) {
    const fleet = new HostFleet()
    for (const id of ['used', 'free'])
      fleet.putHost({ ...describeHost({ id }), cpu: 1024, memory: 1024, ...has }, RUNNING)
    const { cpu, memory } = fleet.hostAt(0)
    const rest = { cpu: cpu - (left.cpu ?? 0), memory: memory - (left.memory ?? 0) }
    fleet.claim('used', 'other', { ...NO_DEMAND, ...rest }, { group: 'x', dynamicPorts: [] })
    const tasks = Object.entries(kinds).flatMap(([name, [count, demand]]) => {
      const request = asking(0, 0, { demand: { ...NO_DEMAND, ...demand } })
      return Array.from({ length: count }, (_, at): MovableTask => ({ taskId: `${name} ${at}`, request }))
    })
    const chosen = [tasks, tasks.toReversed()].map((each) => {
      const packed = [...packAfresh(fleet, each)]
      return packed.filter(([, host]) => host === 'used').map(([taskId]) => taskId.split(' ')[0])
    })
    expect(chosen[1]).toEqual(chosen[0])
    return chosen[0]
  }

  it('gives a host first what goes best with what it has left', () => {
    const kinds = { wide: [1, { cpu: 256, memory: 128 }], tall: [1, { cpu: 128, memory: 256 }] } as const
    expect(firstOf({}, { cpu: 320, memory: 260 }, kinds)).toEqual(['wide'])
    expect(firstOf({}, { cpu: 260, memory: 320 }, kinds)).toEqual(['tall'])
  })

  it('counts a resource by what hosts have of it', () => {
    const kinds = { wide: [1, { cpu: 256, memory: 1280 }], tall: [1, { cpu: 128, memory: 2560 }] } as const
    expect(firstOf({ memory: 10_240 }, { cpu: 320, memory: 2600 }, kinds)).toEqual(['wide'])
    const turned = { wide: [1, { cpu: 2560, memory: 128 }], tall: [1, { cpu: 1280, memory: 256 }] } as const
    expect(firstOf({ cpu: 10_240 }, { cpu: 2600, memory: 320 }, turned)).toEqual(['tall'])
  })

  it('gives out first what most is asked of', () => {
    const [wide, tall] = [
      { cpu: 256, memory: 128 },
      { cpu: 128, memory: 256 },
    ]
    expect(firstOf({}, { cpu: 300, memory: 300 }, { wide: [1, wide], tall: [3, tall] })).toEqual(['tall'])
    expect(firstOf({}, { cpu: 300, memory: 300 }, { wide: [3, wide], tall: [1, tall] })).toEqual(['wide'])
  })

  it('keeps what asks for nothing else off a place with a GPU or a custom resource', () => {
    const size = { cpu: 256, memory: 256 }
    const [one, left] = [new Map([['fpga', 1]]), { cpu: 300, memory: 300 }]
    const kinds = { plain: [2, size], learns: [1, { ...size, gpus: 1 }] } as const
    expect(firstOf({ gpus: 2 }, left, kinds)).toEqual(['learns'])
    expect(firstOf({ custom: one }, left, { plain: [2, size], burns: [1, { ...size, custom: one }] })).toEqual([
      'burns',
    ])
    expect(firstOf({ gpus: 0 }, left, kinds)).toEqual(['plain'])
  })

  it('hands out the dynamic ports of tasks on one host once each', () => {
    const demand = { ...NO_DEMAND, cpu: 1, memory: 1, dynamicPorts: 1 }
    const request = asking(0, 0, { demand })
    const { fleet, movable } = fleetOf(
      ['a', 'b'],
      Array.from({ length: 3 }, () => ['a', request] as const),
    )
    for (const id of ['a', 'b'])
      fleet.putHost(describeHost({ id, dynamicPortRange: { first: 9000, last: 9001 } }), RUNNING)
    expect([...packAfresh(fleet, movable).values()].toSorted()).toEqual(['a', 'a', 'b'])
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
