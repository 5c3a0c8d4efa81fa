import { taskStatusRank } from '@berth/shared/task-status.ts'
import type { TaskDefinitionRecord, TaskRecord } from '../cell/records.ts'
import { serviceKey } from '../cell/records.ts'
import { serviceLaunch, taskDefinitionOfArn } from '../cell/service-launch.ts'
import type { Change, ReadonlyTables } from '../cell/tables.ts'
import { hostJudge, type LaunchOutcome, launchTaskOn } from '../cell/task-launch.ts'
import type { Explanation, HostVerdict, Rule } from '../scheduler/explanation.ts'
import type { Controller } from './controller.ts'
import { daemonsOf, isSameHost, mayRun } from './daemon-hosts.ts'
import { type DaemonHost, planDaemon } from './daemon-plan.ts'
import { keepRoomForDaemons, launchInKeptRoom } from './daemon-room.ts'
import { type ServiceControllerDeps, serviceLoop } from './service-loop.ts'
import type { ServiceTask } from './service-plan.ts'
import { scheduledBy, type ServiceScheduling, type ServiceSituation } from './service-step.ts'

/** Keeps one task of each DAEMON service on every host that may run it, as hosts come and go. */
export function daemonController(deps: ServiceControllerDeps): Controller {
  const loop = serviceLoop(deps, 'daemons', scheduledBy(daemonScheduling))
  let stopKeeping = () => {}
  return {
    name: loop.name,
    start(cell) {
      stopKeeping = keepRoomForDaemons(cell)
      loop.start(cell)
    },
    stop() {
      stopKeeping()
      loop.stop()
    },
  }
}

const daemonScheduling: ServiceScheduling = {
  strategy: 'DAEMON',
  alsoConcerned: daemonsConcerned,
  moves(situation) {
    const { service, primary, halted } = situation
    const hosts = daemonHosts(situation)
    const plan = planDaemon(
      {
        primaryDeploymentId: primary.id,
        minimumHealthyPercent: service.deploymentConfiguration.minimumHealthyPercent ?? 0,
        maximumPercent: service.deploymentConfiguration.maximumPercent ?? 100,
        halted,
      },
      hosts,
    )
    return {
      desiredCount: hosts.filter(({ wanted }) => wanted).length,
      stop: plan.stop,
      start: plan.start.length,
      blocked: plan.blocked,
      launch: (definition) => launchOn(situation, definition, plan.start),
    }
  },
}

/** Hosts came, went or changed what they are; the last replica left a draining host, whose daemons may go then. */
function* daemonsConcerned(change: Change, tables: ReadonlyTables): Iterable<string> {
  if (change.table === 'hosts') {
    const host = change.after ?? change.before
    if (host && !isSameHost(change.before, change.after)) yield* daemonKeys(tables, host.cluster)
  } else if (change.table === 'tasks' && change.after?.lastStatus === 'STOPPED' && change.after.hostId !== undefined) {
    const host = tables.hosts.get(change.after.hostId)
    if (host?.status === 'DRAINING') yield* daemonKeys(tables, host.cluster)
  }
}

function* daemonKeys(tables: ReadonlyTables, cluster: string): Iterable<string> {
  for (const { name } of daemonsOf(tables, cluster)) yield serviceKey(cluster, name)
}

/** The hosts of the service's cluster, and what the service has on each. */
function daemonHosts(situation: ServiceSituation): DaemonHost[] {
  const { tx, service, tasks } = situation
  const byHost = Map.groupBy(tasks, ({ task }) => task.hostId ?? '')
  const stopping = hostsWithStoppingTasks(situation)
  const judgeAlone = judgeOf(situation)
  const judge = (hostId: string) => tx.fleet.hosts.withoutReservations(hostId, () => judgeAlone(hostId))
  return Array.from(tx.tables.hosts.by('cluster', service.cluster), (host) => {
    const there: readonly ServiceTask[] = byHost.get(host.id) ?? []
    const lacks = judge(host.id)?.lacks
    return {
      hostId: host.id,
      wanted: service.status === 'ACTIVE' && lacks !== undefined && mayRun(lacks, there.length > 0),
      tasks: there,
      hasRoom: lacks?.length === 0,
      stopping: stopping.has(host.id),
      keeps: service.status === 'ACTIVE' && host.status === 'DRAINING' && hasReplicas(tx.tables, host.id),
    }
  })
}

function hostsWithStoppingTasks({ tx, service }: ServiceSituation): ReadonlySet<string | undefined> {
  const unsettled = Array.from(tx.tables.tasks.by('serviceUnsettled', serviceKey(service.cluster, service.name)))
  return new Set(unsettled.filter(isOnItsWayOut).map(({ hostId }) => hostId))
}

const isOnItsWayOut = ({ desiredStatus, lastStatus }: TaskRecord): boolean =>
  desiredStatus === 'STOPPED' && lastStatus !== 'STOPPED'

function judgeOf({ tx, service, primary }: ServiceSituation): (hostId: string) => HostVerdict | undefined {
  const definition = taskDefinitionOfArn(tx.tables, primary.taskDefinitionArn)
  return definition ? hostJudge(tx, serviceLaunch(service, primary, definition)) : () => undefined
}

/** ECS stops the daemons of a draining host last. */
function hasReplicas(tables: ReadonlyTables, hostId: string): boolean {
  for (const task of tables.tasks.by('host', hostId)) {
    if (task.serviceName === undefined || taskStatusRank[task.lastStatus] >= taskStatusRank.STOPPED) continue
    const service = tables.services.get(serviceKey(task.cluster, task.serviceName))
    if (service?.schedulingStrategy === 'REPLICA') return true
  }
  return false
}

function launchOn(
  { tx, service, primary, deps }: ServiceSituation,
  definition: TaskDefinitionRecord,
  hostIds: readonly string[],
): LaunchOutcome {
  const launch = serviceLaunch(service, primary, definition)
  const tasks: TaskRecord[] = []
  const refusals: HostVerdict[] = []
  for (const hostId of hostIds) {
    const outcome = launchInKeptRoom(tx, service, hostId, () => launchTaskOn(tx, deps, launch, hostId))
    if (outcome.kind === 'launched') tasks.push(outcome.task)
    else if (outcome.kind === 'refused') refusals.push(outcome.verdict)
  }
  return {
    tasks,
    unplaced: hostIds.length - tasks.length,
    ...(refusals.length > 0 && { explanation: explanationOf(hostIds.length, refusals) }),
  }
}

/** How many of the refusals are told in full. */
const toldRefusals = 5

function explanationOf(considered: number, refusals: readonly HostVerdict[]): Explanation {
  const removed: Partial<Record<Rule, number>> = {}
  for (const { lacks } of refusals) {
    const rule = lacks[0]?.rule
    if (rule !== undefined) removed[rule] = (removed[rule] ?? 0) + 1
  }
  return { considered, suitable: considered - refusals.length, removed, closest: refusals.slice(0, toldRefusals) }
}
