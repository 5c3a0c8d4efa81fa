import { type Random, randomBelow, seededRandom } from '@berth/shared/random.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CompiledConstraint, compileConstraints } from './constraint.ts'
import { type Demand, type PortClaim, portsClash } from './demand.ts'
import { judgeHost } from './explain.ts'
import type { HostDescription, HostState } from './host-description.ts'
import { HostFleet } from './host-fleet.ts'
import type { PlacementRequest } from './placement-request.ts'
import { place } from './placement.ts'
import { type ReferenceHost, bestHosts, fits } from './reference-scheduler.ts'
import type { StrategyStep } from './strategy.ts'
import { propertyRuns } from './testing/property-runs.ts'

const spreadBy = (name: string): StrategyStep => ({ type: 'spread', by: { kind: 'attribute', name } })
const SPREAD_HOSTS: StrategyStep = { type: 'spread', by: { kind: 'host' } }
const pack = (field: 'cpu' | 'memory' | 'room'): StrategyStep => ({ type: 'binpack', field })
const ZONE = 'ecs.availability-zone'

const STRATEGIES: readonly (readonly StrategyStep[])[] = [
  [],
  [pack('cpu')],
  [pack('memory')],
  [pack('room')],
  [pack('memory'), pack('cpu')],
  [pack('cpu'), pack('memory')],
  [pack('memory'), SPREAD_HOSTS],
  [spreadBy(ZONE)],
  [spreadBy(ZONE), pack('memory')],
  [spreadBy('rack'), pack('cpu')],
  [spreadBy(ZONE), spreadBy('rack'), pack('memory')],
  [SPREAD_HOSTS],
  [SPREAD_HOSTS, pack('cpu')],
  [spreadBy(ZONE), SPREAD_HOSTS, pack('memory')],
  [spreadBy(ZONE), SPREAD_HOSTS, { type: 'random' }],
  [{ type: 'random' }],
  [spreadBy(ZONE), { type: 'random' }],
]

const EXPRESSIONS = [
  'attribute:type == big',
  'attribute:rack in [r1, r2, r3]',
  'not(attribute:type =~ b.*)',
  'attribute:ssd exists || attribute:rack > 1',
  'task:group == g1',
  'not(task:group == g2)',
  'runningTasksCount < 3',
  'agentVersion >= 1.10.0 && ec2InstanceId != i-3',
]

const pick = <T>(random: Random, items: readonly T[]): T => items[randomBelow(random, items.length)] as T
const maybe = (random: Random, oneIn: number): boolean => randomBelow(random, oneIn) === 0

function someHost(random: Random, id: string): HostDescription {
  const attributes = new Map<string, string | null>([['type', pick(random, ['big', 'small', 'odd'])]])
  if (!maybe(random, 8)) attributes.set(ZONE, pick(random, ['a', 'b', 'c']))
  if (!maybe(random, 4)) attributes.set('rack', pick(random, ['r1', 'r2', '1', '3']))
  if (maybe(random, 4)) attributes.set('ssd', null)
  return {
    id,
    cpu: pick(random, [1024, 2048, 4096, 3000]),
    memory: pick(random, [1024, 4096, 7777, 8192]),
    gpus: pick(random, [0, 0, 0, 1, 2, 4]),
    enis: pick(random, [0, 3, 10]),
    reservedPorts: maybe(random, 3) ? [{ port: 22, protocol: 'tcp' }] : [],
    ...(maybe(random, 3) && { dynamicPortRange: { first: 79, last: 83 } }),
    ...(maybe(random, 3) && {
      custom: new Map([['licence', pick(random, [1, 2, 7])], ...(maybe(random, 2) ? [['fpga', 3] as const] : [])]),
    }),
    attributes,
    ec2InstanceId: `i-${id}`,
    agentVersion: pick(random, ['1.9.0', '1.10.0', '1.89.1']),
    registeredAt: 1000 + randomBelow(random, 1000),
    pools: maybe(random, 6) ? ['other'] : ['main'],
  }
}

function someState(random: Random): HostState {
  if (!maybe(random, 8)) return { agentConnected: true, status: 'ACTIVE' }
  return { agentConnected: maybe(random, 2), status: pick(random, ['ACTIVE', 'DRAINING']) }
}

const PORTS: readonly PortClaim[] = [
  { port: 80, protocol: 'tcp' },
  { port: 80, protocol: 'udp' },
  { port: 22, protocol: 'tcp' },
  { port: 80, protocol: 'tcp', hostIp: '10.0.0.1' },
  { port: 80, protocol: 'tcp', hostIp: '0.0.0.0' },
]

function someDemand(random: Random): Demand {
  return {
    cpu: pick(random, [0, 128, 256, 512, 700]),
    memory: pick(random, [64, 128, 512, 1000]),
    gpus: maybe(random, 4) ? 1 + randomBelow(random, 2) : 0,
    enis: maybe(random, 4) ? 1 : 0,
    ports: maybe(random, 4) ? [pick(random, PORTS)] : [],
    dynamicPorts: maybe(random, 4) ? 1 + randomBelow(random, 2) : 0,
    ...(maybe(random, 6) && { custom: new Map([[pick(random, ['licence', 'fpga']), 1]]) }),
  }
}

function someConstraints(random: Random): readonly CompiledConstraint[] {
  const compiled = compileConstraints([
    ...(maybe(random, 3) ? [{ type: 'memberOf', expression: pick(random, EXPRESSIONS) }] : []),
    ...(maybe(random, 8) ? [{ type: 'memberOf', expression: pick(random, EXPRESSIONS) }] : []),
    ...(maybe(random, 4) ? [{ type: 'distinctInstance' }] : []),
  ])
  if (!compiled.ok) throw new Error(compiled.message)
  return compiled.constraints
}

function someRequest(random: Random): PlacementRequest {
  return {
    demand: someDemand(random),
    constraints: someConstraints(random),
    strategy: pick(random, STRATEGIES),
    requiredAttributes: maybe(random, 5) ? [{ name: 'ssd' }] : maybe(random, 5) ? [{ name: 'type', value: 'big' }] : [],
    group: pick(random, ['g1', 'g2', 'g3']),
    count: maybe(random, 2) ? 1 : 1 + randomBelow(random, 12),
    pool: 'main',
    ...(maybe(random, 10) && { eligible: (hostId: string) => hostId !== '1' }),
  }
}

/** A fast fleet and the reference's hosts, changed alike. */
class Twin {
  readonly fleet = new HostFleet()
  readonly hosts = new Map<string, ReferenceHost>()
  private tasks = 0
  private readonly random: Random

  constructor(random: Random) {
    this.random = random
  }

  put(id: string): void {
    const description = someHost(this.random, id)
    const state = someState(this.random)
    this.fleet.putHost(description, state)
    this.hosts.set(id, { description, state, tasks: this.hosts.get(id)?.tasks ?? [] })
  }

  change(): void {
    const host = pick(this.random, [...this.hosts.values()])
    const { id } = host.description
    const kind = randomBelow(this.random, 10)
    if (kind === 0) {
      this.fleet.removeHost(id)
      this.hosts.delete(id)
    } else if (kind === 1) {
      this.put(id)
    } else if (kind === 2) {
      host.state = someState(this.random)
      this.fleet.setHostState(id, host.state)
    } else {
      const task = host.tasks.splice(randomBelow(this.random, Math.max(1, host.tasks.length)), 1)[0]
      if (task !== undefined) expect(this.fleet.release(task.id)).toMatchObject({ hostId: id, group: task.group })
    }
    if (this.hosts.size < 20) this.put(String(100 + this.tasks))
  }

  /** Places by the fast scheduler, and holds each task against the reference in turn. */
  placeAndCheck(request: PlacementRequest): void {
    const { placed, unplaced, explanation } = place(this.fleet, request, this.random)
    expect(placed.length + unplaced).toBe(request.count)
    for (const { hostId, dynamicPorts } of placed) {
      const best = bestHosts([...this.hosts.values()], request)
      expect(best.map((host) => host.description.id)).toContain(hostId)
      this.checkPorts(hostId, dynamicPorts, request.demand)
      const task = { id: `t${this.tasks++}`, demand: request.demand, group: request.group, dynamicPorts }
      this.hosts.get(hostId)?.tasks.push(task)
      this.fleet.claim(hostId, task.id, request.demand, { group: request.group, dynamicPorts })
    }
    if (unplaced === 0) return
    expect(bestHosts([...this.hosts.values()], request)).toEqual([])
    expect(explanation?.suitable).toBe(0)
    const removed = Object.values(explanation?.removed ?? {}).reduce((sum, hosts) => sum + hosts, 0)
    expect(removed).toBe(explanation?.considered)
    for (const host of explanation?.closest ?? []) expect(host.lacks.length).toBeGreaterThan(0)
  }

  /** The explanation of each single host says that it fits exactly where the reference does. */
  checkVerdicts(request: PlacementRequest): void {
    for (const host of this.hosts.values()) {
      if (!host.description.pools.includes(request.pool)) continue
      const verdict = judgeHost(this.fleet, request, host.description.id)
      expect([host.description.id, verdict?.lacks.length === 0]).toEqual([host.description.id, fits(host, request)])
    }
  }

  private checkPorts(hostId: string, dynamicPorts: readonly number[], demand: Demand): void {
    expect(new Set(dynamicPorts).size).toBe(demand.dynamicPorts)
    const host = this.hosts.get(hostId) as ReferenceHost
    const { first, last } = host.description.dynamicPortRange ?? { first: 49153, last: 65535 }
    const taken = [
      ...host.tasks.flatMap((task) => task.demand.ports),
      ...host.description.reservedPorts,
      ...demand.ports,
    ]
    for (const port of dynamicPorts) {
      expect(port).toBeGreaterThanOrEqual(first)
      expect(port).toBeLessThanOrEqual(last)
      expect(host.tasks.flatMap((task) => task.dynamicPorts)).not.toContain(port)
      expect(taken.some((claim) => portsClash(claim, { port, protocol: claim.protocol }))).toBe(false)
    }
  }
}

/** Thousands of clusters take a while where other work runs beside them. */
const SLOW = { timeout: 600_000 }

describe('the fast scheduler against the plain one', SLOW, () => {
  it('chooses an equally good host, and refuses exactly what does not fit, on random clusters as they change', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), fc.integer({ min: 4, max: 90 }), (seed, hosts) => {
        const random = seededRandom(seed)
        const twin = new Twin(random)
        for (let id = 0; id < hosts; id++) twin.put(String(id))
        for (let round = 0; round < 12; round++) {
          twin.placeAndCheck(someRequest(random))
          for (let changes = randomBelow(random, 4); changes > 0; changes--) twin.change()
        }
        twin.checkVerdicts(someRequest(random))
      }),
      propertyRuns(1500),
    )
  })

  it('leaves the fleet as it was', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), (seed) => {
        const random = seededRandom(seed)
        const twin = new Twin(random)
        for (let id = 0; id < 50; id++) twin.put(String(id))
        const rooms = () => [...twin.hosts.keys()].map((id) => twin.fleet.roomOn(id))
        const before = rooms()
        place(twin.fleet, someRequest(random), random)
        expect(rooms()).toEqual(before)
        expect(twin.fleet.taskCount).toBe(0)
      }),
      propertyRuns(300),
    )
  })
})
