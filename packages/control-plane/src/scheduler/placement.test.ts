import { seededRandom } from '@berth/shared/random.ts'
import { describe, expect, it } from 'vitest'
import { type CompiledConstraint, type ConstraintInput, compileConstraints } from './constraint.ts'
import { NO_DEMAND } from './demand.ts'
import { describeLack, explain, failureReason, judgeHost, renderExplanation } from './explain.ts'
import { HostFleet } from './host-fleet.ts'
import type { PlacementRequest } from './placement-request.ts'
import { place } from './placement.ts'
import { DEFAULT_SERVICE_STRATEGY, compileStrategy } from './strategy.ts'
import { RUNNING, describeHost } from './test-hosts.ts'

const random = seededRandom(7)

const REQUEST: PlacementRequest = {
  demand: { ...NO_DEMAND, cpu: 256, memory: 512 },
  constraints: [],
  strategy: [],
  requiredAttributes: [],
  group: 'service:web',
  count: 1,
  pool: 'main',
}

function constraints(...items: ConstraintInput[]): readonly CompiledConstraint[] {
  const compiled = compileConstraints(items)
  if (!compiled.ok) throw new Error(compiled.message)
  return compiled.constraints
}

const hostsOf = (outcome: ReturnType<typeof place>) => outcome.placed.map(({ hostId }) => hostId)

describe('place', () => {
  it('spreads a service over zones, then packs by room', () => {
    const fleet = new HostFleet()
    for (const [id, zone] of [
      ['a1', 'a'],
      ['a2', 'a'],
      ['b1', 'b'],
      ['c1', 'c'],
    ] as const) {
      fleet.putHost(describeHost({ id, zone }), RUNNING)
    }
    const placed = hostsOf(place(fleet, { ...REQUEST, strategy: DEFAULT_SERVICE_STRATEGY, count: 6 }, random))
    expect(placed.filter((id) => id === 'b1')).toHaveLength(2)
    expect(placed.filter((id) => id === 'c1')).toHaveLength(2)
    expect(new Set(placed.filter((id) => id.startsWith('a'))).size).toBe(1)
  })

  it.each([2, 40])(
    'keeps tasks off GPUs that they do not need, and fills up those that were begun, among %i hosts',
    (hosts) => {
      const fleet = new HostFleet()
      for (let id = 0; id < hosts; id++) fleet.putHost(describeHost({ id: `gpu${id}`, gpus: 2 }), RUNNING)
      fleet.putHost(describeHost({ id: 'large', cpu: 131_072, memory: 2_097_152 }), RUNNING)
      const withGpu = { ...REQUEST, demand: { ...REQUEST.demand, gpus: 1 } }
      const [begun = ''] = hostsOf(place(fleet, withGpu, random))
      fleet.claim(begun, 'first', withGpu.demand, { group: 'g', dynamicPorts: [] })
      expect(hostsOf(place(fleet, REQUEST, random))).toEqual(['large'])
      expect(hostsOf(place(fleet, withGpu, random))).toEqual([begun])
    },
  )

  it.each([3, 40])('takes no more of CPU or memory than of GPUs where it can, among %i hosts', (hosts) => {
    const fleet = new HostFleet()
    fleet.putHost(describeHost({ id: 'little-cpu', cpu: 1024, memory: 16_384, gpus: 4 }), RUNNING)
    fleet.putHost(describeHost({ id: 'little-memory', cpu: 16_384, memory: 1024, gpus: 4 }), RUNNING)
    fleet.putHost(describeHost({ id: 'enough', cpu: 32_768, memory: 32_768, gpus: 4 }), RUNNING)
    for (let id = fleet.size; id < hosts; id++)
      fleet.putHost(describeHost({ id: `tiny${id}`, cpu: 1, gpus: 1 }), RUNNING)
    const request = { ...REQUEST, demand: { ...NO_DEMAND, cpu: 512, memory: 512, gpus: 1 } }
    expect(hostsOf(place(fleet, request, random))).toEqual(['enough'])
    const spread = place(fleet, { ...request, count: 9 }, random)
    expect(hostsOf(spread).slice(0, 4)).toEqual(Array.from({ length: 4 }, () => 'enough'))
    expect(hostsOf(spread).slice(4).toSorted()).toEqual(['little-cpu', 'little-cpu', 'little-memory', 'little-memory'])
    expect(spread.unplaced).toBe(1)
    const light = { ...request, demand: { ...request.demand, cpu: 256, memory: 256 } }
    expect(hostsOf(place(fleet, light, random))).toEqual(['little-cpu'])
  })

  it('draws hosts evenly for random', () => {
    const fleet = new HostFleet()
    for (let id = 0; id < 40; id++) fleet.putHost(describeHost({ id: `h${id}` }), RUNNING)
    const drawn = new Map<string, number>()
    for (let draw = 0; draw < 2000; draw++) {
      const [hostId = ''] = hostsOf(place(fleet, { ...REQUEST, strategy: [{ type: 'random' }] }, random))
      drawn.set(hostId, (drawn.get(hostId) ?? 0) + 1)
    }
    expect(drawn.size).toBe(40)
    for (const times of drawn.values()) expect(times).toBeGreaterThan(25)
  })

  it('follows and avoids the groups of tasks', () => {
    const fleet = new HostFleet()
    for (const id of ['h1', 'h2']) fleet.putHost(describeHost({ id }), RUNNING)
    fleet.claim('h2', 't', REQUEST.demand, { group: 'service:db', dynamicPorts: [] })
    const near = constraints({ type: 'memberOf', expression: 'task:group == service:db' })
    const apart = constraints({ type: 'memberOf', expression: 'not(task:group == service:db)' })
    expect(hostsOf(place(fleet, { ...REQUEST, constraints: near }, random))).toEqual(['h2'])
    expect(hostsOf(place(fleet, { ...REQUEST, constraints: apart }, random))).toEqual(['h1'])
  })

  it.each<[string, Partial<PlacementRequest['demand']>, number]>([
    ['nothing', {}, 9],
    ['CPU', { cpu: 341 }, 3],
    ['memory', { memory: 1024 }, 2],
    ['GPUs', { gpus: 2 }, 1],
    ['network interfaces', { enis: 2 }, 2],
    ['a resource', { custom: new Map([['fpga', 3]]) }, 2],
    [
      'two resources',
      {
        custom: new Map([
          ['fpga', 3],
          ['tape', 1],
        ]),
      },
      1,
    ],
    ['a resource that it lacks', { custom: new Map([['other', 1]]) }, 0],
    ['a port', { ports: [{ port: 80, protocol: 'tcp' }] }, 1],
    ['a free port and one that is taken', { ports: [81, 22].map((port) => ({ port, protocol: 'tcp' as const })) }, 0],
    ['a dynamic port', { dynamicPorts: 1 }, 5],
    ['two dynamic ports', { dynamicPorts: 2 }, 2],
    ['a dynamic port, and one of these as such', { dynamicPorts: 1, ports: [{ port: 9000, protocol: 'udp' }] }, 1],
  ])('gives out all that a host has, task by task and by the group, of tasks that need %s', (_, demand, tasks) => {
    for (const hosts of [1, 40]) {
      const fleet = new HostFleet()
      for (let id = 0; id < hosts; id++) {
        const has = { cpu: 1024, memory: 2048, gpus: 3, enis: 4, dynamicPortRange: { first: 9000, last: 9004 } }
        const custom = new Map([
          ['fpga', 8],
          ['tape', 1],
        ])
        const reservedPorts = [{ port: 22, protocol: 'tcp' }] as const
        fleet.putHost(describeHost({ id: `h${id}`, ...has, custom, reservedPorts }), RUNNING)
      }
      for (const strategy of [[], [{ type: 'random' as const }]]) {
        const asked = { ...REQUEST, demand: { ...NO_DEMAND, ...demand }, strategy, count: 9 * hosts }
        const { placed } = place(fleet, asked, random)
        expect(placed).toHaveLength(tasks * hosts)
        const given = placed.flatMap(({ hostId, dynamicPorts }) => dynamicPorts.map((port) => `${hostId} ${port}`))
        expect(new Set(given).size).toBe(tasks * hosts * (demand.dynamicPorts ?? 0))
      }
    }
  })

  it('puts a task on a host that has promised more than it has of what the task does not need', () => {
    const fleet = new HostFleet()
    fleet.putHost(describeHost({ id: 'h', enis: 0 }), RUNNING)
    fleet.claim('h', 't', { ...NO_DEMAND, gpus: 1, enis: 1 }, { group: 'g', dynamicPorts: [] })
    expect(hostsOf(place(fleet, REQUEST, random))).toEqual(['h'])
    for (const demand of [{ gpus: 1 }, { enis: 1 }])
      expect(place(fleet, { ...REQUEST, demand: { ...NO_DEMAND, ...demand } }, random).placed).toEqual([])
  })

  it('does not hand a dynamic port out again until the others had their turn', () => {
    const fleet = new HostFleet()
    fleet.putHost(describeHost({ id: 'h', dynamicPortRange: { first: 1, last: 3 } }), RUNNING)
    const ports: number[] = []
    for (let task = 0; task < 6; task++) {
      const [placed] = place(fleet, { ...REQUEST, demand: { ...REQUEST.demand, dynamicPorts: 1 } }, random).placed
      fleet.claim(
        'h',
        `t${task}`,
        { ...NO_DEMAND, dynamicPorts: 1 },
        { group: 'g', dynamicPorts: placed?.dynamicPorts ?? [] },
      )
      fleet.release(`t${task}`)
      ports.push(...(placed?.dynamicPorts ?? []))
    }
    expect(ports).toEqual([1, 2, 3, 1, 2, 3])
  })

  it('decides on a fork what it would decide on the fleet, and leaves the fleet alone', () => {
    const fleet = new HostFleet()
    for (const id of ['h1', 'h2']) fleet.putHost(describeHost({ id }), RUNNING)
    fleet.claim('h2', 't', REQUEST.demand, { group: 'g', dynamicPorts: [] })
    const fork = fleet.fork()
    expect(hostsOf(place(fork, REQUEST, random))).toEqual(['h2'])
    fork.removeHost('h2')
    expect(hostsOf(place(fork, REQUEST, random))).toEqual(['h1'])
    expect(fleet.claimOf('t')?.hostId).toBe('h2')
    expect(fork.claimOf('t')).toBeUndefined()
  })
})

describe('explanations', () => {
  const fleet = new HostFleet()
  fleet.putHost(describeHost({ id: 'full', attributes: { 'gpu-type': 'a10' } }), RUNNING)
  fleet.putHost(describeHost({ id: 'wrong', attributes: { 'gpu-type': 't4' } }), RUNNING)
  fleet.putHost(describeHost({ id: 'gone' }), { agentConnected: false, status: 'ACTIVE' })
  fleet.putHost(describeHost({ id: 'leaving' }), { agentConnected: true, status: 'DRAINING' })
  fleet.claim(
    'full',
    'task-1',
    { ...NO_DEMAND, cpu: 768, memory: 100, ports: [{ port: 80, protocol: 'tcp' }] },
    { group: 'service:web', dynamicPorts: [] },
  )
  const request: PlacementRequest = {
    ...REQUEST,
    demand: { ...REQUEST.demand, cpu: 512, ports: [{ port: 80, protocol: 'tcp' }] },
    constraints: constraints({ type: 'memberOf', expression: 'attribute:gpu-type == a10' }),
  }
  const { explanation } = place(fleet, request, random)

  it('count the hosts that each rule removed', () => {
    expect(explanation).toMatchObject({
      considered: 4,
      suitable: 0,
      removed: { status: 1, agent: 1, memberOf: 1, cpu: 1 },
    })
  })

  it('begin with the closest host, and say all that it lacks', () => {
    expect(explanation?.closest.map(({ hostId, lacks }) => [hostId, lacks.map(describeLack)])).toEqual([
      ['full', ['cpu: needs 512, has 256', 'port 80/tcp: held by task task-1']],
      ['wrong', ['attribute:gpu-type == a10: host has t4']],
      ['gone', ['agent: not connected', 'attribute:gpu-type == a10: host has no attribute:gpu-type']],
      ['leaving', ['status: host is DRAINING', 'attribute:gpu-type == a10: host has no attribute:gpu-type']],
    ])
  })

  it('read as text', () => {
    expect(renderExplanation(explanation ?? { considered: 0, suitable: 0, removed: {}, closest: [] })).toEqual([
      '4 hosts considered, 0 suitable',
      '  1 not ACTIVE',
      '  1 agent not connected',
      '  1 outside a memberOf constraint',
      '  1 without enough CPU',
      'closest full: cpu: needs 512, has 256; port 80/tcp: held by task task-1',
      'closest wrong: attribute:gpu-type == a10: host has t4',
      'closest gone: agent: not connected; attribute:gpu-type == a10: host has no attribute:gpu-type',
      'closest leaving: status: host is DRAINING; attribute:gpu-type == a10: host has no attribute:gpu-type',
    ])
  })

  it.each<[string, Partial<PlacementRequest>, string | undefined]>([
    ['full', { demand: NO_DEMAND }, undefined],
    ['full', { demand: { ...NO_DEMAND, cpu: 512 } }, 'RESOURCE:CPU'],
    ['full', { demand: { ...NO_DEMAND, memory: 9999 } }, 'RESOURCE:MEMORY'],
    ['full', { demand: { ...NO_DEMAND, ports: [{ port: 80, protocol: 'tcp' }] } }, 'RESOURCE:PORTS'],
    ['full', { demand: { ...NO_DEMAND, gpus: 1 } }, 'RESOURCE:GPU'],
    ['full', { demand: { ...NO_DEMAND, enis: 11 } }, 'RESOURCE:ENI'],
    ['full', { requiredAttributes: [{ name: 'x' }] }, 'ATTRIBUTE'],
    [
      'full',
      { constraints: constraints({ type: 'distinctInstance' }) },
      'DistinctInstance placement constraint unsatisfied.',
    ],
    ['wrong', {}, 'MemberOf placement constraint unsatisfied.'],
    ['gone', {}, 'AGENT'],
  ])('give ECS its reason for %s, %o', (hostId, asked, reason) => {
    const verdict = judgeHost(
      fleet,
      { ...REQUEST, constraints: hostId === 'wrong' ? request.constraints : [], ...asked },
      hostId,
    )
    expect(verdict && failureReason(verdict)).toBe(reason)
  })

  it('tell why the winner won when asked', () => {
    const outcome = place(fleet, { ...REQUEST, strategy: DEFAULT_SERVICE_STRATEGY, explainPlaced: true }, random)
    expect(outcome.explanation).toMatchObject({
      suitable: 2,
      won: {
        hostId: 'full',
        steps: [
          { step: 'spread(attribute:ecs.availability-zone)', value: 1, among: 'a' },
          { step: 'binpack(room)', value: 2460 },
        ],
      },
    })
  })

  it('are given where they are asked for, and for what was not placed unless they are not wanted', () => {
    const explained = (asked: Partial<PlacementRequest>) => place(fleet, { ...REQUEST, ...asked }, random).explanation
    expect(explained({})).toBeUndefined()
    expect(explained({ count: 99 })?.suitable).toBe(0)
    expect(explained({ count: 99, unexplained: true })).toBeUndefined()
    expect(explained({ explainPlaced: true, unexplained: true })).toBeUndefined()
    expect(explained({ explainPlaced: true, count: 0 })).toStrictEqual(explain(fleet, REQUEST))
  })

  it('name earlier tasks of the same request as what they are', () => {
    const outcome = place(
      fleet,
      { ...REQUEST, demand: { ...NO_DEMAND, ports: [{ port: 81, protocol: 'udp' }] }, count: 3 },
      random,
    )
    expect(outcome.unplaced).toBe(1)
    expect(outcome.explanation?.closest.flatMap(({ lacks }) => lacks.map(describeLack))).toContain(
      'port 81/udp: held by an earlier task of this request',
    )
  })
})

describe('strategies and constraints of the API', () => {
  it('are compiled, in any case of letters', () => {
    expect(
      compileStrategy([
        { type: 'spread', field: 'attribute:rack' },
        { type: 'spread', field: 'instanceId' },
        { type: 'spread', field: 'HOST' },
        { type: 'binpack', field: 'MEMORY' },
        { type: 'random' },
      ]),
    ).toEqual({
      ok: true,
      steps: [
        { type: 'spread', by: { kind: 'attribute', name: 'rack' } },
        { type: 'spread', by: { kind: 'host' } },
        { type: 'spread', by: { kind: 'host' } },
        { type: 'binpack', field: 'memory' },
        { type: 'random' },
      ],
    })
  })

  it.each([
    [[{ type: 'binpack', field: 'disk' }], "Invalid field 'disk'"],
    [[{ type: 'binpack', field: 'room' }], "Invalid field 'room'"],
    [[{ type: 'spread', field: 'attribute:' }], "Invalid field 'attribute:'"],
    [[{ type: 'spread' }], "Invalid field ''"],
    [[{ type: 'random', field: 'x' }], 'takes no field'],
    [[{ type: 'best' }], "Invalid placement strategy type 'best'"],
    [Array.from({ length: 6 }, () => ({ type: 'random' })), 'more than 5'],
  ])('are refused with a reason: %j', (items, message) => {
    const compiled = compileStrategy(items)
    expect(compiled.ok ? '' : compiled.message).toContain(message)
  })

  it.each([
    [[{ type: 'memberOf', expression: 'attribute:a ==' }], 'expected a value but found the end at position 14'],
    [[{ type: 'memberOf' }], 'at position 0'],
    [[{ type: 'distinctInstance', expression: 'attribute:a exists' }], 'takes no expression'],
    [[{ type: 'nearby' }], "Invalid placement constraint type 'nearby'"],
    [Array.from({ length: 11 }, () => ({ type: 'distinctInstance' })), 'more than 10'],
  ])('are refused with a reason: %j', (items, message) => {
    const compiled = compileConstraints(items)
    expect(compiled.ok ? '' : compiled.message).toContain(message)
  })
})
