import { type Demand, NO_DEMAND } from './demand.ts'
import { compileChecks, dynamicPortsFor, type HostCheck } from './eligibility.ts'
import type { HostFleet } from './host-fleet.ts'
import type { PlacementRequest } from './placement-request.ts'
import type { MovableTask } from './rebalance-plan.ts'

/** Tasks that ask the same: one of them is as good as another. */
interface Alike {
  readonly request: PlacementRequest
  /** Whether a host may have one, CPU and memory aside. */
  readonly check: HostCheck
  /** Shares of a host of the mean capacity, for each resource. */
  readonly sizes: readonly number[]
  readonly waiting: string[]
}

/**
 * Packs the tasks as if all were placed anew at once, on as few hosts as it finds, and says where each would go: what moves could reach at
 * best, were there always room for both tasks of a move. Hosts are filled one after the other, those that have other tasks first, then the
 * largest; each takes the task whose demand goes best with what it has left (the dot product of the two), where what is scarce counts more:
 * the square of what the waiting tasks ask of each resource, over what all hosts have of it (Panigrahy et al., "Heuristics for Vector Bin
 * Packing", 2011, whose weights are not squared). Constraints are kept, strategies are not looked at.
 *
 * Tasks that find no host are absent. The fleet is not changed.
 */
export function packAfresh(fleet: HostFleet, tasks: readonly MovableTask[]): Map<string, string> {
  const fork = fleet.fork()
  for (const { taskId } of tasks) fork.release(taskId)
  const names = [...new Set(tasks.flatMap(({ request }) => [...(request.demand.custom?.keys() ?? [])]))]
  const slots = hostsToFill(fork, tasks)
  const shares = meanCapacity(fork, slots, names)
  const alike = groupAlike(fork, tasks, names, shares)
  const placed = new Map<string, string>()
  for (const slot of slots) {
    if (placed.size === tasks.length) break
    const weights = scarcity(alike, shares)
    const next = () => bestFor(fork, slot, alike, worthOf(roomOn(fork, slot, names), weights, shares))
    for (let best = next(); best !== undefined; best = next()) {
      const taskId = best.waiting.pop() as string
      const { demand, group } = best.request
      const { id } = fork.hostAt(slot)
      fork.claim(id, taskId, demand, { group, dynamicPorts: dynamicPortsFor(fork, slot, demand) })
      placed.set(taskId, id)
    }
  }
  return placed
}

/** What a task asks, or a host has. */
type Resources = Pick<Demand, 'cpu' | 'memory' | 'gpus'> & { readonly custom?: Demand['custom'] | undefined }

/** As one list: CPU, memory, GPUs, and the custom resources of these names. */
const listed = ({ cpu, memory, gpus, custom }: Resources, names: readonly string[]): number[] => [
  cpu,
  memory,
  gpus,
  ...names.map((name) => custom?.get(name) ?? 0),
]

const roomOn = (fleet: HostFleet, slot: number, names: readonly string[]): number[] =>
  listed(
    {
      cpu: fleet.cpuFree[slot] as number,
      memory: fleet.memoryFree[slot] as number,
      gpus: fleet.gpusFree[slot] as number,
      custom: fleet.customFree[slot],
    },
    names,
  )

/** What a host has on the average, of each resource. */
function meanCapacity(fleet: HostFleet, slots: readonly number[], names: readonly string[]): number[] {
  const capacities = slots.map((slot) => listed(fleet.hostAt(slot), names))
  return listed(NO_DEMAND, names).map((none, at) => {
    const total = capacities.reduce((sum, capacity) => sum + (capacity[at] as number), none)
    return Math.max(1, total / slots.length)
  })
}

/** What one share of a resource, asked of a host with so much room, says for a task. */
const worthOf = (room: readonly number[], weights: readonly number[], shares: readonly number[]): number[] =>
  room.map((free, at) => ((weights[at] as number) * free) / (shares[at] as number))

/** The hosts that tasks could go to: those in use by others first, then the largest. */
function hostsToFill(fleet: HostFleet, tasks: readonly MovableTask[]): number[] {
  const pools = new Set(tasks.map(({ request }) => request.pool))
  const slots = new Set<number>()
  for (const pool of pools) {
    const { members, size } = fleet.pool(pool).slots
    for (let at = 0; at < size; at++) {
      const slot = members[at] as number
      if (fleet.placeable[slot] === 1) slots.add(slot)
    }
  }
  const size = (slot: number) => 2 * (fleet.cpuFree[slot] as number) + (fleet.memoryFree[slot] as number)
  const isUsed = (slot: number) => ((fleet.runningTasks[slot] as number) > 0 ? 0 : 1)
  return [...slots].sort((a, b) => isUsed(a) - isUsed(b) || size(b) - size(a) || a - b)
}

function groupAlike(
  fleet: HostFleet,
  tasks: readonly MovableTask[],
  names: readonly string[],
  shares: readonly number[],
): Alike[] {
  const groups = Map.groupBy(tasks, ({ request }) => request)
  return Array.from(groups, ([request, its]) => ({
    request,
    check: checkOf(fleet, request),
    sizes: listed(request.demand, names).map((asked, at) => asked / (shares[at] as number)),
    waiting: its.map(({ taskId }) => taskId),
  }))
}

function checkOf(fleet: HostFleet, request: PlacementRequest): HostCheck {
  const check = compileChecks(fleet, request)
  const { slots } = fleet.pool(request.pool)
  return (slot) => slots.has(slot) && (check === undefined || check(slot))
}

/** How much each resource counts: the square of what the waiting tasks ask of it. */
function scarcity(alike: readonly Alike[], shares: readonly number[]): number[] {
  return shares.map((_, at) => {
    const asked = alike.reduce((total, { sizes, waiting }) => total + (sizes[at] as number) * waiting.length, 0)
    return asked * asked
  })
}

function bestFor(fleet: HostFleet, slot: number, alike: readonly Alike[], worth: readonly number[]): Alike | undefined {
  const cpu = fleet.cpuFree[slot] as number
  const memory = fleet.memoryFree[slot] as number
  let best: Alike | undefined
  let bestScore = -1
  for (const each of alike) {
    const { demand } = each.request
    if (each.waiting.length === 0 || demand.cpu > cpu || demand.memory > memory) continue
    const score = each.sizes.reduce((total, size, at) => total + size * (worth[at] as number), 0)
    if (score <= bestScore || !each.check(slot)) continue
    best = each
    bestScore = score
  }
  return best
}
