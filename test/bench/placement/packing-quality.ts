import { type Demand, NO_DEMAND } from '@berth/control-plane/scheduler/demand.ts'
import { HostFleet } from '@berth/control-plane/scheduler/host-fleet.ts'
import { packAfresh } from '@berth/control-plane/scheduler/pack-afresh.ts'
import { place } from '@berth/control-plane/scheduler/placement.ts'
import { type MovableTask, planRebalance } from '@berth/control-plane/scheduler/rebalance-plan.ts'
import { DEFAULT_TASK_STRATEGY } from '@berth/control-plane/scheduler/strategy.ts'
import { randomBelow, seededRandom } from '@berth/shared/random.ts'
import { type Row, quantile } from '../measure.ts'
import { gpuRows } from './gpu-sharing.ts'
import { type HostShape, type Packing, POOL, STRATEGIES, addHost, put } from './quality-fleet.ts'
import { csvRows, type PackingInstance, packingInstances } from './traces.ts'

/** How well strategies pack real workloads; the figures are the same on every machine. */
export function qualityRows(traces: string): Row[] {
  return [
    ...azureRows(traces),
    ...compactionRows(traces),
    ...gpuRows(traces),
    ...vectorRows(traces),
    ...plannerRows(traces),
  ]
}

/** The smallest size from `least` on with which `suffices` holds, when more is never worse. */
function smallest(least: number, most: number, suffices: (size: number) => boolean): number {
  let low = least
  let high = most
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (suffices(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** Azure's requests in their order of time, on servers of one type: how many servers refuse none. */
function azureRows(traces: string): Row[] {
  const events = azureEvents(traces)
  const bound = azureBound(events)
  return Object.entries(STRATEGIES).map(([name, strategy]) => {
    const servers = smallest(bound, bound * 2, (size) => azureFits(events, size, strategy))
    const asked = name === 'Berth default' ? { asked: '<= 571', reached: servers <= 571 } : {}
    return { what: `Azure online, servers needed (bound ${bound}): ${name}`, figure: servers, unit: '', ...asked }
  })
}

const AZURE_SERVER: HostShape = { cpu: 9600, memory: 2250 }

interface Event {
  readonly at: number
  /** Position of the virtual machine in the trace. */
  readonly machine: number
  readonly demand: Demand
  readonly starts: boolean
}

function azureEvents(traces: string): Event[] {
  const events: Event[] = []
  for (const [machine, row] of csvRows(traces, 'azure_vms_bernoulli_0.csv.gz').entries()) {
    const [, , cores, ram, , start, end] = row
    const demand = { ...NO_DEMAND, cpu: Number(cores), memory: Number(ram) }
    if (end !== 'inf' && Number(end) <= Number(start)) continue
    events.push({ at: Number(start), machine, demand, starts: true })
    if (end !== 'inf') events.push({ at: Number(end), machine, demand, starts: false })
  }
  return events.sort((a, b) => a.at - b.at || Number(a.starts) - Number(b.starts) || a.machine - b.machine)
}

/** The servers that the busiest moment needs by its sums alone. */
function azureBound(events: readonly Event[]): number {
  let cpu = 0
  let memory = 0
  let servers = 0
  for (const { demand, starts } of events) {
    cpu += starts ? demand.cpu : -demand.cpu
    memory += starts ? demand.memory : -demand.memory
    servers = Math.max(servers, cpu / AZURE_SERVER.cpu, memory / AZURE_SERVER.memory)
  }
  return Math.ceil(servers)
}

function azureFits(events: readonly Event[], servers: number, strategy: Packing): boolean {
  const random = seededRandom(servers)
  const fleet = new HostFleet()
  for (let server = 0; server < servers; server++) addHost(fleet, AZURE_SERVER)
  const claims: number[] = []
  for (const { machine, demand, starts } of events) {
    if (!starts) {
      fleet.letGo(claims[machine] as number)
      continue
    }
    const claim = put(fleet, strategy, demand, random)
    if (claim === undefined) return false
    claims[machine] = claim
  }
  return true
}

const SEEDS = 11

/** Of 1,000 tasks, how many Borg's authors let go without a host. */
const MAY_WAIT_PER_MILLE = 2

interface Compaction {
  /** How many hosts, in a random order, the workload needed. */
  readonly needed: number
  /** The fewest of them that its sums allow. */
  readonly bound: number
}

const percentile90 = (figures: readonly number[]): number => quantile(figures, 0.9)

/** What Borg's authors report is the 90th percentile of the hosts that were needed. It is set against that of the bounds. */
const overBound = (all: readonly Compaction[]): number =>
  percentile90(all.map(({ needed }) => needed)) / percentile90(all.map(({ bound }) => bound))

/** Harder: each order is set against its own bound first. */
const overOwnBound = (all: readonly Compaction[]): number =>
  percentile90(all.map(({ needed, bound }) => needed / bound))

/**
 * Borg's compaction on openb (EuroSys 2015, 5.1): hosts are taken away in a random order until the workload no longer fits;
 * what counts is how many were needed over the fewest that their sums allow. Of CPU and memory only: ECS has no shares of
 * a GPU, and openb's tasks ask for them.
 */
function compactionRows(traces: string): Row[] {
  const tasks = csvRows(traces, 'openb_pods_default.csv.gz').map(([, cpu, memory]): Demand => ({
    ...NO_DEMAND,
    cpu: Number(cpu),
    memory: Number(memory),
  }))
  const hosts = csvRows(traces, 'openb_nodes.csv.gz').map(([, cpu, memory]): HostShape => ({
    cpu: Number(cpu),
    memory: Number(memory),
  }))
  const orders = Array.from({ length: SEEDS }, (_, seed) => shuffled(hosts, seed))
  const compacted = (perMille: number) =>
    Object.entries(STRATEGIES).map(([name, strategy]) => {
      const mayWait = Math.floor((tasks.length * perMille) / 1000)
      return { name, all: orders.map((order) => compaction(order, tasks, strategy, mayWait)) }
    })
  const someMayWait = compacted(MAY_WAIT_PER_MILLE)
  const what = 'openb compaction of CPU and memory'
  return [
    ...someMayWait.map(({ name, all }) => {
      const figure = overBound(all)
      const asked = name === 'Berth default' ? { asked: '<= 1.016', reached: figure <= 1.016 } : {}
      return { what: `${what}, Borg's measure: ${name}`, figure, unit: 'x', ...asked }
    }),
    ...someMayWait.map(({ name, all }) => ({
      what: `${what}, each order over its own bound, 90th percentile: ${name}`,
      figure: overOwnBound(all),
      unit: 'x',
    })),
    ...compacted(0).map(({ name, all }) => ({
      what: `${what}, the same with every task placed: ${name}`,
      figure: overOwnBound(all),
      unit: 'x',
    })),
  ]
}

function compaction(
  hosts: readonly HostShape[],
  tasks: readonly Demand[],
  strategy: Packing,
  mayWait: number,
): Compaction {
  const bound = smallest(1, hosts.length, (size) => sumsSuffice(hosts.slice(0, size), tasks))
  const needed = smallest(bound, hosts.length + 1, (size) => {
    const random = seededRandom(size)
    const fleet = new HostFleet()
    for (const shape of hosts.slice(0, size)) addHost(fleet, shape)
    let waiting = 0
    return tasks.every((task) => put(fleet, strategy, task, random) !== undefined || ++waiting <= mayWait)
  })
  return { needed, bound }
}

function sumsSuffice(hosts: readonly HostShape[], tasks: readonly Demand[]): boolean {
  const amounts = [(shape: HostShape) => shape.cpu, (shape: HostShape) => shape.memory]
  return amounts.every((amount) => sum(hosts.map(amount)) >= sum(tasks.map(amount)))
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = seededRandom(seed)
  const order = [...items]
  for (let at = order.length - 1; at > 0; at--) {
    const other = randomBelow(random, at + 1)
    ;[order[at], order[other]] = [order[other] as T, order[at] as T]
  }
  return order
}

/** Items in the order of their files into bins opened as needed: how many bins over the best that anybody found. */
function vectorRows(traces: string): Row[] {
  const instances = packingInstances(traces, 3)
  return Object.entries(STRATEGIES).map(([name, strategy]) => {
    const ratios = instances.map(({ bin, items, bestKnown }) => {
      const random = seededRandom(1)
      const fleet = new HostFleet()
      const [cpu = 0, memory = 0, third = 0] = bin
      const shape = { cpu, memory, custom: new Map([['third', third]]) }
      for (const [itemCpu = 0, itemMemory = 0, itemThird = 0] of items) {
        const demand = { ...NO_DEMAND, cpu: itemCpu, memory: itemMemory, custom: new Map([['third', itemThird]]) }
        if (put(fleet, strategy, demand, random) !== undefined) continue
        addHost(fleet, shape)
        put(fleet, strategy, demand, random)
      }
      return fleet.size / bestKnown
    })
    return {
      what: `Vectorpack d=3 online, bins over best known (${ratios.length}): ${name}`,
      figure: sum(ratios) / ratios.length,
      unit: 'x',
    }
  })
}

/**
 * The planner of moves on the same instances: what its packing afresh needs when all items are known at once, and what is left of the bins
 * that the default strategy filled online when hosts are emptied by moves, each possible with old and new task side by side.
 */
export function plannerRows(traces: string): Row[] {
  const instances = packingInstances(traces, 3)
  const fleets = instances.map((instance) => ({ ...filledOnline(instance), bestKnown: instance.bestKnown }))
  const afresh = fleets.map(
    ({ fleet, tasks, bestKnown }) => new Set(packAfresh(fleet, tasks).values()).size / bestKnown,
  )
  const emptied = fleets.map(({ fleet, tasks, bestKnown }) => {
    const moves = planRebalance(fleet, tasks, { type: 'empty-hosts' }, { moves: Number.MAX_SAFE_INTEGER })
    return (fleet.size - moves.reduce((total, { gain }) => total + gain, 0)) / bestKnown
  })
  const mean = (ratios: readonly number[]) => sum(ratios) / ratios.length
  const figure = mean(afresh)
  const which = `bins over best known (${instances.length})`
  return [
    {
      what: `Vectorpack d=3 static, rebalance/defragment planner on Vectorpack, packed afresh, ${which}`,
      figure,
      unit: 'x',
      asked: '<= 1.030',
      reached: figure <= 1.03,
    },
    {
      what: `Vectorpack d=3, Berth default online and then hosts emptied by moves, ${which}`,
      figure: mean(emptied),
      unit: 'x',
    },
  ]
}

/** Items in the order of their files into bins opened as needed, by Berth's default strategy. */
function filledOnline({ bin, items }: PackingInstance): { readonly fleet: HostFleet; readonly tasks: MovableTask[] } {
  const fleet = new HostFleet()
  const [cpu = 0, memory = 0, third = 0] = bin
  const tasks = items.map(([itemCpu = 0, itemMemory = 0, itemThird = 0], at): MovableTask => {
    const demand = { ...NO_DEMAND, cpu: itemCpu, memory: itemMemory, custom: new Map([['third', itemThird]]) }
    const request = {
      demand,
      constraints: [],
      strategy: DEFAULT_TASK_STRATEGY,
      requiredAttributes: [],
      group: 'bench',
      count: 1,
      pool: POOL,
      unexplained: true,
    }
    const found = () => place(fleet, request, seededRandom(1)).placed[0]
    let to = found()
    if (to === undefined) {
      addHost(fleet, { cpu, memory, custom: new Map([['third', third]]) })
      to = found()
    }
    if (to === undefined) throw new Error(`item ${at} fits into no bin`)
    fleet.claim(to.hostId, `item-${at}`, demand, { group: 'bench', dynamicPorts: [] })
    return { taskId: `item-${at}`, request }
  })
  return { fleet, tasks }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
