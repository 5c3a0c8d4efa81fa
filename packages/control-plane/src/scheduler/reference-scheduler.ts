import { type Demand, portsClash } from './demand.ts'
import type { HostDescription, HostState } from './host-description.ts'
import type { PlacementRequest } from './placement-request.ts'
import { evaluate } from './query/evaluate.ts'
import type { StrategyStep } from './strategy.ts'

/** A task as the reference keeps it. */
export interface ReferenceTask {
  readonly id: string
  readonly demand: Demand
  readonly group: string
  readonly dynamicPorts: readonly number[]
}

/** A host with all its tasks: whatever is asked about it is worked out from them. */
export interface ReferenceHost {
  description: HostDescription
  state: HostState
  readonly tasks: ReferenceTask[]
}

/**
 * The plain scheduler that the fast one is held against in tests: no index, nothing remembered, each rule in the words of
 * ECS's documentation. Its file shares the query language and the shapes of the data with the fast one, and no decision.
 */
export function fits(host: ReferenceHost, request: PlacementRequest): boolean {
  const { description, state, tasks } = host
  const { demand } = request
  if (state.status !== 'ACTIVE' || !state.agentConnected) return false
  if (!description.pools.includes(request.pool)) return false
  if (request.eligible !== undefined && !request.eligible(description.id)) return false
  return (
    hasAttributes(host, request) &&
    request.constraints.every((constraint) =>
      constraint.type === 'distinctInstance'
        ? tasks.every((task) => task.group !== request.group)
        : evaluate(constraint.expression, {
            ...description,
            agentConnected: state.agentConnected,
            runningTasksCount: tasks.length,
            taskGroups: () => tasks.map((task) => task.group),
          }),
    ) &&
    description.cpu - sum(tasks, (task) => task.demand.cpu) >= demand.cpu &&
    description.memory - sum(tasks, (task) => task.demand.memory) >= demand.memory &&
    (demand.gpus === 0 || description.gpus - sum(tasks, (task) => task.demand.gpus) >= demand.gpus) &&
    (demand.enis === 0 || description.enis - sum(tasks, (task) => task.demand.enis) >= demand.enis) &&
    [...(demand.custom ?? [])].every(
      ([name, amount]) =>
        (description.custom?.get(name) ?? 0) - sum(tasks, (task) => task.demand.custom?.get(name) ?? 0) >= amount,
    ) &&
    hasPorts(host, demand)
  )
}

function hasAttributes({ description }: ReferenceHost, request: PlacementRequest): boolean {
  return request.requiredAttributes.every(
    ({ name, value }) =>
      description.attributes.has(name) && (value === undefined || description.attributes.get(name) === value),
  )
}

function hasPorts(host: ReferenceHost, demand: Demand): boolean {
  const held = [...host.description.reservedPorts, ...host.tasks.flatMap((task) => task.demand.ports)]
  const dynamic = host.tasks.flatMap((task) => task.dynamicPorts)
  const isFree = demand.ports.every(
    (claim) => !held.some((other) => portsClash(other, claim)) && !dynamic.includes(claim.port),
  )
  if (!isFree) return false
  const range = host.description.dynamicPortRange ?? { first: 49153, last: 65535 }
  let free = 0
  for (let port = range.first; port <= range.last && free < demand.dynamicPorts; port++) {
    if ([...held, ...demand.ports].every((claim) => claim.port !== port) && !dynamic.includes(port)) free++
  }
  return free >= demand.dynamicPorts
}

/** How the strategy sees a host: one number a step, the lowest list wins. Random steps see no difference. */
export function ranking(
  hosts: readonly ReferenceHost[],
  host: ReferenceHost,
  request: PlacementRequest,
): readonly number[] {
  const last = request.strategy.at(-1)
  const steps: StrategyStep[] = [...request.strategy]
  if (last === undefined || last.type === 'spread') steps.push({ type: 'binpack', field: 'room' })
  const random = steps.findIndex((step) => step.type === 'random')
  return (random < 0 ? steps : steps.slice(0, random)).map((step) => rank(hosts, host, request, step))
}

function rank(
  hosts: readonly ReferenceHost[],
  host: ReferenceHost,
  request: PlacementRequest,
  step: StrategyStep,
): number {
  const cpu = host.description.cpu - sum(host.tasks, (task) => task.demand.cpu)
  const memory = host.description.memory - sum(host.tasks, (task) => task.demand.memory)
  if (step.type === 'random') return 0
  if (step.type === 'binpack') {
    if (step.field === 'cpu') return cpu
    if (step.field === 'memory') return memory
    const { demand } = request
    const has = host.description.gpus
    const gpus = has - sum(host.tasks, (task) => task.demand.gpus)
    const overdraws =
      demand.gpus > 0 && (demand.cpu / demand.gpus > cpu / gpus || demand.memory / demand.gpus > memory / gpus)
    const gpuRank = [has > 0, has > 0 && gpus > 0, has > 0 && gpus >= has].filter(Boolean).length
    return ((overdraws ? 4 : 0) + gpuRank) * 8_388_608 + 2 * cpu + memory + customRoom(host)
  }
  const { by } = step
  const alike =
    by.kind === 'host'
      ? [host]
      : hosts.filter((other) => other.description.attributes.get(by.name) === host.description.attributes.get(by.name))
  return sum(alike, (other) => other.tasks.filter((task) => task.group === request.group).length)
}

/** Each custom resource counts for half of the host's CPU (twice) and memory, times the part of it that is left. */
function customRoom({ description, tasks }: ReferenceHost): number {
  const { cpu, memory, custom } = description
  const parts = [...(custom ?? [])].map(
    ([name, total]) => Math.max(0, total - sum(tasks, (task) => task.demand.custom?.get(name) ?? 0)) / total,
  )
  return Math.floor((sum(parts, (part) => part) * (2 * cpu + memory)) / 2)
}

/** The hosts that can take the next task and that no other is preferred to. */
export function bestHosts(hosts: readonly ReferenceHost[], request: PlacementRequest): readonly ReferenceHost[] {
  let best: ReferenceHost[] = []
  let bestRanking: readonly number[] = []
  for (const host of hosts) {
    if (!fits(host, request)) continue
    const seen = ranking(hosts, host, request)
    const order = best.length === 0 ? -1 : compare(seen, bestRanking)
    if (order < 0) {
      best = [host]
      bestRanking = seen
    } else if (order === 0) {
      best.push(host)
    }
  }
  return best
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [at, value] of a.entries()) {
    if (value !== b[at]) return value - (b[at] as number)
  }
  return 0
}

const sum = <T>(items: readonly T[], amount: (item: T) => number): number =>
  items.reduce((total, item) => total + amount(item), 0)
