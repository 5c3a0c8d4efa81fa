import type { Transaction } from '../cell/cell.ts'
import { clusterSettingsOf } from '../cell/cluster-settings.ts'
import type { ClusterRecord, RebalanceRequest, ServiceRecord } from '../cell/records.ts'
import { serviceKey } from '../cell/records.ts'
import { isMoving, movableService } from '../cell/movable-service.ts'
import {
  mayBeUneven,
  movableServices,
  planEmptyHosts,
  planSpreadOf,
  type ServiceMove,
} from '../cell/rebalance-goals.ts'
import { appendServiceEvent } from '../cell/service-changes.ts'
import { serviceGroup, serviceLaunch, taskDefinitionOfArn } from '../cell/service-launch.ts'
import { poolFor } from '../cell/task-blueprint.ts'
import { launchTaskOn } from '../cell/task-launch.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import { ZONE_ATTRIBUTE } from '../scheduler/host-description.ts'
import * as say from './rebalance-sentences.ts'

/** Hosts that are looked at for whether they can be emptied: those with the fewest tasks. Bounds the time of a look. */
const hostsTried = 64

/** What came of a look at a cluster. */
export interface LookOutcome {
  /** Whether there are moves to be made that nothing but more room stands in the way of. */
  readonly waitsForRoom: boolean
  readonly lookAgainInMs: number | undefined
}

/**
 * Begins the moves that are due in a cluster, as many as its budget leaves: services with `availabilityZoneRebalancing` have their zones
 * evened out, and what the cluster's setting, or somebody's request, says is done with all.
 */
export function lookAtCluster(tx: Transaction, name: string, deps: ControlPlaneDeps): LookOutcome {
  const cluster = tx.tables.clusters.get(name)
  if (cluster?.status !== 'ACTIVE') return { waitsForRoom: false, lookAgainInMs: undefined }
  const look = new Look(tx, cluster, deps)
  for (const service of Array.from(tx.tables.services.by('cluster', name))) look.evenOut(service)
  look.emptyHosts()
  look.settleRequest()
  return look.outcome()
}

/** One look, while it lasts: what is left of the budget, and what is learnt on the way. */
class Look {
  readonly #tx: Transaction
  readonly #cluster: ClusterRecord
  readonly #deps: ControlPlaneDeps
  readonly #now: number
  readonly #goal: 'disabled' | 'spread' | 'empty-hosts'
  #budget: number
  #request: RebalanceRequest | undefined
  #unmoved = false
  #looks: number[] = []

  constructor(tx: Transaction, cluster: ClusterRecord, deps: ControlPlaneDeps) {
    this.#tx = tx
    this.#cluster = cluster
    this.#deps = deps
    this.#now = deps.clock.now()
    const settings = clusterSettingsOf(cluster)
    this.#request = cluster.rebalanceRequest
    this.#goal = this.#request?.goal ?? settings.rebalancing
    this.#budget = settings.rebalancingBudget - countMoves(tx, cluster.name)
  }

  /** Moves tasks of a service to where its spreads want them. */
  evenOut(service: ServiceRecord): void {
    const reason = this.#reasonFor(service)
    if (reason === undefined) return
    const fleet = this.#tx.fleet.hosts
    const moves = mayBeUneven(fleet, service, reason) ? this.#planFor(service, reason) : []
    if (moves === undefined) return
    if (moves.every((move) => move.reason !== 'zones')) this.#sayEven(service)
    for (const move of moves) this.#begin(move)
  }

  /** Zones come first: they are what ECS itself evens out. */
  #reasonFor(service: ServiceRecord): 'zones' | 'spread' | undefined {
    if (service.status !== 'ACTIVE' || service.schedulingStrategy !== 'REPLICA') return undefined
    const zones = service.availabilityZoneRebalancing === 'ENABLED'
    if (zones && mayBeUneven(this.#tx.fleet.hosts, service, 'zones')) return 'zones'
    if (this.#goal === 'spread') return 'spread'
    return zones ? 'zones' : undefined
  }

  /** The moves for a service; nothing when it cannot be said now. */
  #planFor(service: ServiceRecord, reason: 'zones' | 'spread'): ServiceMove[] | undefined {
    const { rebalancing } = service
    if (rebalancing?.notBefore !== undefined && rebalancing.notBefore > this.#now) {
      this.#looks.push(rebalancing.notBefore - this.#now)
      return undefined
    }
    const movable = this.#budget > 0 ? movableService(this.#tx.tables, service, this.#now) : undefined
    if (movable === undefined) return undefined
    const fleet = this.#tx.fleet.hosts
    const limits = { moves: this.#budget }
    const moves = planSpreadOf(fleet, movable, reason, limits)
    if (moves.length === 0 && reason === 'zones' && this.#goal === 'spread')
      moves.push(...planSpreadOf(fleet, movable, 'spread', limits))
    if (moves.length > 0) return moves
    this.#unmoved = true
    if (movable.protectedUntil !== undefined) this.#looks.push(movable.protectedUntil - this.#now)
    return moves
  }

  /** Empties one host after the other: moves of one are done before the next is begun. */
  emptyHosts(): void {
    if (this.#goal !== 'empty-hosts' || countMoves(this.#tx, this.#cluster.name) > 0) return
    const { tables, fleet } = this.#tx
    const services = movableServices(tables, this.#cluster.name, this.#now)
    const limits = { moves: Number.MAX_SAFE_INTEGER, hosts: 1, tried: hostsTried }
    const moves = planEmptyHosts(tables, fleet.hosts, services, limits)
    this.#unmoved ||= moves.length === 0
    const begun = new Map<string, number>()
    for (const move of moves) {
      const count = begun.get(move.of.service.name) ?? 0
      if (count < move.of.room && this.#begin(move)) begun.set(move.of.service.name, count + 1)
    }
    for (const service of tables.services.by('cluster', this.#cluster.name)) {
      const { notBefore = 0 } = service.rebalancing ?? {}
      if (notBefore > this.#now) this.#looks.push(notBefore - this.#now)
    }
  }

  /** Starts the new task of a move, if the budget and the host have room for it. */
  #begin({ of, taskId, toHost, reason }: ServiceMove): boolean {
    if (this.#budget <= 0) return false
    if (reason !== 'zones' && this.#request?.moves === 0) return false
    const { primary } = of
    const { tables } = this.#tx
    const service = tables.services.get(serviceKey(of.service.cluster, of.service.name)) ?? of.service
    const old = tables.tasks.get(taskId)
    const definition = taskDefinitionOfArn(tables, primary.taskDefinitionArn)
    if (old === undefined || definition === undefined) return false
    const launch = {
      ...serviceLaunch(service, primary, definition, old.capacityProviderName),
      move: { replaces: old.id, reason },
    }
    const outcome = launchTaskOn(this.#tx, this.#deps, launch, toHost)
    if (outcome.kind !== 'launched') return false
    if (reason === 'zones') this.#sayUneven(service, old.id, outcome.task.id)
    appendServiceEvent(this.#tx, this.#deps, service, say.moveStarted(service, outcome.task, reason))
    this.#budget -= 1
    if (reason !== 'zones' && this.#request) this.#request = { ...this.#request, moves: this.#request.moves - 1 }
    return true
  }

  #sayUneven(service: ServiceRecord, oldId: string, newId: string): void {
    if (service.rebalancing?.zonesUneven) return
    const counts = this.#zoneCounts(service, new Set([newId]))
    this.#deps.log.info('zones are uneven: tasks are moved', { service: service.arn, task: oldId })
    appendServiceEvent(this.#tx, this.#deps, service, say.zonesUneven(service, counts))
    this.#remember(service, { ...service.rebalancing, zonesUneven: true })
  }

  #sayEven(service: ServiceRecord): void {
    if (!service.rebalancing?.zonesUneven || isMoving(this.#tx.tables, service)) return
    const { zonesUneven: _, ...rebalancing } = service.rebalancing
    const counts = this.#zoneCounts(service)
    const tasks = counts.map(([, count]) => count)
    if (Math.max(...tasks) - Math.min(...tasks) >= 2) return
    appendServiceEvent(this.#tx, this.#deps, service, say.zonesEven(service, counts))
    this.#remember(service, rebalancing)
  }

  #remember(service: ServiceRecord, rebalancing: ServiceRecord['rebalancing'] & object): void {
    this.#tx.put('services', serviceKey(service.cluster, service.name), { ...service, rebalancing })
  }

  /** The tasks of a service by the zones of the hosts that it can have. */
  #zoneCounts(service: ServiceRecord, except: ReadonlySet<string> = new Set()): say.ZoneCounts {
    const fleet = this.#tx.fleet.hosts
    const { slots } = fleet.pool(poolFor(service.cluster, service.launchType ?? 'EC2'))
    const counts = new Map<string, number>()
    const group = serviceGroup(service.name)
    for (let at = 0; at < slots.size; at++) {
      const slot = slots.members[at] as number
      const host = fleet.hostAt(slot)
      const zone = host.attributes.get(ZONE_ATTRIBUTE) ?? ''
      const started = [...except].filter((id) => fleet.claimOf(id)?.hostId === host.id).length
      const count = fleet.groupCount(group, slot) - started
      if (fleet.placeable[slot] === 1 || count > 0) counts.set(zone, (counts.get(zone) ?? 0) + count)
    }
    return [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))
  }

  /** A request is over when all its moves have begun, or no more can be made. */
  settleRequest(): void {
    const before = this.#cluster.rebalanceRequest
    if (before === undefined || this.#request === undefined) return
    const isOver = this.#request.moves === 0 || countMoves(this.#tx, this.#cluster.name) === 0
    const { rebalanceRequest: _, ...rest } = this.#cluster
    if (isOver) this.#tx.put('clusters', rest.name, rest)
    else if (this.#request !== before) this.#tx.put('clusters', rest.name, { ...rest, rebalanceRequest: this.#request })
  }

  outcome(): LookOutcome {
    return {
      waitsForRoom: this.#unmoved,
      lookAgainInMs: this.#looks.length === 0 ? undefined : Math.max(1, Math.min(...this.#looks)),
    }
  }
}

/** How many tasks of a cluster are on the move. */
function countMoves(tx: Transaction, cluster: string): number {
  let count = 0
  for (const { name } of tx.tables.services.by('cluster', cluster))
    for (const _ of tx.tables.tasks.by('serviceMoves', serviceKey(cluster, name))) count++
  return count
}
