import type { Cell, Transaction } from '../cell/cell.ts'
import { type HostRecord, type ServiceRecord, serviceKey, type TaskRecord } from '../cell/records.ts'
import { primaryDeployment } from '../cell/service-changes.ts'
import { serviceLaunch, taskDefinitionOfArn } from '../cell/service-launch.ts'
import type { Change, ReadonlyTables } from '../cell/tables.ts'
import { placementRequestOf } from '../cell/task-blueprint.ts'
import { hostJudge, type LaunchOnHostOutcome } from '../cell/task-launch.ts'
import type { Demand } from '../scheduler/demand.ts'
import { daemonsOf, isSameHost, mayRun } from './daemon-hosts.ts'

/** Where room for daemons is kept: the tables that say who needs some, and the fleet that others are placed in. */
type View = Pick<Cell, 'tables' | 'fleet'>

/**
 * Keeps room on each host for the daemons that are to run there and do not yet, ahead of everything else that looks for room: ECS places
 * daemons first. What is kept follows from the records alone, and is worked out again with each change of them before anything else can be
 * placed, so that a host which has just joined has no moment without it. Returns how to stop.
 */
export function keepRoomForDaemons(cell: Cell): () => void {
  for (const service of cell.tables.services.values())
    if (service.schedulingStrategy === 'DAEMON') keepEverywhere(cell, service)
  return cell.onApplied((changes) => {
    for (const change of changes) follow(cell, change)
  })
}

function follow(cell: View, change: Change): void {
  if (change.table === 'hosts') {
    const host = change.after
    if (host === undefined || isSameHost(change.before, host)) return
    for (const service of daemonsOf(cell.tables, host.cluster)) keepOn(cell, service, host)
  } else if (change.table === 'services') {
    const service = change.after
    if (service?.schedulingStrategy === 'DAEMON' && !needsTheSame(change.before, service)) keepEverywhere(cell, service)
  } else if (change.table === 'tasks') {
    const task = change.after ?? change.before
    if (task === undefined || task.serviceName === undefined || counts(change.before) === counts(change.after)) return
    const service = cell.tables.services.get(serviceKey(task.cluster, task.serviceName))
    const host = cell.tables.hosts.get(task.hostId ?? '')
    if (service?.schedulingStrategy === 'DAEMON' && host !== undefined) keepOn(cell, service, host)
  }
}

/** Whether a task is the one that its host is to have. */
const counts = (task: TaskRecord | undefined): boolean =>
  task?.desiredStatus === 'RUNNING' && task.lastStatus !== 'STOPPED'

function needsTheSame(before: ServiceRecord | undefined, after: ServiceRecord): boolean {
  const [then, now] = [before && primaryDeployment(before), primaryDeployment(after)]
  return (
    before?.status === after.status &&
    before.placementConstraints === after.placementConstraints &&
    then?.id === now?.id &&
    then?.rolloutState === now?.rolloutState
  )
}

function keepEverywhere(cell: View, service: ServiceRecord): void {
  for (const host of cell.tables.hosts.by('cluster', service.cluster)) keepOn(cell, service, host)
}

/** Keeps what a daemon needs of a host, or nothing any more. */
function keepOn(cell: View, service: ServiceRecord, host: HostRecord): void {
  const key = roomKey(service, host.id)
  const demand = neededOn(cell, service, host)
  cell.fleet.hosts.unreserve(key)
  if (demand !== undefined) cell.fleet.hosts.reserve(key, host.id, demand)
}

const roomKey = ({ cluster, name }: Pick<ServiceRecord, 'cluster' | 'name'>, hostId: string): string =>
  `daemon/${serviceKey(cluster, name)}/${hostId}`

/** What a daemon that a host is to run, and does not, takes of it; nothing where it could not run if the host were empty. */
function neededOn({ tables, fleet }: View, service: ServiceRecord, host: HostRecord): Demand | undefined {
  const primary = primaryDeployment(service)
  if (service.status !== 'ACTIVE' || primary === undefined || primary.rolloutState === 'FAILED') return undefined
  const definition = taskDefinitionOfArn(tables, primary.taskDefinitionArn)
  if (definition === undefined || hasTask(tables, service, host)) return undefined
  const launch = serviceLaunch(service, primary, definition)
  const verdict = hostJudge({ tables, fleet }, launch)(host.id)
  if (verdict === undefined || !mayRun(verdict.lacks, false)) return undefined
  const { demand } = placementRequestOf(tables, launch)
  const fits =
    demand.cpu <= host.cpu &&
    demand.memory <= host.memoryMib &&
    demand.gpus <= host.gpuIds.length &&
    demand.enis <= host.networkInterfaces &&
    [...(demand.custom ?? [])].every(([name, amount]) => amount <= (host.custom?.[name] ?? 0))
  return fits ? demand : undefined
}

function hasTask(tables: ReadonlyTables, { name, cluster }: ServiceRecord, host: HostRecord): boolean {
  for (const task of tables.tasks.by('host', host.id))
    if (task.serviceName === name && task.cluster === cluster && counts(task)) return true
  return false
}

/**
 * Launches a daemon in the room that is kept on a host, which it needs to be kept no longer. Daemons have no precedence over one another:
 * where there is room for one of two, the first gets it.
 */
export function launchInKeptRoom(
  { fleet }: Pick<Transaction, 'fleet'>,
  service: ServiceRecord,
  hostId: string,
  launch: () => LaunchOnHostOutcome,
): LaunchOnHostOutcome {
  const outcome = fleet.hosts.withoutReservations(hostId, launch)
  if (outcome.kind === 'launched') fleet.hosts.unreserve(roomKey(service, hostId))
  return outcome
}
