import { ZONE_ATTRIBUTE } from '../scheduler/host-description.ts'
import type { HostFleet } from '../scheduler/host-fleet.ts'
import { type Move, type PlanLimits, planRebalance, type RebalanceGoal } from '../scheduler/rebalance-plan.ts'
import { type MovableService, movableService } from './movable-service.ts'
import type { MoveReason, ServiceRecord } from './records.ts'
import { serviceGroup } from './service-launch.ts'
import type { ReadonlyTables } from './tables.ts'

/** A move and what it is a move of. */
export interface ServiceMove extends Move {
  readonly of: MovableService
  readonly reason: MoveReason
}

const byZone: RebalanceGoal = { type: 'spread', by: { kind: 'attribute', name: ZONE_ATTRIBUTE } }
const byOwnSpreads: RebalanceGoal = { type: 'spread', by: 'own' }

/** Plans moves that even out the zones of a service, or all spreads of its strategy: no more than it has room for at once. */
export function planSpreadOf(
  fleet: HostFleet,
  of: MovableService,
  reason: 'zones' | 'spread',
  limits: PlanLimits,
): ServiceMove[] {
  const moves = Math.min(limits.moves, of.room)
  return planRebalance(fleet, of.tasks, reason === 'zones' ? byZone : byOwnSpreads, { moves }).map((move) => ({
    ...move,
    of,
    reason,
  }))
}

/** Plans moves that empty hosts of a cluster, of all its services that can be moved. Daemons leave with their host. */
export function planEmptyHosts(
  tables: ReadonlyTables,
  fleet: HostFleet,
  services: readonly MovableService[],
  limits: PlanLimits,
): ServiceMove[] {
  const tasks = services.flatMap((each) => each.tasks)
  const ofTask = new Map(services.flatMap((each) => each.tasks.map(({ taskId }) => [taskId, each] as const)))
  const daemons = new Set<string>()
  const clusters = new Set(services.map(({ service }) => service.cluster))
  for (const cluster of clusters)
    for (const service of tables.services.by('cluster', cluster))
      if (service.schedulingStrategy === 'DAEMON')
        for (const { id } of tables.tasks.by('serviceUnsettled', `${cluster}/${service.name}`)) daemons.add(id)
  const goal: RebalanceGoal = { type: 'empty-hosts', daemons }
  return planRebalance(fleet, tasks, goal, limits).map((move) => ({
    ...move,
    of: ofTask.get(move.taskId) as MovableService,
    reason: 'empty-hosts',
  }))
}

/** The services of a cluster whose tasks may be moved now. */
export const movableServices = (tables: ReadonlyTables, cluster: string, now: number): MovableService[] =>
  Array.from(tables.services.by('cluster', cluster))
    .filter(({ rebalancing }) => (rebalancing?.notBefore ?? 0) <= now)
    .map((service) => movableService(tables, service, now))
    .filter((movable) => movable !== undefined)

/**
 * Whether a move could even out the zones of a service, or its spread over hosts, as far as counts alone tell: cheap, and never wrong where it
 * says no.
 */
export function mayBeUneven(fleet: HostFleet, service: ServiceRecord, reason: 'zones' | 'spread'): boolean {
  const group = fleet.group(serviceGroup(service.name))
  if (group === undefined) return false
  if (reason === 'spread') {
    for (const count of group.countsBySlot().values()) if (count >= 2) return true
  }
  const values = fleet.attributeValues(ZONE_ATTRIBUTE)
  let most = 0
  let fewest = Number.MAX_SAFE_INTEGER
  const counts = group.countsByValue(values)
  for (let id = 0; id < values.texts.length; id++) {
    const count = counts[id] ?? 0
    // Few clusters have hosts without a zone.
    if (id === 0 && count === 0) continue
    most = Math.max(most, count)
    fewest = Math.min(fewest, count)
  }
  return reason === 'spread' ? most >= 2 : most - fewest >= 2
}
