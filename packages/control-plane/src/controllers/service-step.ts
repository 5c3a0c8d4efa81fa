import type { Transaction } from '../cell/cell.ts'
import { clusterSettingsOf } from '../cell/cluster-settings.ts'
import {
  type DeploymentRecord,
  serviceKey,
  type ServiceRecord,
  type TaskDefinitionRecord,
  type TaskRecord,
} from '../cell/records.ts'
import { appendServiceEvent, primaryDeployment, scaleService } from '../cell/service-changes.ts'
import type { Change, ReadonlyTables } from '../cell/tables.ts'
import { stopTask } from '../cell/task-changes.ts'
import type { LaunchOutcome } from '../cell/task-launch.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import { applyCircuitBreaker, applyStopRequest } from './deployment-failure.ts'
import { advanceLifecycle, holdOf } from './lifecycle-step.ts'
import { followServiceDeployment } from './service-deployment-progress.ts'
import { noticeEnds, noticeHealth } from './service-failures.ts'
import { complain, launchMissing, type LaunchStep } from './service-launching.ts'
import type { ServiceTask } from './service-plan.ts'
import * as say from './service-sentences.ts'
import { bakedAt, settle } from './service-settling.ts'
import { judgeTask } from './service-task.ts'

/** Room may also appear by what is not seen here: look again after this long. */
export const placementRetryMs = 30_000

/** What a scheduling strategy wants to happen to a service now. */
export interface ServiceMoves {
  /** How many tasks the service is to have: given by the user, or by its hosts. */
  readonly desiredCount: number
  readonly stop: readonly TaskRecord[]
  readonly start: number
  /** Launches what `start` counts. */
  readonly launch: (definition: TaskDefinitionRecord) => LaunchOutcome
  /** Whether the deployment configuration leaves no way on although something must change. */
  readonly blocked: boolean
}

/** What a step knows when it asks a scheduling strategy for its moves. */
export interface ServiceSituation {
  readonly tx: Transaction
  readonly service: ServiceRecord
  /** The deployment that tasks are to be of: the PRIMARY one, or that before it while it waits at a lifecycle hook. */
  readonly primary: DeploymentRecord
  /** Whether nothing of it is to start: it has failed, or waits and there is none before it. */
  readonly halted: boolean
  /** Tasks that are wanted and have not ended. */
  readonly tasks: readonly ServiceTask[]
  readonly deps: ControlPlaneDeps
}

/** What REPLICA and DAEMON do not have in common. */
export interface ServiceScheduling {
  readonly strategy: ServiceRecord['schedulingStrategy']
  /** Services that a change concerns, beside those that every strategy looks at. */
  alsoConcerned(change: Change, tables: ReadonlyTables): Iterable<string>
  moves(situation: ServiceSituation): ServiceMoves
}

export interface StepOutcome {
  readonly waitsForRoom: boolean
  readonly lookAgainInMs: number | undefined
}

export const nothingToDo: StepOutcome = { waitsForRoom: false, lookAgainInMs: undefined }

/** Which services a loop works on, and what it does to one of them. */
export interface ServiceWork {
  owns(service: ServiceRecord): boolean
  /** Services that a change concerns, beside those that every loop looks at. */
  alsoConcerned(change: Change, tables: ReadonlyTables): Iterable<string>
  /** One step of one service, whole. A service that is none of the loop's any more is left alone. */
  step(tx: Transaction, key: string, deps: ControlPlaneDeps): StepOutcome
}

/** The services of a scheduling strategy whose deployments Berth makes itself. */
export function scheduledBy(scheduling: ServiceScheduling): ServiceWork {
  const owns = ({ schedulingStrategy, deploymentController }: ServiceRecord): boolean =>
    schedulingStrategy === scheduling.strategy && deploymentController === 'ECS'
  return {
    owns,
    alsoConcerned: (change, tables) => scheduling.alsoConcerned(change, tables),
    step(tx, key, deps) {
      const service = tx.tables.services.get(key)
      return service && service.status !== 'INACTIVE' && owns(service)
        ? stepService(tx, service, deps, scheduling)
        : nothingToDo
    },
  }
}

/** One step of one service, whole: what ended is noted, tasks are stopped and started, and what there is to say is said. */
function stepService(
  tx: Transaction,
  before: ServiceRecord,
  deps: ControlPlaneDeps,
  scheduling: ServiceScheduling,
): StepOutcome {
  const key = serviceKey(before.cluster, before.name)
  const now = deps.clock.now()
  let service = noticeEnds(tx, before, deps)
  const settleMs = clusterSettingsOf(tx.tables.clusters.get(service.cluster)).settleMs ?? deps.settings.settleMs
  const tasks = liveTasks(tx.tables, key).map((task) => judgeTask(task, service, tx.tables.hosts, { settleMs }, now))
  service = applyCircuitBreaker(tx, noticeHealth(tx, service, tasks, deps), deps)
  advanceLifecycle(tx, service, tasks, deps)
  service = applyStopRequest(tx, service, deps)
  // A rollback may be over in this step, where nothing of the revision before had stopped: why it began is told now or never.
  if (primaryDeployment(service)?.id !== primaryDeployment(before)?.id) followServiceDeployment(tx, service, now)
  const hold = holdOf(tx, service)
  const primary = primaryDeployment(service)
  if (!primary) return nothingToDo

  const acting = hold?.acting ?? primary
  const halted = acting.rolloutState === 'FAILED' || (hold !== undefined && hold.acting === undefined)
  const moves = scheduling.moves({ tx, service, primary: acting, halted, tasks, deps })
  if (service.status === 'ACTIVE' && moves.desiredCount !== service.desiredCount)
    service = scaleService(service, moves.desiredCount, now)
  stopTasks(tx, service, acting, tasks, moves.stop, deps)
  const launch = launchMissing(tx, service, acting, moves, deps)
  service = launch.service
  if (moves.blocked) service = complain(tx, service, say.blockedByConfiguration(service), deps)

  service = settle(tx, service, tasks, { ...moves, held: hold !== undefined }, deps)
  followServiceDeployment(tx, service, now)
  if (service !== before) tx.put('services', key, service)
  return {
    waitsForRoom: launch.waitsForRoom,
    lookAgainInMs: nextLook(tasks, launch, [bakedAt(service), hold?.until], now),
  }
}

/** Tasks that are wanted and have not ended. */
export const liveTasks = (tables: ReadonlyTables, key: string): TaskRecord[] =>
  Array.from(tables.tasks.by('serviceUnsettled', key)).filter(
    (task) => task.desiredStatus === 'RUNNING' && task.lastStatus !== 'STOPPED',
  )

function stopTasks(
  tx: Transaction,
  service: ServiceRecord,
  primary: DeploymentRecord,
  judged: readonly ServiceTask[],
  tasks: readonly TaskRecord[],
  deps: ControlPlaneDeps,
): void {
  if (tasks.length === 0) return
  const unhealthy = new Set(judged.filter((each) => each.unhealthy).map(({ task }) => task.id))
  for (const { id } of tasks) {
    // What was noticed of the task in this step is in the table, not in what was judged.
    const task = tx.tables.tasks.get(id) as TaskRecord
    const reason = unhealthy.has(id) ? say.unhealthyTask : say.scalingActivity(primary)
    tx.put('tasks', id, stopTask(task, { code: 'ServiceSchedulerInitiated', reason }, deps.clock.now()))
  }
  appendServiceEvent(tx, deps, service, say.stoppedTasks(service, tasks))
}

/** When time alone changes something: how a task counts, the end of the throttle, the bake time or a pause, placement is tried again. */
function nextLook(
  judged: readonly ServiceTask[],
  launch: LaunchStep,
  ends: readonly (number | undefined)[],
  now: number,
): number | undefined {
  const looks = judged.flatMap(({ changesAt }) => (changesAt === undefined ? [] : [changesAt - now]))
  if (launch.throttledUntil !== undefined) looks.push(launch.throttledUntil - now)
  for (const end of ends) if (end !== undefined && end > now) looks.push(end - now)
  if (launch.waitsForRoom) looks.push(placementRetryMs)
  return looks.length === 0 ? undefined : Math.max(1, Math.min(...looks))
}
