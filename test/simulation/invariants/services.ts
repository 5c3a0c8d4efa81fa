import type { ServiceRecord, TaskRecord } from '@berth/control-plane/cell/records.ts'
import type { Change, ReadonlyTables } from '@berth/control-plane/cell/tables.ts'
import { computedDesiredCount } from '@berth/control-plane/cell/task-sets.ts'
import type { DurableChange } from '../durable-records.ts'
import { firstOf, holdsRoom, type Invariant, type View } from './view.ts'

type TaskChange = Extract<Change, { table: 'tasks' }>

type Records = View['records']

/** What a decision did to the tasks of one service. */
interface ServiceDecision {
  readonly service: ServiceRecord
  readonly created: readonly TaskChange[]
  readonly stopped: readonly TaskRecord[]
  /** The tasks of the service after it that are wanted and have not ended. */
  readonly live: readonly TaskRecord[]
}

/**
 * Holds each decision of the service controller against the two percentages of its service: it starts nothing above the maximum, and
 * stops no healthy task that the minimum needs. A DAEMON has one task on a host, and a task set at most twice its share. `settleMs` is how
 * long a task must run to count as healthy.
 */
export function decisionKeepsPercentages(
  changes: readonly Change[],
  tables: ReadonlyTables,
  now: number,
  settleMs: number,
): string | undefined {
  return firstOf(
    decisions(changes, tables).flatMap((decision) => {
      if (decision.service.schedulingStrategy === 'DAEMON') return [doublesDaemons(decision)]
      if (decision.service.deploymentController === 'EXTERNAL') return [exceedsShare(decision, tables)]
      return [exceedsMaximum(decision), undercutsMinimum(decision, now, settleMs)]
    }),
  )
}

function decisions(changes: readonly Change[], tables: ReadonlyTables): ServiceDecision[] {
  const ofServices = changes.filter(
    (change): change is TaskChange => change.table === 'tasks' && change.after?.serviceName !== undefined,
  )
  const byService = Map.groupBy(ofServices, ({ after }) => `${after?.cluster}/${after?.serviceName}`)
  return Array.from(byService).flatMap(([key, taskChanges]) => {
    const service = tables.services.get(key)
    if (!service) return []
    return {
      service,
      created: taskChanges.filter(({ before }) => before === undefined),
      stopped: taskChanges.flatMap(({ before, after }) =>
        isStoppedByService(before, after) ? [before as TaskRecord] : [],
      ),
      live: [...tables.tasks.by('serviceUnsettled', key)].filter(isLive),
    }
  })
}

const isLive = (task: TaskRecord): boolean => task.desiredStatus === 'RUNNING' && task.lastStatus !== 'STOPPED'

const isStoppedByService = (before: TaskRecord | undefined, after: TaskRecord | undefined): boolean =>
  before?.desiredStatus === 'RUNNING' &&
  after?.desiredStatus === 'STOPPED' &&
  after.stopCode === 'ServiceSchedulerInitiated' &&
  after.lastStatus === before.lastStatus

function exceedsMaximum({ service, created, live }: ServiceDecision): string | undefined {
  const most = Math.floor((service.desiredCount * (service.deploymentConfiguration.maximumPercent ?? 200)) / 100)
  return created.length > 0 && live.length > most
    ? `service ${service.name} has ${live.length} tasks after starting ${created.length}, and may have ${most}`
    : undefined
}

/** At its maximum of 100 percent the old task of a host ends before the new one begins. */
function doublesDaemons({ service, created, live }: ServiceDecision): string | undefined {
  const hosts = live.map(({ hostId }) => hostId)
  return created.length > 0 && new Set(hosts).size < hosts.length
    ? `daemon ${service.name} has two tasks on one host`
    : undefined
}

function exceedsShare({ service, created, live }: ServiceDecision, tables: ReadonlyTables): string | undefined {
  return firstOf(
    created.map(({ after }) => {
      const set = tables.taskSets.get(`${service.cluster}/${service.name}/${after?.deploymentId}`)
      const most = set === undefined ? 0 : 2 * computedDesiredCount(service, set)
      const its = live.filter(({ deploymentId }) => deploymentId === after?.deploymentId).length
      return its > most ? `task set ${after?.deploymentId} has ${its} tasks and may have ${most}` : undefined
    }),
  )
}

function undercutsMinimum(
  { service, stopped, live }: ServiceDecision,
  now: number,
  settleMs: number,
): string | undefined {
  const least = Math.ceil((service.desiredCount * (service.deploymentConfiguration.minimumHealthyPercent ?? 100)) / 100)
  const isHealthy = (task: TaskRecord) => countsAsHealthy(task, now, settleMs)
  const healthyLeft = live.filter(isHealthy).length
  const sacrificed = stopped.filter(isHealthy).length
  return service.status === 'ACTIVE' && sacrificed > 0 && healthyLeft < least
    ? `service ${service.name} stopped ${sacrificed} healthy tasks, has ${healthyLeft} left and needs ${least}`
    : undefined
}

function countsAsHealthy(task: TaskRecord, now: number, settleMs: number): boolean {
  if (task.lastStatus !== 'RUNNING') return false
  const checked = task.containers.filter(({ essential, hasHealthCheck }) => essential && hasHealthCheck)
  if (checked.length > 0) return checked.every(({ healthStatus }) => healthStatus === 'HEALTHY')
  return task.startedAt !== undefined && now - task.startedAt >= settleMs
}

/** In the end: every service has its desired count of the primary deployment and nothing else, and is steady. */
export const servicesAreSteady: Invariant = ({ records }) => {
  for (const service of records.services.values()) {
    const live = [...records.tasks.values()].filter(
      (task) => task.serviceName === service.name && task.lastStatus !== 'STOPPED',
    )
    if (service.status === 'INACTIVE') {
      if (live.length > 0) return `service ${service.name} is INACTIVE and has ${live.length} tasks`
      continue
    }
    if (service.status === 'DRAINING') return `service ${service.name} is still DRAINING`
    if (service.deploymentController === 'EXTERNAL') {
      const problem = unsteadyTaskSets(service, live, records)
      if (problem !== undefined) return problem
      continue
    }
    const primary = service.deployments.find(({ status }) => status === 'PRIMARY')
    const running = live.filter((task) => task.lastStatus === 'RUNNING' && task.deploymentId === primary?.id)
    if (running.length !== service.desiredCount || live.length !== service.desiredCount)
      return `service ${service.name} wants ${service.desiredCount} tasks, has ${live.length}, of which ${running.length} run for its primary deployment`
    if (!service.steady || service.deployments.length !== 1 || primary?.rolloutState !== 'COMPLETED')
      return `service ${service.name} is not steady: ${service.deployments.length} deployments, the primary ${primary?.rolloutState}`
  }
  return undefined
}

/** Every task set has its share and is stable, those that were deleted are gone, and no task is of no set. */
function unsteadyTaskSets(service: ServiceRecord, live: readonly TaskRecord[], records: Records): string | undefined {
  const sets = [...records.taskSets.values()].filter((set) => set.service === `${service.cluster}/${service.name}`)
  for (const set of sets) {
    const share = computedDesiredCount(service, set)
    const running = live.filter((task) => task.deploymentId === set.id && task.lastStatus === 'RUNNING').length
    if (set.status === 'DRAINING') return `task set ${set.id} is still DRAINING`
    if (running !== share || !set.stable) return `task set ${set.id} is to have ${share} tasks, of which ${running} run`
  }
  const orphan = live.find(({ deploymentId }) => !sets.some(({ id }) => id === deploymentId))
  return orphan && `task ${orphan.id} is of no task set of ${service.name}`
}

/**
 * A move ends the old task only once the new one runs: a task whose place another has taken was not to stop before its successor ran. Held
 * against what is durable, so against what a successor of the leader goes on with.
 */
export const successorsRan = (change: DurableChange): string | undefined => {
  if (change.table !== 'tasks' || !change.after) return undefined
  const { id, move, startedAt } = change.after
  return move?.outcome === 'moved' && startedAt === undefined
    ? `task ${id} took the place of ${move.replaces} and never ran`
    : undefined
}

/** In the end: no task is on the move. */
export const movesAreOver: Invariant = ({ records }) => {
  for (const { id, move } of records.tasks.values())
    if (move !== undefined && move.outcome === undefined)
      return `task ${id} is still to take the place of ${move.replaces}`
  return undefined
}

/** While a host drains and there is room elsewhere: services have left it, in the end. */
export const drainedHostsAreEmpty: Invariant = ({ records }) => {
  for (const task of records.tasks.values()) {
    const { serviceName, hostId = '', lastStatus } = task
    if (serviceName === undefined || lastStatus === 'STOPPED' || records.hosts.get(hostId)?.status !== 'DRAINING')
      continue
    if (hasRoomElsewhere(task, records)) return `service ${serviceName} is still on host ${hostId}, which drains`
  }
  return undefined
}

/** Whether some host could take the like of a task, as far as CPU, memory and interfaces go. */
function hasRoomElsewhere({ claim }: TaskRecord, records: Records): boolean {
  const holding = Map.groupBy(Array.from(records.tasks.values()).filter(holdsRoom), ({ hostId = '' }) => hostId)
  return Array.from(records.hosts.values()).some((host) => {
    if (host.status !== 'ACTIVE' || !host.agentConnected) return false
    const free = { cpu: host.cpu, memoryMib: host.memoryMib, networkInterfaces: host.networkInterfaces }
    for (const { claim } of holding.get(host.id) ?? []) {
      free.cpu -= claim.cpu
      free.memoryMib -= claim.memoryMib
      free.networkInterfaces -= claim.networkInterfaces
    }
    return (
      claim.cpu <= free.cpu && claim.memoryMib <= free.memoryMib && claim.networkInterfaces <= free.networkInterfaces
    )
  })
}
