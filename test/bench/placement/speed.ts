import { type CompiledConstraint, compileConstraints } from '@berth/control-plane/scheduler/constraint.ts'
import { type Demand, NO_DEMAND } from '@berth/control-plane/scheduler/demand.ts'
import { FitCells, FitOrder } from '@berth/control-plane/scheduler/fit-index.ts'
import { ZONE_ATTRIBUTE } from '@berth/control-plane/scheduler/host-description.ts'
import { HostFleet } from '@berth/control-plane/scheduler/host-fleet.ts'
import type { PlacementRequest } from '@berth/control-plane/scheduler/placement-request.ts'
import { place } from '@berth/control-plane/scheduler/placement.ts'
import type { StrategyStep } from '@berth/control-plane/scheduler/strategy.ts'
import { type Random, randomBelow, seededRandom } from '@berth/shared/random.ts'
import { type Contender, type Row, quantile, race } from '../measure.ts'
import { type BestFit, objectsWithFilterAndSort, typedScan } from './baselines.ts'
import { OPENB_HOSTS, OPENB_TASKS, type ShapeCount } from './openb-shapes.ts'

/** How much the speed rows do. */
export interface SpeedOptions {
  readonly rounds: number
  /** The large fleet of the growth row. */
  readonly manyHosts: number
  /** Placements a round of the fast contenders. */
  readonly placements: number
}

const HOSTS = 10_000
const FULL = 0.85
const POOL = 'bench'
const BY_MEMORY: readonly StrategyStep[] = [{ type: 'binpack', field: 'memory' }]
const SERVICES = 500

/** The rows of the placement issue that need nothing but the scheduler. */
export function speedRows(options: SpeedOptions): Row[] {
  return [...searchRows(options), ...growthRows(options), ...chainRows(options), ...groupRows(options)]
}

/** A fleet as full as asked, and the tasks in it, which leave and are replaced while it is measured. */
interface Cluster {
  readonly fleet: HostFleet
  readonly random: Random
  readonly demands: readonly Demand[]
  /** The claims of the tasks that run. */
  readonly claims: number[]
}

/** A request for one task of the demand; what a bench varies is how it asks. */
type Ask = (demand: Demand, serial: number) => PlacementRequest

const plain: Ask = (demand, serial) => ({
  demand,
  constraints: [],
  strategy: BY_MEMORY,
  requiredAttributes: [],
  group: groupName(serial),
  count: 1,
  pool: POOL,
})

const GROUP_NAMES = Array.from({ length: SERVICES }, (_, at) => `service:${at}`)
const groupName = (serial: number): string => GROUP_NAMES[serial % SERVICES] as string

function drawn(shapes: readonly ShapeCount[], random: Random): { cpu: number; memory: number } {
  let at = randomBelow(
    random,
    shapes.reduce((sum, [, , count]) => sum + count, 0),
  )
  for (const [cpu, memory, count] of shapes) {
    if (at < count) return { cpu, memory }
    at -= count
  }
  throw new RangeError('no shape drawn')
}

function emptyFleet(hosts: number, random: Random): HostFleet {
  const fleet = new HostFleet()
  for (let id = 0; id < hosts; id++) {
    fleet.putHost(
      {
        id: `host-${id}`,
        ...drawn(OPENB_HOSTS, random),
        gpus: 0,
        enis: 0,
        reservedPorts: [],
        attributes: new Map([
          [ZONE_ATTRIBUTE, `zone-${id % 3}`],
          ['type', `type-${id % 4}`],
        ]),
        ec2InstanceId: `i-${id}`,
        agentVersion: '1.0.0',
        registeredAt: 0,
        pools: [POOL],
      },
      { agentConnected: true, status: 'ACTIVE' },
    )
  }
  return fleet
}

/** Fills a fleet until this part of its CPU is taken, the dimension that openb's tasks fill first. */
function filledCluster(hosts: number, ask: Ask): Cluster {
  const random = seededRandom(hosts)
  const fleet = emptyFleet(hosts, random)
  const demands = Array.from({ length: 8192 }, (): Demand => ({ ...NO_DEMAND, ...drawn(OPENB_TASKS, random) }))
  const cluster = { fleet, random, demands, claims: [] }
  const capacity = fleet.cpuTotal.reduce((sum, cpu) => sum + cpu, 0)
  for (let taken = 0, serial = 0; taken < capacity * FULL; serial++) {
    const request = ask(demands[serial % demands.length] as Demand, serial)
    if (!placeInto(cluster, request, -1)) break
    taken += request.demand.cpu
  }
  return cluster
}

/** Places one task and keeps its claim, at `at` or behind all others. */
function placeInto({ fleet, random, claims }: Cluster, request: PlacementRequest, at: number): boolean {
  const [task] = place(fleet, request, random).placed
  if (task === undefined) return false
  const claim = fleet.hold(task.slot, 'bench', request.demand, request.group, task.dynamicPorts)
  claims[at < 0 ? claims.length : at] = claim
  return true
}

/** One task leaves, one of another size comes: over and over, until a tenth of all tasks and more have changed. */
function churn(cluster: Cluster, ask: Ask, times: number): void {
  const { fleet, claims, random, demands } = cluster
  for (let serial = 0; serial < times; serial++) {
    const at = randomBelow(random, claims.length)
    fleet.letGo(claims[at] as number)
    claims[at] = claims.at(-1) as number
    claims.pop()
    placeInto(cluster, ask(demands[randomBelow(random, demands.length)] as Demand, serial), -1)
  }
}

/** What the bookkeeping notes of a task, side by side: 16 bytes, so that to pick a task at random is one look at memory. */
const TASK = 4
const TASK_HOST = 0
const TASK_CPU = 1
const TASK_MEMORY = 2

/**
 * The tasks of a cluster for a contender that only books CPU and memory: a function that lets so many tasks be replaced. Tasks
 * are kept in a typed array, so that what is measured is the contender and not the garbage collector.
 */
function bookkeeping(cluster: Cluster, contender: BestFit): (times: number) => void {
  const { fleet, claims, random, demands } = cluster
  const tasks = new Int32Array(claims.length * TASK)
  for (const [at, claim] of claims.entries()) {
    const { demand } = fleet.describeClaim(claim)
    tasks.set([fleet.slotOfClaim(claim), demand.cpu, demand.memory], at * TASK)
  }
  const wantedCpu = Int32Array.from(demands, (demand) => demand.cpu)
  const wantedMemory = Int32Array.from(demands, (demand) => demand.memory)
  return (times) => {
    for (let time = 0; time < times; time++) {
      const task = randomBelow(random, claims.length) * TASK
      const before = tasks[task + TASK_HOST] as number
      if (before >= 0) contender.giveBack(before, tasks[task + TASK_CPU] as number, tasks[task + TASK_MEMORY] as number)
      const wanted = randomBelow(random, wantedCpu.length)
      const cpu = wantedCpu[wanted] as number
      const memory = wantedMemory[wanted] as number
      tasks[task + TASK_HOST] = contender.take(cpu, memory)
      tasks[task + TASK_CPU] = cpu
      tasks[task + TASK_MEMORY] = memory
    }
  }
}

/** Berth's index by itself, with the same bookkeeping as the baselines. What a host has left is kept side by side, CPU first. */
function indexAlone(cpuBefore: Int32Array, memoryBefore: Int32Array): BestFit {
  const free = new Int32Array(cpuBefore.length * 2)
  const cells = new FitCells()
  const order = new FitOrder(cells, cpuBefore.length, Math.max(...OPENB_HOSTS.map(([, memory]) => memory)))
  cells.ensureSlot(cpuBefore.length)
  const put = (host: number, cpu: number, memory: number) => {
    free[host * 2] = cpu
    free[host * 2 + 1] = memory
    order.insert(host, memory, cpu, memory)
  }
  for (let host = 0; host < cpuBefore.length; host++) {
    put(host, cpuBefore[host] as number, memoryBefore[host] as number)
  }
  const book = (host: number, cpu: number, memory: number) => {
    order.remove(host)
    put(host, (free[host * 2] as number) - cpu, (free[host * 2 + 1] as number) - memory)
  }
  return {
    name: 'index alone',
    take(cpu, memory) {
      const host = order.next(order.walkFrom(memory), cpu, memory)
      if (host >= 0) book(host, cpu, memory)
      return host
    },
    giveBack: (host, cpu, memory) => book(host, -cpu, -memory),
  }
}

function searchRows({ rounds, placements }: SpeedOptions): Row[] {
  const cluster = filledCluster(HOSTS, plain)
  const cpuFree = cluster.fleet.cpuFree.slice(0, HOSTS)
  const memoryFree = cluster.fleet.memoryFree.slice(0, HOSTS)
  const contender = (bestFit: BestFit, operations: number): Contender => {
    const run = bookkeeping(cluster, bestFit)
    return { name: bestFit.name, operations, work: () => run(operations) }
  }
  const disagreements = countDisagreements(cluster)
  const [objects = 0, scan = 0, index = 0, whole = 0] = race(
    [
      contender(objectsWithFilterAndSort(cpuFree, memoryFree), 400),
      contender(typedScan(cpuFree, memoryFree), 4000),
      contender(indexAlone(cpuFree, memoryFree), placements),
      { name: 'whole', operations: placements, work: () => churn(cluster, plain, placements) },
    ],
    rounds,
  )
  const latencies = latenciesOf(cluster, 20_000)
  return [
    rate('baseline: objects, filter and sort, 10,000 hosts', objects),
    rate('baseline: scan over Int32Array, 10,000 hosts', scan),
    rate('exact best fit, search and index, 10,000 hosts', index),
    ratio('  against objects', index / objects, 100),
    ratio('  against the scan', index / scan, 15),
    rate('the same through place(), claim and release', whole),
    ratio('  against objects', whole / objects),
    ratio('  against the scan', whole / scan),
    {
      what: '  place() alone, 99th percentile',
      figure: quantile(latencies, 0.99),
      unit: 'us',
      asked: '<= 50',
      reached: quantile(latencies, 0.99) <= 50,
    },
    {
      what: '  choices that differ from a plain oracle, of 500',
      figure: disagreements,
      unit: '',
      asked: '0',
      reached: disagreements === 0,
    },
  ]
}

/** On how many of 500 requests the fast choice leaves another amount of memory than the scan's. */
function countDisagreements({ fleet, demands, random }: Cluster): number {
  let differ = 0
  for (const [at, demand] of demands.slice(0, 500).entries()) {
    const [task] = place(fleet, plain(demand, at), random).placed
    const oracle = typedScan(fleet.cpuFree.slice(0, HOSTS), fleet.memoryFree.slice(0, HOSTS)).take(
      demand.cpu,
      demand.memory,
    )
    const memoryOf = (slot: number) => (slot < 0 ? -1 : fleet.memoryFree[slot])
    if (memoryOf(task?.slot ?? -1) !== memoryOf(oracle)) differ++
  }
  return differ
}

function latenciesOf(cluster: Cluster, samples: number): number[] {
  const { fleet, demands, random } = cluster
  const latencies: number[] = []
  for (let sample = 0; sample < samples; sample++) {
    const request = plain(demands[sample % demands.length] as Demand, sample)
    const before = process.hrtime.bigint()
    place(fleet, request, random)
    latencies.push(Number(process.hrtime.bigint() - before) / 1000)
    churn(cluster, plain, 1)
  }
  return latencies
}

function growthRows({ rounds, manyHosts, placements }: SpeedOptions): Row[] {
  const few = filledCluster(1000, plain)
  const many = filledCluster(manyHosts, plain)
  const [fewRate = 0, manyRate = 0] = race(
    [
      { name: 'few', operations: placements, work: () => churn(few, plain, placements) },
      { name: 'many', operations: placements, work: () => churn(many, plain, placements) },
    ],
    rounds,
  )
  const alone = [few, many].map(({ fleet }) => ({
    cpuFree: fleet.cpuFree.slice(0, fleet.size),
    memoryFree: fleet.memoryFree.slice(0, fleet.size),
  }))
  const contenders = [few, many].map((cluster, at): Contender => {
    const { cpuFree, memoryFree } = alone[at] as (typeof alone)[number]
    const run = bookkeeping(cluster, indexAlone(cpuFree, memoryFree))
    return { name: String(cluster.fleet.size), operations: placements, work: () => run(placements) }
  })
  const [fewAlone = 0, manyAlone = 0] = race(contenders, rounds)
  const hosts = manyHosts.toLocaleString('en')
  return [
    rate('search and index, 1,000 hosts', fewAlone),
    rate(`search and index, ${hosts} hosts`, manyAlone),
    ratio('  growth: the second over the first', manyAlone / fewAlone, 0.4),
    rate('place(), claim and release, 1,000 hosts', fewRate),
    rate(`place(), claim and release, ${hosts} hosts`, manyRate),
    ratio('  growth: the second over the first', manyRate / fewRate),
  ]
}

const CHAIN: readonly StrategyStep[] = [
  { type: 'spread', by: { kind: 'attribute', name: ZONE_ATTRIBUTE } },
  { type: 'binpack', field: 'memory' },
]

function chainRows({ rounds, placements }: SpeedOptions): Row[] {
  const constraints = [0, 1, 2, 3].map(constraintsWithout)
  const ports = Array.from({ length: SERVICES }, (_, at) => [{ port: 8000 + at, protocol: 'tcp' as const }])
  const chained: Ask = (demand, serial) => ({
    ...plain(demand, serial),
    demand: { ...demand, ports: ports[serial % SERVICES] ?? [] },
    constraints: constraints[serial % 4] ?? [],
    strategy: CHAIN,
  })
  const plainCluster = filledCluster(HOSTS, plain)
  const chainCluster = filledCluster(HOSTS, plain)
  churn(chainCluster, chained, chainCluster.claims.length)
  const [plainRate = 0, chainRate = 0] = race(
    [
      { name: 'plain', operations: placements, work: () => churn(plainCluster, plain, placements) },
      { name: 'chain', operations: placements, work: () => churn(chainCluster, chained, placements) },
    ],
    rounds,
  )
  return [
    rate('whole chain: spread(az), binpack, memberOf, static port, distinctInstance', chainRate),
    ratio('  against plain best fit', chainRate / plainRate, 0.25),
  ]
}

/** A service that runs on three of the four types of hosts, and not twice on one host. */
function constraintsWithout(type: number): readonly CompiledConstraint[] {
  const compiled = compileConstraints([
    { type: 'distinctInstance' },
    { type: 'memberOf', expression: `attribute:type !in [type-${type}] && !(attribute:type =~ other.*)` },
  ])
  if (!compiled.ok) throw new Error(compiled.message)
  return compiled.constraints
}

const GROUP = 10_000

/** How often each round decides the group, which changes nothing: as warm as the ten thousand decisions one by one. */
const GROUP_DECISIONS = 10

function groupRows({ rounds }: SpeedOptions): Row[] {
  const demand: Demand = { ...NO_DEMAND, cpu: 256, memory: 512 }
  const ask = (count: number): PlacementRequest => ({ ...plain(demand, 0), count })
  const decided = { alone: new HostFleet(), together: new HostFleet() }
  const onEmptied = (run: (cluster: Cluster) => void) => {
    const cluster = filledCluster(HOSTS, plain)
    return { cluster, seconds: raceOnce(() => run(cluster)) }
  }
  const alone: number[] = []
  const together: number[] = []
  for (let round = 0; round < rounds; round++) {
    const one = onEmptied((cluster) => {
      for (let task = 0; task < GROUP; task++) placeInto(cluster, ask(1), -1)
    })
    const all = onEmptied((cluster) => {
      for (let time = 0; time < GROUP_DECISIONS; time++) place(cluster.fleet, ask(GROUP), cluster.random)
    })
    for (const { slot } of place(all.cluster.fleet, ask(GROUP), all.cluster.random).placed) {
      all.cluster.fleet.hold(slot, 'bench', demand, groupName(0), [])
    }
    alone.push(one.seconds)
    together.push(all.seconds / GROUP_DECISIONS)
    decided.alone = one.cluster.fleet
    decided.together = all.cluster.fleet
  }
  const same = endState(decided.alone) === endState(decided.together)
  const cheaper = quantile(alone, 0.5) / quantile(together, 0.5)
  return [
    {
      what: '10,000 equal tasks one by one (with their claims), each',
      figure: (quantile(alone, 0.5) / GROUP) * 1e9,
      unit: 'ns',
    },
    { what: '10,000 equal tasks as a group, each', figure: (quantile(together, 0.5) / GROUP) * 1e9, unit: 'ns' },
    ratio('  cheaper by', cheaper, 5),
    { what: '  same end state', figure: same ? 1 : 0, unit: '', asked: '1', reached: same },
  ]
}

function raceOnce(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** What is left on the hosts, whichever of equal hosts it is. */
const endState = (fleet: HostFleet): string =>
  Array.from({ length: fleet.size }, (_, slot) => `${fleet.cpuFree[slot]}/${fleet.memoryFree[slot]}`)
    .toSorted()
    .join()

const rate = (what: string, figure: number): Row => ({ what, figure, unit: '/CPU-s' })

function ratio(what: string, figure: number, least?: number): Row {
  return { what, figure, unit: 'x', ...(least !== undefined && { asked: `>= ${least}`, reached: figure >= least }) }
}
