import { seededRandom } from '@berth/shared/random.ts'
import { describe, expect, it } from 'vitest'
import { type ConstraintInput, compileConstraints } from './constraint.ts'
import { type Demand, NO_DEMAND } from './demand.ts'
import { canFillHosts } from './group-fill.ts'
import type { HostDescription } from './host-description.ts'
import { HostFleet } from './host-fleet.ts'
import { planIndexed } from './indexed-choice.ts'
import type { PlacementRequest } from './placement-request.ts'
import { place } from './placement.ts'
import type { BinpackField } from './strategy.ts'
import { RUNNING, describeHost } from './test-hosts.ts'

const BY_ZONE = { type: 'spread', by: { kind: 'attribute', name: 'ecs.availability-zone' } } as const
const BY_HOST = { type: 'spread', by: { kind: 'host' } } as const
const pack = (field: BinpackField) => ({ type: 'binpack', field }) as const

const REQUEST: PlacementRequest = {
  demand: { ...NO_DEMAND, cpu: 1, memory: 1 },
  constraints: [],
  strategy: [],
  requiredAttributes: [],
  group: 'g',
  count: 4,
  pool: 'main',
}

/** These hosts, and so many without any room that the pool is large enough for an index. */
function largeFleet(hosts: Readonly<Record<string, Partial<HostDescription> & { readonly zone?: string }>>): HostFleet {
  const fleet = new HostFleet()
  for (let at = 0; at < 40; at++)
    fleet.putHost(describeHost({ id: `full${at}`, zone: at % 2 === 0 ? 'a' : 'b', cpu: 0, memory: 0 }), RUNNING)
  for (const [id, { attributes: _, ...host }] of Object.entries(hosts))
    fleet.putHost(describeHost({ id, ...host }), RUNNING)
  return fleet
}

const hostsOf = (fleet: HostFleet, asked: Partial<PlacementRequest>) =>
  place(fleet, { ...REQUEST, ...asked }, seededRandom(1)).placed.map(({ hostId }) => hostId)

describe('a group of tasks is placed host by host', () => {
  const fleet = largeFleet({})
  const own: ConstraintInput = { type: 'distinctInstance' }
  const memberOf = (expression: string): ConstraintInput => ({ type: 'memberOf', expression })

  it.each<[string, Partial<PlacementRequest>, readonly ConstraintInput[], boolean]>([
    ['that is packed', {}, [], true],
    ['of one task, which is none', { count: 1 }, [], false],
    ['that is spread over zones', { strategy: [BY_ZONE] }, [], true],
    ['that is spread over hosts', { strategy: [BY_HOST] }, [], false],
    ['with hosts of their own', {}, [own], true],
    ['on a kind of host', {}, [memberOf('attribute:a exists'), own], true],
    ['by facts of the host', {}, [memberOf('ec2InstanceId exists')], true],
    ['by other tasks', {}, [memberOf('task:group == x')], false],
    [
      'by the number of tasks, and a kind of host',
      {},
      [memberOf('attribute:a exists'), memberOf('runningTasksCount < 3')],
      false,
    ],
  ])('%s', (_, asked, items, answer) => {
    const compiled = compileConstraints(items)
    if (!compiled.ok) throw new Error(compiled.message)
    const request = { ...REQUEST, ...asked, constraints: compiled.constraints }
    const plan = planIndexed(fleet, request)
    if (plan === undefined) throw new Error('has no index')
    expect(canFillHosts(request, plan)).toBe(answer)
  })
})

describe('filling hosts', () => {
  // After a1 and b1 have one each, b1 is the fuller one only if that task is counted.
  it.each<[BinpackField, Partial<Demand>, readonly Partial<HostDescription>[]]>([
    ['cpu', { cpu: 300 }, [{ cpu: 400 }, { cpu: 900 }, { cpu: 1100 }]],
    ['memory', { memory: 300 }, [{ memory: 400 }, { memory: 900 }, { memory: 1100 }]],
    ['room', { cpu: 300 }, [{ cpu: 400 }, { cpu: 900 }, { cpu: 1100 }]],
    ['room', { memory: 300 }, [{ memory: 400 }, { memory: 900 }, { memory: 1100 }]],
    ['room', { gpus: 1 }, [{ gpus: 1, cpu: 900 }, { gpus: 3, cpu: 1000 }, { gpus: 3 }]],
  ])('by %s counts each task that it gives a host: %o', (field, demand, [a1, a2, b1]) => {
    const fleet = largeFleet({ a1: { ...a1, zone: 'a' }, a2: { ...a2, zone: 'a' }, b1: { ...b1, zone: 'b' } })
    const asked = { demand: { ...REQUEST.demand, ...demand }, strategy: [BY_ZONE, pack(field)] }
    expect(hostsOf(fleet, asked)).toEqual(['a1', 'b1', 'b1', 'a2'])
    const oneByOne: string[] = []
    for (let task = 0; task < 4; task++) {
      const [host = ''] = hostsOf(fleet, { ...asked, count: 1 })
      oneByOne.push(host)
      fleet.claim(host, `t${task}`, asked.demand, { group: 'g', dynamicPorts: [] })
    }
    expect(oneByOne).toEqual(['a1', 'b1', 'b1', 'a2'])
  })

  it('by room counts the custom resources of each task that it gives a host', () => {
    const custom = new Map([['fpga', 8]])
    const fleet = largeFleet({ a1: { custom, zone: 'a' }, a2: { custom, zone: 'a' }, b1: { custom, zone: 'b' } })
    for (const [id, taken] of [
      ['a1', 7],
      ['a2', 3],
      ['b1', 3],
    ] as const)
      fleet.claim(
        id,
        `other on ${id}`,
        { ...NO_DEMAND, custom: new Map([['fpga', taken]]) },
        { group: 'x', dynamicPorts: [] },
      )
    const demand = { ...NO_DEMAND, custom: new Map([['fpga', 1]]), memory: 1 }
    const asked = { demand, strategy: [BY_ZONE, pack('room')] }
    expect(hostsOf(fleet, asked)).toEqual(['a1', 'b1', 'b1', 'a2'])
    fleet.release('other on b1')
    expect(hostsOf(fleet, asked)).toEqual(['a1', 'b1', 'a2', 'b1'])
  })

  it('evens out what the group has already, and goes on where zones are full', () => {
    const fleet = largeFleet({ a1: { cpu: 500, zone: 'a' }, b1: { cpu: 300, zone: 'b' }, c1: { cpu: 900, zone: 'c' } })
    for (const id of ['1', '2']) fleet.claim('a1', id, { ...NO_DEMAND, cpu: 100 }, { group: 'g', dynamicPorts: [] })
    const asked = { demand: { ...REQUEST.demand, cpu: 100 }, strategy: [BY_ZONE, pack('cpu')], count: 99 }
    const placed = hostsOf(fleet, asked)
    expect(placed.slice(0, 4)).toEqual(['b1', 'c1', 'b1', 'c1'])
    expect(placed.toSorted()).toEqual([...Array(3).fill('a1'), ...Array(3).fill('b1'), ...Array(9).fill('c1')])
  })
})
