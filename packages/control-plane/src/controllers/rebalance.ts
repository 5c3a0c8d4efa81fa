import { sleep } from '@berth/shared/clock.ts'
import type { Cell } from '../cell/cell.ts'
import { clusterSettingsOf } from '../cell/cluster-settings.ts'
import { type HostRecord, serviceKey } from '../cell/records.ts'
import type { Change, ReadonlyTables } from '../cell/tables.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import type { Controller } from './controller.ts'
import { KeyedLoop } from './keyed-loop.ts'
import { lookAtCluster } from './rebalance-look.ts'
import { stepMoves } from './rebalance-step.ts'

export interface RebalanceDeps extends ControlPlaneDeps {
  readonly defer: (run: () => void) => void
}

/**
 * What happens is waited for this long before a cluster is looked at, so that a rack of hosts that comes back gets one look. Emptying hosts
 * looks at every task, and nobody is in a hurry for it.
 */
const gatherMs = { spread: 1000, 'empty-hosts': 10_000 }

/**
 * Moves tasks of services, the new one healthy before the old one stops: to even out zones, other spreads, or to empty hosts. Which moves
 * are under way stands in the tasks. Two kinds of keys are worked on: clusters, to begin moves, and services, to bring them to their end.
 */
export function rebalanceController(deps: RebalanceDeps): Controller {
  /** Clusters with moves that lack room. Only a hint for who to wake. */
  const waiting = new Set<string>()
  let stopWatching = () => {}
  let loop: KeyedLoop | undefined

  const look = async (cell: Cell, cluster: string): Promise<number | undefined> => {
    const record = cell.tables.clusters.get(cluster)
    const emptying = (record?.rebalanceRequest?.goal ?? clusterSettingsOf(record).rebalancing) === 'empty-hosts'
    await sleep(deps.clock, gatherMs[emptying ? 'empty-hosts' : 'spread'])
    const { waitsForRoom, lookAgainInMs } = await cell.transact((tx) => lookAtCluster(tx, cluster, deps))
    if (waitsForRoom) waiting.add(cluster)
    else waiting.delete(cluster)
    return lookAgainInMs
  }

  return {
    name: 'rebalance',
    start(cell: Cell) {
      loop = new KeyedLoop({
        ...deps,
        name: 'rebalance controller',
        work: (key) => (isService(key) ? cell.transact((tx) => stepMoves(tx, key, deps)) : look(cell, key)),
      })
      stopWatching = cell.onApplied((changes) => {
        for (const change of changes) {
          for (const key of movingServices(change, cell.tables)) loop?.touch(key)
          const cluster = clusterConcerned(change, waiting)
          if (cluster !== undefined) loop?.touch(cluster)
        }
      })
      for (const cluster of cell.tables.clusters.values()) loop.touch(cluster.name)
      for (const [key] of cell.tables.services.entries()) if (isMovingKey(cell.tables, key)) loop.touch(key)
    },
    stop() {
      stopWatching()
      loop?.stop()
      waiting.clear()
    },
  }
}

/** Names of clusters have no slash. */
const isService = (key: string): boolean => key.includes('/')

function isMovingKey(tables: ReadonlyTables, key: string): boolean {
  for (const _ of tables.tasks.by('serviceMoves', key)) return true
  return false
}

/** The services with moves under way that a change is about. */
function* movingServices(change: Change, tables: ReadonlyTables): Iterable<string> {
  if (change.table === 'services' && isMovingKey(tables, change.key)) yield change.key
  if (change.table === 'tasks') {
    const task = change.after ?? change.before
    if (task?.serviceName === undefined) return
    const key = serviceKey(task.cluster, task.serviceName)
    if (isMovingKey(tables, key)) yield key
  }
  if (change.table === 'hosts' && change.before?.status !== change.after?.status) {
    for (const { cluster, serviceName } of tables.tasks.by('host', change.key)) {
      if (serviceName === undefined) continue
      const key = serviceKey(cluster, serviceName)
      if (isMovingKey(tables, key)) yield key
    }
  }
}

/** The cluster that a change may have given moves to make. */
function clusterConcerned(change: Change, waiting: ReadonlySet<string>): string | undefined {
  switch (change.table) {
    case 'hosts':
      return change.after && becameMoreUseful(change.before, change.after) ? change.after.cluster : undefined
    case 'clusters':
      return change.after && change.before && wantsOtherwise(change.before, change.after) ? change.key : undefined
    case 'services': {
      const { before, after } = change
      if (!after || after.status !== 'ACTIVE') return undefined
      const isNews =
        (after.steady && before?.steady !== true) ||
        after.availabilityZoneRebalancing !== before?.availabilityZoneRebalancing ||
        after.rebalancing !== before.rebalancing
      return isNews ? after.cluster : undefined
    }
    case 'tasks': {
      const { before, after } = change
      if (!after) return undefined
      const moved = after.move?.outcome !== before?.move?.outcome
      const proven = after.healthyAt !== before?.healthyAt
      const gone = after.lastStatus === 'STOPPED' && before?.lastStatus !== 'STOPPED' && waiting.has(after.cluster)
      return moved || proven || gone ? after.cluster : undefined
    }
    default:
      return undefined
  }
}

/** Whether tasks may go to the host that could not before, or it is of another kind than it was. */
function becameMoreUseful(before: HostRecord | undefined, after: HostRecord): boolean {
  const isUseful = (host: HostRecord) => host.status === 'ACTIVE' && host.agentConnected && host.engineHealthy
  if (!isUseful(after)) return false
  return !before || !isUseful(before) || before.attributes !== after.attributes || before.cpu !== after.cpu
}

type Wants = Parameters<typeof clusterSettingsOf>[0] & { readonly rebalanceRequest?: unknown }

const wantsOtherwise = (before: Wants & object, after: Wants & object): boolean =>
  before.settings !== after.settings || before.rebalanceRequest !== after.rebalanceRequest
