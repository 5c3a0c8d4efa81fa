import { describe, expect, it } from 'vitest'
import { compileAssessment } from './assessment.ts'
import { type CompiledConstraint, type ConstraintInput, compileConstraints } from './constraint.ts'
import { NO_DEMAND } from './demand.ts'
import { TENTATIVE, compileWin, describeLack, explain, failureReason, judgeHost, renderExplanation } from './explain.ts'
import { type Lack, RULES, type Rule } from './explanation.ts'
import { HostFleet } from './host-fleet.ts'
import type { PlacementRequest } from './placement-request.ts'
import { RUNNING, describeHost } from './test-hosts.ts'

const REQUEST: PlacementRequest = {
  demand: NO_DEMAND,
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

const port80 = { port: 80, protocol: 'tcp' } as const

describe('a lack in words', () => {
  it.each<[Lack, string]>([
    [{ rule: 'status', status: 'DRAINING' }, 'status: host is DRAINING'],
    [{ rule: 'agent' }, 'agent: not connected'],
    [{ rule: 'eligible' }, 'host: not among those the task may go to'],
    [{ rule: 'attribute', name: 'a' }, 'attribute:a exists: host has none'],
    [{ rule: 'attribute', name: 'a', wanted: 'x' }, 'attribute:a == x: host has none'],
    [{ rule: 'attribute', name: 'a', wanted: 'x', has: null }, 'attribute:a == x: host has no value'],
    [{ rule: 'attribute', name: 'a', wanted: 'x', has: 'y' }, 'attribute:a == x: host has y'],
    [{ rule: 'memberOf', expression: 'e' }, 'e'],
    [{ rule: 'memberOf', expression: 'e', has: 'y' }, 'e: host has y'],
    [{ rule: 'distinctInstance', group: 'g', tasks: 1 }, 'distinctInstance: 1 task of g already there'],
    [{ rule: 'distinctInstance', group: 'g', tasks: 2 }, 'distinctInstance: 2 tasks of g already there'],
    [{ rule: 'cpu', needs: 2, has: 1 }, 'cpu: needs 2, has 1'],
    [{ rule: 'custom', name: 'fpga', needs: 2, has: 1 }, 'fpga: needs 2, has 1'],
    [{ rule: 'ports', port: port80 }, 'port 80/tcp: reserved by the host'],
    [{ rule: 'ports', port: port80, taskId: 't' }, 'port 80/tcp: held by task t'],
    [
      { rule: 'ports', port: { ...port80, hostIp: '10.0.0.1' }, taskId: TENTATIVE },
      'port 10.0.0.1:80/tcp: held by an earlier task of this request',
    ],
    [{ rule: 'ports', dynamic: { needs: 3, has: 1 } }, 'dynamic ports: needs 3, has 1'],
  ])('%j is %j', (lack, words) => {
    expect(describeLack(lack)).toBe(words)
  })

  it.each<[Rule, string, string]>([
    ['status', 'INACTIVE', 'not ACTIVE'],
    ['agent', 'AGENT', 'agent not connected'],
    ['eligible', 'LOCATION', 'not eligible'],
    ['attribute', 'ATTRIBUTE', 'lacking a required attribute'],
    ['memberOf', 'MemberOf placement constraint unsatisfied.', 'outside a memberOf constraint'],
    [
      'distinctInstance',
      'DistinctInstance placement constraint unsatisfied.',
      'already running a task of the group (distinctInstance)',
    ],
    ['cpu', 'RESOURCE:CPU', 'without enough CPU'],
    ['memory', 'RESOURCE:MEMORY', 'without enough memory'],
    ['ports', 'RESOURCE:PORTS', 'with a port taken'],
    ['gpu', 'RESOURCE:GPU', 'without enough GPUs'],
    ['eni', 'RESOURCE:ENI', 'without a free network interface'],
    ['custom', 'RESOURCE:CUSTOM', 'without enough of a custom resource'],
  ])('%s is %s, and of many hosts: %s', (rule, reason, words) => {
    expect(failureReason({ hostId: 'h', ec2InstanceId: 'i', lacks: [{ rule } as Lack, { rule: 'agent' }] })).toBe(
      reason,
    )
    expect(renderExplanation({ considered: 9, suitable: 6, removed: { [rule]: 3 }, closest: [] })).toEqual([
      '9 hosts considered, 6 suitable',
      `  3 ${words}`,
    ])
  })

  it('has no reason where nothing lacks, and says who won', () => {
    expect(failureReason({ hostId: 'h', ec2InstanceId: 'i', lacks: [] })).toBeUndefined()
    const steps = [
      { step: 'spread(attribute:rack)', value: 1, among: 'r1' },
      { step: 'binpack(cpu)', value: 7 },
    ]
    const won = { hostId: 'h', ec2InstanceId: 'i', steps }
    expect(renderExplanation({ considered: 1, suitable: 1, removed: {}, closest: [], won })).toEqual([
      '1 host considered, 1 suitable',
      'won by h: spread(attribute:rack) = 1 (r1), binpack(cpu) = 7',
    ])
  })
})

describe('what a host lacks', () => {
  const fleet = new HostFleet()
  fleet.putHost(
    describeHost({
      id: 'h',
      cpu: 100,
      memory: 200,
      gpus: 2,
      enis: 1,
      reservedPorts: [{ port: 22, protocol: 'tcp' }],
      dynamicPortRange: { first: 50_000, last: 50_001 },
      custom: new Map([['fpga', 3]]),
      attributes: { rack: 'r1', ssd: null },
    }),
    RUNNING,
  )
  const taken = { ...NO_DEMAND, cpu: 40, memory: 50, gpus: 1, enis: 1, ports: [port80], custom: new Map([['fpga', 1]]) }
  fleet.claim('h', 't1', taken, { group: 'service:web', dynamicPorts: [50_000] })
  const lacksFor = (asked: Partial<PlacementRequest>) => judgeHost(fleet, { ...REQUEST, ...asked }, 'h')?.lacks

  it.each<[string, Partial<PlacementRequest>, readonly Lack[]]>([
    [
      'all that is left',
      { demand: { ...taken, cpu: 60, memory: 150, enis: 0, ports: [], custom: new Map([['fpga', 2]]) } },
      [],
    ],
    ['more CPU', { demand: { ...NO_DEMAND, cpu: 61 } }, [{ rule: 'cpu', needs: 61, has: 60 }]],
    ['more memory', { demand: { ...NO_DEMAND, memory: 151 } }, [{ rule: 'memory', needs: 151, has: 150 }]],
    ['more GPUs', { demand: { ...NO_DEMAND, gpus: 2 } }, [{ rule: 'gpu', needs: 2, has: 1 }]],
    ['an address', { demand: { ...NO_DEMAND, enis: 1 } }, [{ rule: 'eni', needs: 1, has: 0 }]],
    [
      'more of a resource',
      {
        demand: {
          ...NO_DEMAND,
          custom: new Map([
            ['fpga', 3],
            ['tape', 1],
          ]),
        },
      },
      [
        { rule: 'custom', name: 'fpga', needs: 3, has: 2 },
        { rule: 'custom', name: 'tape', needs: 1, has: 0 },
      ],
    ],
    [
      'a port of a task',
      { demand: { ...NO_DEMAND, ports: [port80] } },
      [{ rule: 'ports', port: port80, taskId: 't1' }],
    ],
    [
      'a port of the host',
      { demand: { ...NO_DEMAND, ports: [{ port: 22, protocol: 'tcp' }] } },
      [{ rule: 'ports', port: { port: 22, protocol: 'tcp' } }],
    ],
    ['the same port of the other protocol', { demand: { ...NO_DEMAND, ports: [{ port: 80, protocol: 'udp' }] } }, []],
    ['a dynamic port', { demand: { ...NO_DEMAND, dynamicPorts: 1 } }, []],
    [
      'two dynamic ports',
      { demand: { ...NO_DEMAND, dynamicPorts: 2 } },
      [{ rule: 'ports', dynamic: { needs: 2, has: 1 } }],
    ],
    [
      'the last dynamic port and that port',
      { demand: { ...NO_DEMAND, dynamicPorts: 1, ports: [{ port: 50_001, protocol: 'udp' }] } },
      [{ rule: 'ports', dynamic: { needs: 1, has: 0 } }],
    ],
    ['attributes', { requiredAttributes: [{ name: 'rack' }, { name: 'rack', value: 'r1' }, { name: 'ssd' }] }, []],
    [
      'other attributes',
      { requiredAttributes: [{ name: 'rack', value: 'r2' }, { name: 'ssd', value: 'x' }, { name: 'gpu' }] },
      [
        { rule: 'attribute', name: 'rack', wanted: 'r2', has: 'r1' },
        { rule: 'attribute', name: 'ssd', wanted: 'x', has: null },
        { rule: 'attribute', name: 'gpu' },
      ],
    ],
    [
      'a host of its own',
      { constraints: constraints({ type: 'distinctInstance' }, { type: 'distinctInstance' }) },
      [{ rule: 'distinctInstance', group: 'service:web', tasks: 1 }],
    ],
    [
      'a host of its own, for another group',
      { group: 'g', constraints: constraints({ type: 'distinctInstance' }) },
      [],
    ],
    ['not to be there', { eligible: () => false }, [{ rule: 'eligible' }]],
    ['to be there', { eligible: (id) => id === 'h' }, []],
  ])('for %s', (_, asked, lacks) => {
    expect(lacksFor(asked)).toStrictEqual(lacks)
    expect(compileAssessment(fleet, { ...REQUEST, ...asked })(fleet.slotOf('h') ?? -1).first).toBe(lacks[0]?.rule)
  })

  it.each<[string, readonly Lack[]]>([
    ['attribute:rack == r1 && runningTasksCount == 1', []],
    [
      'attribute:rack == r2 && (attribute:ssd exists && attribute:gpu exists)',
      [
        { rule: 'memberOf', expression: 'attribute:rack == r2', has: 'r1' },
        { rule: 'memberOf', expression: 'attribute:gpu exists', has: 'no attribute:gpu' },
      ],
    ],
    [
      'attribute:rack == r2 || attribute:gpu exists',
      [{ rule: 'memberOf', expression: 'attribute:rack == r2 || attribute:gpu exists' }],
    ],
    [
      'not(task:group == service:web)',
      [{ rule: 'memberOf', expression: 'task:group != service:web', has: 'service:web' }],
    ],
    ['agentConnected == false', [{ rule: 'memberOf', expression: 'agentConnected == false', has: 'true' }]],
  ])('for memberOf %s', (expression, lacks) => {
    expect(lacksFor({ constraints: constraints({ type: 'memberOf', expression }) })).toEqual(lacks)
  })

  it('is not of what it should not have, even if it promised more than that', () => {
    const shrunk = new HostFleet()
    shrunk.putHost(describeHost({ id: 's', enis: 0 }), { agentConnected: false, status: 'ACTIVE' })
    shrunk.claim('s', 't', { ...NO_DEMAND, gpus: 1, enis: 1 }, { group: 'g', dynamicPorts: [] })
    const memberOf = constraints({ type: 'memberOf', expression: 'agentConnected == false' })
    expect(judgeHost(shrunk, { ...REQUEST, constraints: memberOf }, 's')?.lacks).toEqual([{ rule: 'agent' }])
    expect(explain(shrunk, REQUEST).removed).toEqual({ agent: 1 })
  })

  it('is not known of a host that is not there', () => {
    expect(judgeHost(fleet, REQUEST, 'nobody')).toBeUndefined()
    expect(compileWin(fleet, REQUEST)('nobody')).toBeUndefined()
  })
})

describe('the closest hosts', () => {
  it('are five, those first that lack least, and of a right kind before a wrong one', () => {
    const fleet = new HostFleet()
    const offered = { far: 10, near: 90, nearest: 99, middle: 50, half: 49, nothing: 0 }
    for (const [id, cpu] of Object.entries(offered)) fleet.putHost(describeHost({ id, cpu }), RUNNING)
    fleet.putHost(describeHost({ id: 'wrong', cpu: 1000, zone: 'b' }), RUNNING)
    fleet.putHost(describeHost({ id: 'gone' }), { agentConnected: false, status: 'ACTIVE' })
    fleet.putHost(describeHost({ id: 'elsewhere', pools: ['other'] }), RUNNING)
    const inZone = constraints({ type: 'memberOf', expression: 'attribute:ecs.availability-zone == a' })
    const request = { ...REQUEST, demand: { ...NO_DEMAND, cpu: 100 }, constraints: inZone }
    const { closest, ...counted } = explain(fleet, request)
    expect(counted).toEqual({ considered: 8, suitable: 0, removed: { cpu: 6, memberOf: 1, agent: 1 } })
    expect(closest.map(({ hostId }) => hostId)).toEqual(['nearest', 'near', 'middle', 'half', 'far'])
    for (const id of Object.keys(offered)) fleet.removeHost(id)
    expect(explain(fleet, request).closest.map(({ hostId }) => hostId)).toEqual(['wrong', 'gone'])
  })

  it.each([
    ['best first', [99, 90, 80, 70, 60, 50, 40], [0, 1, 2, 3, 4]],
    ['best last', [40, 50, 60, 70, 80, 90, 99], [6, 5, 4, 3, 2]],
    ['some alike, which keep their order', [50, 60, 50, 60, 50, 60, 50], [1, 3, 5, 0, 2]],
    ['few', [50, 60, 50], [1, 0, 2]],
  ])('are the same five wherever they stand: %s', (_, offered, order) => {
    const fleet = new HostFleet()
    for (const [at, cpu] of offered.entries()) fleet.putHost(describeHost({ id: `h${at}`, cpu }), RUNNING)
    const { closest } = explain(fleet, { ...REQUEST, demand: { ...NO_DEMAND, cpu: 100 } })
    expect(closest.map(({ hostId }) => hostId)).toEqual(order.map((at) => `h${at}`))
  })

  it('are counted by the first rule that each fails, in the order of the rules', () => {
    expect(RULES.indexOf('status')).toBe(0)
    const fleet = new HostFleet()
    fleet.putHost(describeHost({ id: 'h', cpu: 1, memory: 1, enis: 0 }), { agentConnected: false, status: 'DRAINING' })
    const demand = { cpu: 2, memory: 2, gpus: 1, enis: 1, ports: [], dynamicPorts: 0, custom: new Map([['fpga', 1]]) }
    const asked = { ...REQUEST, demand, requiredAttributes: [{ name: 'x' }], eligible: () => false }
    expect(explain(fleet, asked).closest[0]?.lacks.map(({ rule }) => rule)).toEqual([
      'status',
      'agent',
      'eligible',
      'attribute',
      'cpu',
      'memory',
      'gpu',
      'eni',
      'custom',
    ])
    expect(explain(fleet, asked).removed).toEqual({ status: 1 })
  })
})

describe('why a host won', () => {
  it('is what each step sees in it, and among which value of an attribute', () => {
    const fleet = new HostFleet()
    fleet.putHost(describeHost({ id: 'h', attributes: { rack: 'r1', ssd: null } }), RUNNING)
    for (const id of ['1', '2']) fleet.claim('h', id, NO_DEMAND, { group: 'service:web', dynamicPorts: [] })
    const by = (name: string) => ({ type: 'spread', by: { kind: 'attribute', name } }) as const
    const strategy = [
      by('rack'),
      by('ssd'),
      by('none'),
      { type: 'spread', by: { kind: 'host' } },
      { type: 'random' },
    ] as const
    expect(compileWin(fleet, { ...REQUEST, strategy })('h')).toStrictEqual({
      hostId: 'h',
      ec2InstanceId: 'i-h',
      steps: [
        { step: 'spread(attribute:rack)', value: 2, among: 'r1' },
        { step: 'spread(attribute:ssd)', value: 2, among: '' },
        { step: 'spread(attribute:none)', value: 2, among: '' },
        { step: 'spread(instanceId)', value: 2 },
        { step: 'random', value: 0 },
      ],
    })
  })
})
