import { z } from 'zod'
import { clusterSettingsOf } from '../../cell/cluster-settings.ts'
import type { MovableService } from '../../cell/movable-service.ts'
import { movableServices, planEmptyHosts } from '../../cell/rebalance-goals.ts'
import type { ClusterRecord, RebalanceRequest } from '../../cell/records.ts'
import { ec2Pool } from '../../cell/host-fleet-accounting.ts'
import { serviceGroup } from '../../cell/service-launch.ts'
import type { HostFleet } from '../../scheduler/host-fleet.ts'
import { packAfresh } from '../../scheduler/pack-afresh.ts'
import { type Move, planRebalance } from '../../scheduler/rebalance-plan.ts'
import { describeStep, type SpreadField } from '../../scheduler/strategy.ts'
import { resolveCluster } from '../ecs/arn-references.ts'
import { type Fullness, fullnessOf, fullnessOfPool } from './fullness.ts'
import { type HostLabel, hostLabelOf } from './host-label.ts'
import type { CellView } from './read-operation.ts'

export const planRebalancingInput = z.strictObject({
  cluster: z.string().optional(),
  /** Absent: what the cluster's setting says, or `spread` where that is disabled. */
  goal: z.enum(['spread', 'empty-hosts']).optional(),
  /** Moves at most. */
  budget: z.int().min(1).max(10_000).default(100),
})
export type PlanRebalancingInput = z.output<typeof planRebalancingInput>

/** One task that would be moved. */
export interface PlannedMove {
  readonly taskId: string
  readonly service: string
  readonly from: HostLabel
  readonly to: HostLabel
  /** See `Move` of the planner. */
  readonly gain: number
}

/** How many tasks of a service are where, for each place that has some before or after. */
export interface PlannedSpread {
  readonly service: string
  /** As in `spread(instanceId)`. */
  readonly by: string
  readonly places: readonly { readonly place: string; readonly before: number; readonly after: number }[]
}

/** What a host holds before and after. */
export interface RebalancedHost {
  readonly host: HostLabel
  readonly before: Fullness
  readonly after: Fullness
}

export interface PlanRebalancingAnswer {
  readonly cluster: string
  readonly goal: RebalanceRequest['goal']
  readonly moves: readonly PlannedMove[]
  /** Services whose tasks may be moved now, and those that have to be left alone: not steady, deploying, without room for one task more. */
  readonly services: { readonly movable: number; readonly leftAlone: readonly string[] }
  /** Spreads that change. */
  readonly spreads: readonly PlannedSpread[]
  /** Hosts on which something changes. */
  readonly hosts: readonly RebalancedHost[]
  /** Hosts with tasks, out of all active ones. */
  readonly hostsInUse: {
    readonly before: number
    readonly after: number
    readonly active: number
    /** How many would do if all tasks that may be moved were placed anew at once, as `packAfresh` does. Absent where that takes too long. */
    readonly packedAfresh?: number
  }
  /** How many moves the cluster makes at once. */
  readonly atOnce: number
}

/** Which tasks would be moved, and what that gains. Nothing changes. */
export function planRebalancing(view: CellView, input: PlanRebalancingInput): PlanRebalancingAnswer {
  const cluster = resolveCluster(view.tables, view.scope, input.cluster)
  const goal = input.goal ?? usualGoal(cluster)
  const movable = movableServices(view.tables, cluster.name, view.now)
  const fleet = view.fleet.fork()
  const moves = plannedMoves(view, fleet, movable, goal, input.budget)
  const serviceOf = new Map(
    movable.flatMap((each) => each.tasks.map(({ taskId }) => [taskId, each.service.name] as const)),
  )
  const spreadsBefore = movable.flatMap((each) => spreadsOf(view, fleet, each))
  const inUseBefore = hostsInUse(fleet, cluster)
  const touched = new Set(moves.flatMap(({ fromHost, toHost }) => [fromHost, toHost]))
  for (const move of moves) make(fleet, move)
  const spreadsAfter = movable.flatMap((each) => spreadsOf(view, fleet, each))
  const label = (id: string) => hostLabelOf(view.tables.hosts.get(id), id)
  const names = new Set(movable.map(({ service }) => service.name))
  const replicas = Array.from(view.tables.services.by('cluster', cluster.name)).filter(
    ({ schedulingStrategy, status, desiredCount }) =>
      schedulingStrategy === 'REPLICA' && status === 'ACTIVE' && desiredCount > 0,
  )
  return {
    cluster: cluster.name,
    goal,
    moves: moves.map(({ taskId, fromHost, toHost, gain }) => ({
      taskId,
      service: serviceOf.get(taskId) ?? '',
      from: label(fromHost),
      to: label(toHost),
      gain,
    })),
    services: {
      movable: movable.length,
      leftAlone: replicas.filter(({ name }) => !names.has(name)).map(({ name }) => name),
    },
    spreads: spreadsBefore.flatMap((before, at) => changedSpread(before, spreadsAfter[at])),
    hosts: Array.from(touched, (id) => ({
      host: label(id),
      before: fullnessOf(view.fleet, id) as Fullness,
      after: fullnessOf(fleet, id) as Fullness,
    })).toSorted((a, b) => a.host.name.localeCompare(b.host.name, 'en', { numeric: true })),
    hostsInUse: {
      before: inUseBefore,
      after: hostsInUse(fleet, cluster),
      active: fullnessOfPool(fleet, ec2Pool(cluster.name)).hosts,
      ...(goal === 'empty-hosts' && hostsIfPackedAfresh(view, cluster, movable)),
    },
    atOnce: clusterSettingsOf(cluster).rebalancingBudget,
  }
}

/** What is asked for where no goal is named. */
export function usualGoal(cluster: ClusterRecord): RebalanceRequest['goal'] {
  const { rebalancing } = clusterSettingsOf(cluster)
  return rebalancing === 'disabled' ? 'spread' : rebalancing
}

function plannedMoves(
  view: CellView,
  fleet: HostFleet,
  movable: readonly MovableService[],
  goal: RebalanceRequest['goal'],
  moves: number,
): readonly Move[] {
  if (goal === 'empty-hosts') return planEmptyHosts(view.tables, fleet, movable, { moves })
  const tasks = movable.flatMap((each) => each.tasks)
  return planRebalance(fleet, tasks, { type: 'spread', by: 'own' }, { moves })
}

function make(fleet: HostFleet, { taskId, toHost, dynamicPorts }: Move): void {
  const held = fleet.release(taskId)
  if (held !== undefined) fleet.claim(toHost, taskId, held.demand, { group: held.group, dynamicPorts })
}

interface Spread {
  readonly service: string
  readonly by: string
  readonly counts: ReadonlyMap<string, number>
}

function spreadsOf(view: CellView, fleet: HostFleet, { service, tasks }: MovableService): Spread[] {
  const fields = (tasks[0]?.request.strategy ?? []).flatMap((step) => (step.type === 'spread' ? [step.by] : []))
  return fields.map((by) => ({
    service: service.name,
    by: describeStep({ type: 'spread', by }),
    counts: countsBy(view, fleet, serviceGroup(service.name), by),
  }))
}

function countsBy(view: CellView, fleet: HostFleet, group: string, by: SpreadField): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const [slot, count] of fleet.group(group)?.countsBySlot() ?? []) {
    const { id, attributes } = fleet.hostAt(slot)
    const place = by.kind === 'host' ? hostLabelOf(view.tables.hosts.get(id), id).name : (attributes.get(by.name) ?? '')
    counts.set(place, (counts.get(place) ?? 0) + count)
  }
  return counts
}

function changedSpread({ service, by, counts }: Spread, after: Spread | undefined): PlannedSpread[] {
  const places = [...new Set([...counts.keys(), ...(after?.counts.keys() ?? [])])]
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((place) => ({ place, before: counts.get(place) ?? 0, after: after?.counts.get(place) ?? 0 }))
  return places.some((each) => each.before !== each.after) ? [{ service, by, places }] : []
}

/** Packing looks at each service for each task: a second's work at most. */
const mostPackingSteps = 5_000_000

function hostsIfPackedAfresh(
  view: CellView,
  cluster: ClusterRecord,
  movable: readonly MovableService[],
): { readonly packedAfresh?: number } {
  const tasks = movable.flatMap((each) => each.tasks)
  if (tasks.length * movable.length > mostPackingSteps) return {}
  const fleet = view.fleet.fork()
  const packed = packAfresh(fleet, tasks)
  if (packed.size < tasks.length) return {}
  const requests = new Map(tasks.map(({ taskId, request }) => [taskId, request]))
  for (const { taskId } of tasks) fleet.release(taskId)
  for (const [taskId, hostId] of packed) {
    const request = requests.get(taskId)
    if (request !== undefined) fleet.claim(hostId, taskId, request.demand, { group: request.group, dynamicPorts: [] })
  }
  return { packedAfresh: hostsInUse(fleet, cluster) }
}

function hostsInUse(fleet: HostFleet, { name }: ClusterRecord): number {
  const { slots } = fleet.pool(ec2Pool(name))
  let used = 0
  for (let at = 0; at < slots.size; at++) if ((fleet.runningTasks[slots.members[at] as number] ?? 0) > 0) used++
  return used
}
