import { taskStatusRank } from '@berth/shared/task-status.ts'
import type { Transaction } from '../cell/cell.ts'
import { clusterSettingsOf } from '../cell/cluster-settings.ts'
import { ofServiceKey, serviceKey, type ServiceRecord, type TaskRecord, type TaskSetRecord } from '../cell/records.ts'
import { appendServiceEvent } from '../cell/service-changes.ts'
import { taskDefinitionOfArn } from '../cell/service-launch.ts'
import { stopTask } from '../cell/task-changes.ts'
import { computedDesiredCount, deleteTaskSet, putTaskSet, taskSetsOf } from '../cell/task-sets.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import { launchAcrossProviders } from './provider-shares.ts'
import { failuresAfter, failuresEnded, hasFailed } from './restart-throttle.ts'
import { scaleInOrder } from './scale-in-order.ts'
import { failuresBeforeComplaint } from './service-failures.ts'
import { wasSaid } from './service-launching.ts'
import { planService, type ServicePlan, type ServiceTask } from './service-plan.ts'
import * as say from './service-sentences.ts'
import { liveTasks, nothingToDo, placementRetryMs, type StepOutcome } from './service-step.ts'
import { judgeTask, unprotected } from './service-task.ts'

/**
 * One step of a service with task sets, whole: each set is brought to its share of the desired count for itself, since which of them is to
 * have how much is the external controller's to say.
 */
export function stepTaskSets(tx: Transaction, key: string, deps: ControlPlaneDeps): StepOutcome {
  const service = tx.tables.services.get(key)
  if (!service || service.status === 'INACTIVE' || service.deploymentController !== 'EXTERNAL') return nothingToDo
  const now = deps.clock.now()
  noticeEnds(tx, service, deps)
  const settleMs = clusterSettingsOf(tx.tables.clusters.get(service.cluster)).settleMs ?? deps.settings.settleMs
  const judged = liveTasks(tx.tables, key).map((task) => judgeTask(task, service, tx.tables.hosts, { settleMs }, now))
  const bySet = Map.groupBy(judged, ({ task }) => task.deploymentId ?? '')
  const steps = taskSetsOf(tx.tables, service).map((set) =>
    stepTaskSet(tx, service, set, bySet.get(set.id) ?? [], deps),
  )
  settleService(tx, service, deps)
  const looks = [
    ...judged.flatMap(({ changesAt }) => changesAt ?? []),
    ...steps.flatMap(({ throttledUntil }) => throttledUntil ?? []),
  ].map((at) => at - now)
  const waitsForRoom = steps.some((step) => step.waitsForRoom)
  if (waitsForRoom) looks.push(placementRetryMs)
  return { waitsForRoom, lookAgainInMs: looks.length === 0 ? undefined : Math.max(1, Math.min(...looks)) }
}

/** Takes note of tasks that ended, each once, and counts those that failed for their set. */
function noticeEnds(tx: Transaction, service: ServiceRecord, deps: ControlPlaneDeps): void {
  const key = serviceKey(service.cluster, service.name)
  for (const task of tx.tables.tasks.by('serviceUnsettled', key)) {
    if (task.lastStatus !== 'STOPPED') continue
    tx.put('tasks', task.id, { ...task, endNoticed: true })
    const set = tx.tables.taskSets.get(ofServiceKey(key, task.deploymentId ?? ''))
    if (set === undefined || !hasFailed(task)) continue
    const failures = failuresAfter(set, task, deps.settings.restartThrottle, deps.clock.now())
    putTaskSet(tx, { ...set, ...failures })
    if (task.startedAt === undefined && failures.failedTasks === failuresBeforeComplaint)
      appendServiceEvent(tx, deps, service, say.cannotStartConsistently(service))
  }
}

interface TaskSetStep {
  readonly waitsForRoom: boolean
  readonly throttledUntil?: number | undefined
}

interface TaskSetLaunch extends TaskSetStep {
  /** What stands in the way of tasks that are missing, as it was last said. */
  readonly complaint?: TaskSetRecord['placementFailure']
}

function stepTaskSet(
  tx: Transaction,
  service: ServiceRecord,
  before: TaskSetRecord,
  tasks: readonly ServiceTask[],
  deps: ControlPlaneDeps,
): TaskSetStep {
  const now = deps.clock.now()
  const ran = tasks.some(({ task }) => task.lastStatus === 'RUNNING')
  const set = ran ? { ...before, ...failuresEnded(before) } : before
  for (const { task, healthy } of tasks)
    if (healthy && task.healthyAt === undefined) tx.put('tasks', task.id, { ...task, healthyAt: now })
  const desiredCount = service.status === 'DRAINING' ? 0 : computedDesiredCount(service, set)
  const plan = planTaskSet(service, set, desiredCount, tasks, tx)
  stopTasks(tx, service, set, plan.stop, deps)
  const { complaint, ...step } = launch(tx, service, set, plan, tasks, deps)
  const stable = plan.start === 0 && plan.stop.length === 0 && isStable(desiredCount, tasks)
  const { placementFailure: _said, ...rest } = set
  const after: TaskSetRecord = {
    ...rest,
    ...(stable !== set.stable && { stable, stabilityAt: now }),
    ...(complaint !== undefined && { placementFailure: complaint }),
  }
  if (JSON.stringify(after) !== JSON.stringify(before)) putTaskSet(tx, after)
  return step
}

/** Within a set the percentages are ECS's defaults: only tasks on draining hosts and those that fail their health check are replaced. */
function planTaskSet(
  service: ServiceRecord,
  set: TaskSetRecord,
  desiredCount: number,
  tasks: readonly ServiceTask[],
  tx: Transaction,
): ServicePlan {
  return planService(
    { desiredCount, primaryDeploymentId: set.id, minimumHealthyPercent: 100, maximumPercent: 200 },
    service.status === 'DRAINING' ? tasks.map(unprotected) : tasks,
    scaleInOrder(service, tx.fleet),
  )
}

function stopTasks(
  tx: Transaction,
  service: ServiceRecord,
  set: TaskSetRecord,
  tasks: readonly TaskRecord[],
  deps: ControlPlaneDeps,
): void {
  if (tasks.length === 0) return
  const cause = { code: 'ServiceSchedulerInitiated', reason: say.scalingActivity(set) } as const
  for (const { id } of tasks) {
    const task = tx.tables.tasks.get(id) as TaskRecord
    tx.put('tasks', id, stopTask(task, cause, deps.clock.now()))
  }
  appendServiceEvent(tx, deps, service, say.taskSetStoppedTasks(service, set, tasks))
}

/** Starts what is missing, unless the restart throttle says to wait, and says what found no place. */
function launch(
  tx: Transaction,
  service: ServiceRecord,
  set: TaskSetRecord,
  { start }: ServicePlan,
  tasks: readonly ServiceTask[],
  deps: ControlPlaneDeps,
): TaskSetLaunch {
  const now = deps.clock.now()
  if (start === 0) return { waitsForRoom: false }
  if (set.notBefore !== undefined && set.notBefore > now)
    return { waitsForRoom: false, throttledUntil: set.notBefore, complaint: set.placementFailure }
  const definition = taskDefinitionOfArn(tx.tables, set.taskDefinitionArn)
  if (!definition) return { waitsForRoom: false }
  const outcome = launchAcrossProviders({ tx, deps, service, source: set, tasks }, definition, start)
  if (outcome.tasks.length > 0)
    appendServiceEvent(tx, deps, service, say.taskSetStartedTasks(service, set, outcome.tasks))
  if (outcome.unplaced === 0) return { waitsForRoom: false }
  const message = say.cannotPlace(service, outcome.explanation)
  if (wasSaid(set.placementFailure, message, now)) return { waitsForRoom: true, complaint: set.placementFailure }
  appendServiceEvent(tx, deps, service, message)
  return { waitsForRoom: true, complaint: { message, at: now } }
}

/** ECS's four conditions of `STEADY_STATE`; a task without a health check is healthy when it has run for the settle time. */
const isStable = (desiredCount: number, tasks: readonly ServiceTask[]): boolean =>
  tasks.length === desiredCount && tasks.every(({ healthy, replace }) => healthy && !replace)

/** What follows from where the sets now stand: those that were deleted go, a steady state is said once, a deleted service ends. */
function settleService(tx: Transaction, service: ServiceRecord, deps: ControlPlaneDeps): void {
  const key = serviceKey(service.cluster, service.name)
  const busy = new Set<string | undefined>()
  for (const task of tx.tables.tasks.by('serviceUnsettled', key))
    if (taskStatusRank[task.lastStatus] < taskStatusRank.STOPPING) busy.add(task.deploymentId)
  const sets = taskSetsOf(tx.tables, service)
  const ends = service.status === 'DRAINING'
  for (const set of sets) if ((ends || set.status === 'DRAINING') && !busy.has(set.id)) deleteTaskSet(tx, set)
  if (ends) {
    if (busy.size === 0) tx.put('services', key, { ...service, status: 'INACTIVE', steady: false })
    return
  }
  const steady = sets.length > 0 && sets.every(({ stable, status }) => stable && status !== 'DRAINING')
  if (steady === service.steady) return
  if (steady) appendServiceEvent(tx, deps, service, say.steadyState(service))
  tx.put('services', key, { ...service, steady })
}
