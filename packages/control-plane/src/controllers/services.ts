import { taskStatusRank } from '@berth/shared/task-status.ts'
import type { Cell, Transaction } from '../cell/cell.ts'
import {
  type DeploymentRecord,
  type ServiceRecord,
  serviceKey,
  type TaskDefinitionRecord,
  type TaskRecord,
} from '../cell/records.ts'
import { appendServiceEvent, changeDeployment, primaryDeployment, removeDeployments } from '../cell/service-changes.ts'
import type { Change, ReadonlyTables } from '../cell/tables.ts'
import { chooseCapacityProviders } from '../cell/capacity-provider-choice.ts'
import { serviceLaunch, taskDefinitionOfArn } from '../cell/service-launch.ts'
import { stopTask } from '../cell/task-changes.ts'
import { type LaunchOutcome, launchTasks } from '../cell/task-launch.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import type { Controller } from './controller.ts'
import { KeyedLoop } from './keyed-loop.ts'
import { noticeEnds } from './service-failures.ts'
import { planService, type ServiceTask } from './service-plan.ts'
import * as say from './service-sentences.ts'
import { stopOrder } from './service-stop-order.ts'
import { judgeTask } from './service-task.ts'

/** Equal complaints are left out for this long, as ECS does. */
const repeatComplaintAfterMs = 6 * 3600_000
/** Room may also appear by what is not seen here: look again after this long. */
const placementRetryMs = 30_000

export interface ServiceControllerDeps extends ControlPlaneDeps {
  readonly defer: (run: () => void) => void
}

/**
 * Brings REPLICA services to their desired count, a step at each thing that happens to one: a task's status, a changed service, room that
 * came free for one that waits for it.
 */
export function serviceController(deps: ServiceControllerDeps): Controller {
  /** Services that wait for room. Only a hint for who to wake: the fact is the missing task. */
  const waiting = new Set<string>()
  let stopWatching = () => {}
  let loop: KeyedLoop | undefined

  return {
    name: 'services',
    start(cell: Cell) {
      loop = new KeyedLoop({
        ...deps,
        name: 'service controller',
        work: async (key) => {
          const outcome = await cell.transact((tx) => stepService(tx, key, deps))
          if (outcome.waitsForRoom) waiting.add(key)
          else waiting.delete(key)
          return outcome.lookAgainInMs
        },
      })
      const touch = (key: string) => loop?.touch(key)
      stopWatching = cell.onApplied((changes) => {
        for (const change of changes) {
          for (const key of servicesConcerned(change, cell.tables)) touch(key)
          if (waiting.size > 0 && mayGiveRoom(change)) for (const key of waiting) touch(key)
        }
      })
      for (const [key, service] of cell.tables.services.entries()) if (service.status !== 'INACTIVE') touch(key)
    },
    stop() {
      stopWatching()
      loop?.stop()
      waiting.clear()
    },
  }
}

/** The services that a change is about: the service itself, that of a task, those with tasks on a host that drains or comes back. */
function* servicesConcerned(change: Change, tables: ReadonlyTables): Iterable<string> {
  if (change.table === 'services') {
    if (change.after && change.after.status !== 'INACTIVE') yield change.key
  } else if (change.table === 'tasks') {
    const task = change.after ?? change.before
    if (task?.serviceName !== undefined) yield serviceKey(task.cluster, task.serviceName)
  } else if (change.table === 'hosts' && change.before && change.before.status !== change.after?.status) {
    for (const task of tables.tasks.by('host', change.key))
      if (task.serviceName !== undefined) yield serviceKey(task.cluster, task.serviceName)
  }
}

function mayGiveRoom(change: Change): boolean {
  if (change.table === 'hosts') return change.after !== undefined
  return change.table === 'tasks' && change.after?.lastStatus === 'STOPPED' && change.before?.lastStatus !== 'STOPPED'
}

interface StepOutcome {
  readonly waitsForRoom: boolean
  readonly lookAgainInMs: number | undefined
}

const nothingToDo: StepOutcome = { waitsForRoom: false, lookAgainInMs: undefined }

/** One step of one service, whole: what ended is noted, tasks are stopped and started, and what there is to say is said. */
export function stepService(tx: Transaction, key: string, deps: ControlPlaneDeps): StepOutcome {
  const before = tx.tables.services.get(key)
  if (!before || before.status === 'INACTIVE' || before.schedulingStrategy !== 'REPLICA') return nothingToDo
  const now = deps.clock.now()
  let service = noticeEnds(tx, before, deps)
  const primary = primaryDeployment(service)
  if (!primary) return nothingToDo
  const live = liveTasks(tx, key)
  const judged = live.map((task) => judgeTask(task, tx.tables.hosts, deps.settings, now))
  service = resetAfterSuccess(service, primary, live, now)

  const plan = planService(
    {
      desiredCount: service.status === 'DRAINING' ? 0 : service.desiredCount,
      primaryDeploymentId: primary.id,
      minimumHealthyPercent: service.deploymentConfiguration.minimumHealthyPercent ?? 100,
      maximumPercent: service.deploymentConfiguration.maximumPercent ?? 200,
    },
    judged,
    stopOrder(tx.tables, tx.fleet),
  )
  stopTasks(tx, service, primary, plan.stop, deps)
  const launch = launchMissing(tx, service, plan.start, deps)
  service = launch.service
  if (plan.blocked) service = complain(tx, service, say.blockedByConfiguration(service), deps)

  service = settle(tx, service, judged, plan.start + plan.stop.length, deps)
  if (service !== before) tx.put('services', key, service)
  return { waitsForRoom: launch.waitsForRoom, lookAgainInMs: nextLook(judged, launch, now, deps) }
}

/** Tasks that are wanted and have not ended. */
function liveTasks(tx: Transaction, key: string): TaskRecord[] {
  return Array.from(tx.tables.tasks.by('serviceUnsettled', key)).filter(
    (task) => task.desiredStatus === 'RUNNING' && task.lastStatus !== 'STOPPED',
  )
}

/** A task of the deployment that runs ends its count of failures in a row, and its throttle. */
function resetAfterSuccess(
  service: ServiceRecord,
  primary: DeploymentRecord,
  live: readonly TaskRecord[],
  now: number,
): ServiceRecord {
  const runs = live.some((task) => task.deploymentId === primary.id && task.lastStatus === 'RUNNING')
  if (!runs || (primary.failedTasks === 0 && primary.throttleSteps === 0)) return service
  return changeDeployment(service, primary.id, { failedTasks: 0, throttleSteps: 0, notBefore: 0 }, now)
}

function stopTasks(
  tx: Transaction,
  service: ServiceRecord,
  primary: DeploymentRecord,
  tasks: readonly TaskRecord[],
  deps: ControlPlaneDeps,
): void {
  if (tasks.length === 0) return
  const cause = { code: 'ServiceSchedulerInitiated', reason: say.scalingActivity(primary) } as const
  for (const task of tasks) tx.put('tasks', task.id, stopTask(task, cause, deps.clock.now()))
  appendServiceEvent(tx, deps, service, say.stoppedTasks(service, tasks))
}

interface LaunchStep {
  readonly service: ServiceRecord
  readonly waitsForRoom: boolean
  /** When the restart throttle lets the next task start. */
  readonly throttledUntil?: number
}

function launchMissing(tx: Transaction, service: ServiceRecord, count: number, deps: ControlPlaneDeps): LaunchStep {
  const primary = primaryDeployment(service)
  if (count === 0 || !primary) return { service, waitsForRoom: false }
  if (primary.notBefore !== undefined && primary.notBefore > deps.clock.now())
    return { service, waitsForRoom: false, throttledUntil: primary.notBefore }
  const definition = taskDefinitionOfArn(tx.tables, primary.taskDefinitionArn)
  if (!definition) return { service, waitsForRoom: false }
  const { tasks, unplaced, explanation } = launchAcrossProviders(tx, service, primary, definition, count, deps)
  if (tasks.length > 0) appendServiceEvent(tx, deps, service, say.startedTasks(service, tasks))
  if (unplaced === 0) return { service: withoutComplaint(service), waitsForRoom: false }
  return { service: complain(tx, service, say.cannotPlace(service, explanation), deps), waitsForRoom: true }
}

/** With a strategy of capacity providers each gets its share; without one all tasks are of one kind. */
function launchAcrossProviders(
  tx: Transaction,
  service: ServiceRecord,
  primary: DeploymentRecord,
  definition: TaskDefinitionRecord,
  count: number,
  deps: ControlPlaneDeps,
): LaunchOutcome {
  const strategy = primary.capacityProviderStrategy
  if (strategy.length === 0) return launchTasks(tx, deps, serviceLaunch(service, primary, definition), count)
  const key = serviceKey(service.cluster, service.name)
  const existing = countByProvider(liveTasks(tx, key).filter(({ deploymentId }) => deploymentId === primary.id))
  const shares = new Map<string, number>()
  for (const provider of chooseCapacityProviders(strategy, count, existing))
    shares.set(provider, (shares.get(provider) ?? 0) + 1)
  const outcomes = Array.from(shares, ([provider, share]) =>
    launchTasks(tx, deps, serviceLaunch(service, primary, definition, provider), share),
  )
  const explanation = outcomes.find(({ unplaced }) => unplaced > 0)?.explanation
  return {
    tasks: outcomes.flatMap(({ tasks }) => tasks),
    unplaced: outcomes.reduce((sum, { unplaced }) => sum + unplaced, 0),
    ...(explanation && { explanation }),
  }
}

function countByProvider(tasks: readonly TaskRecord[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { capacityProviderName = '' } of tasks)
    counts.set(capacityProviderName, (counts.get(capacityProviderName) ?? 0) + 1)
  return counts
}

/** Says what stands in the way, unless it was said in these words not long ago. */
function complain(tx: Transaction, service: ServiceRecord, message: string, deps: ControlPlaneDeps): ServiceRecord {
  const now = deps.clock.now()
  const last = service.placementFailure
  if (last?.message === message && now - last.at < repeatComplaintAfterMs) return service
  appendServiceEvent(tx, deps, service, message)
  return { ...service, placementFailure: { message, at: now }, steady: false }
}

function withoutComplaint(service: ServiceRecord): ServiceRecord {
  if (!service.placementFailure) return service
  const { placementFailure: _, ...rest } = service
  return rest
}

/** What follows from where the service now stands: replaced deployments leave, a rollout completes, the state is steady, a deleted service ends. */
function settle(
  tx: Transaction,
  service: ServiceRecord,
  judged: readonly ServiceTask[],
  moves: number,
  deps: ControlPlaneDeps,
): ServiceRecord {
  const key = serviceKey(service.cluster, service.name)
  const now = deps.clock.now()
  const unsettled = Array.from(tx.tables.tasks.by('serviceUnsettled', key))
  const settled = dropEmptyDeployments(service, unsettled)
  if (settled.status === 'DRAINING') {
    return unsettled.every(isStopping) ? { ...settled, status: 'INACTIVE', deployments: [], steady: false } : settled
  }
  const primary = primaryDeployment(settled)
  const running = unsettled.filter((task) => task.lastStatus === 'RUNNING' && task.desiredStatus === 'RUNNING')
  const healthy = judged.filter((each) => each.healthy && !each.replace && each.task.deploymentId === primary?.id)
  const arrived =
    primary !== undefined &&
    moves === 0 &&
    settled.deployments.length === 1 &&
    running.length === settled.desiredCount &&
    healthy.length === settled.desiredCount
  if (!arrived) return settled.steady && moves > 0 ? { ...settled, steady: false } : settled
  if (settled.steady && primary.rolloutState === 'COMPLETED') return settled
  return announceSteady(tx, settled, primary, now, deps)
}

function announceSteady(
  tx: Transaction,
  service: ServiceRecord,
  primary: DeploymentRecord,
  now: number,
  deps: ControlPlaneDeps,
): ServiceRecord {
  const completes = primary.rolloutState !== 'COMPLETED'
  if (completes) appendServiceEvent(tx, deps, service, say.deploymentCompleted(service, primary))
  appendServiceEvent(tx, deps, service, say.steadyState(service))
  const rolledOut = completes
    ? changeDeployment(
        service,
        primary.id,
        { rolloutState: 'COMPLETED', rolloutStateReason: say.rolloutCompleted(primary) },
        now,
      )
    : service
  return { ...withoutComplaint(rolledOut), steady: true }
}

/** A replaced deployment is listed until its last task is on its way out. */
function dropEmptyDeployments(service: ServiceRecord, unsettled: readonly TaskRecord[]): ServiceRecord {
  const inUse = new Set(unsettled.filter((task) => !isStopping(task)).map((task) => task.deploymentId))
  const empty = service.deployments.filter(({ id, status }) => status !== 'PRIMARY' && !inUse.has(id))
  return empty.length === 0 ? service : removeDeployments(service, new Set(empty.map(({ id }) => id)))
}

const isStopping = (task: TaskRecord): boolean => taskStatusRank[task.lastStatus] >= taskStatusRank.STOPPING

/** When time alone changes something: a task has run long enough to count, the throttle ends, placement is tried again. */
function nextLook(
  judged: readonly ServiceTask[],
  launch: LaunchStep,
  now: number,
  deps: ControlPlaneDeps,
): number | undefined {
  const looks: number[] = []
  for (const { task, healthy } of judged)
    if (
      !healthy &&
      task.lastStatus === 'RUNNING' &&
      task.startedAt !== undefined &&
      now - task.startedAt < deps.settings.settleMs
    )
      looks.push(task.startedAt + deps.settings.settleMs - now)
  if (launch.throttledUntil !== undefined) looks.push(launch.throttledUntil - now)
  if (launch.waitsForRoom) looks.push(placementRetryMs)
  return looks.length === 0 ? undefined : Math.max(1, Math.min(...looks))
}
