import { taskStatusRank } from '@berth/shared/task-status.ts'
import type { Transaction } from '../cell/cell.ts'
import { type DeploymentRecord, type ServiceRecord, serviceKey, type TaskRecord } from '../cell/records.ts'
import { appendServiceEvent, changeDeployment, primaryDeployment, removeDeployments } from '../cell/service-changes.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import { withoutComplaint } from './service-launching.ts'
import type { ServiceTask } from './service-plan.ts'
import * as say from './service-sentences.ts'

interface Moves {
  readonly start: number
  readonly stop: readonly TaskRecord[]
  /** Whether the deployment waits at a lifecycle hook, and cannot complete. */
  readonly held: boolean
}

/** What follows from where the service now stands: replaced deployments leave, a rollout completes, the state is steady, a deleted service ends. */
export function settle(
  tx: Transaction,
  service: ServiceRecord,
  judged: readonly ServiceTask[],
  { start, stop, held }: Moves,
  deps: ControlPlaneDeps,
): ServiceRecord {
  const unsettled = Array.from(tx.tables.tasks.by('serviceUnsettled', serviceKey(service.cluster, service.name)))
  // While the new one waits the one before is kept up, with or without tasks.
  const settled = held ? service : dropEmptyDeployments(service, unsettled)
  if (settled.status === 'DRAINING') return unsettled.every(isStopping) ? ended(settled) : settled
  const primary = primaryDeployment(settled)
  if (!primary) return settled
  const moves = start + stop.length
  const arrived = moves === 0 && hasArrived(settled, primary, unsettled, judged)
  const succeeds = !held && (succeedsEarly(settled, primary, judged) ?? arrived)
  const rolledOut = succeeds ? completeAfterBaking(tx, settled, primary, deps) : settled
  if (arrived && primaryDeployment(rolledOut)?.rolloutState === 'COMPLETED') return becomeSteady(tx, rolledOut, deps)
  return rolledOut.steady && moves > 0 ? { ...rolledOut, steady: false } : rolledOut
}

function ended(service: ServiceRecord): ServiceRecord {
  const all = new Set(service.deployments.map(({ id }) => id))
  return { ...removeDeployments(service, all), status: 'INACTIVE', steady: false }
}

/** When a deployment that only waits for its bake time may complete; nothing while there is none, or no such time. */
export function bakedAt(service: ServiceRecord): number | undefined {
  const primary = primaryDeployment(service)
  if (primary?.rolloutState !== 'IN_PROGRESS' || primary.bakingSince === undefined) return undefined
  return primary.bakingSince + bakeMsOf(service)
}

/** Whether all tasks that are wanted run, healthy, of the one deployment that there is. A deployment that failed never arrives. */
function hasArrived(
  service: ServiceRecord,
  primary: DeploymentRecord,
  unsettled: readonly TaskRecord[],
  judged: readonly ServiceTask[],
): boolean {
  const running = unsettled.filter((task) => task.lastStatus === 'RUNNING' && task.desiredStatus === 'RUNNING')
  const healthy = judged.filter((each) => each.healthy && !each.replace && each.task.deploymentId === primary.id)
  return (
    primary.rolloutState !== 'FAILED' &&
    service.deployments.length === 1 &&
    running.length === service.desiredCount &&
    healthy.length === service.desiredCount
  )
}

/**
 * Whether enough tasks of the primary deployment are healthy for it to have succeeded by the service's early success criteria; nothing where
 * it has none. Old tasks must be gone first, unless their removal is DEFERRED.
 */
function succeedsEarly(
  service: ServiceRecord,
  primary: DeploymentRecord,
  judged: readonly ServiceTask[],
): boolean | undefined {
  const { earlySuccessCriteria: criteria } = service.deploymentConfiguration
  if (criteria?.enable !== true) return undefined
  const mayLeaveOld = criteria.sourceServiceRevisionCleanup === 'DEFERRED' || service.deployments.length === 1
  return mayLeaveOld && enoughHealthy(service, primary, judged)
}

/** Whether as many tasks of a deployment are healthy as it needs to succeed: all that are wanted, or those of the early success criteria. */
export function enoughHealthy(
  { deploymentConfiguration: { earlySuccessCriteria: criteria }, desiredCount }: ServiceRecord,
  { id }: DeploymentRecord,
  judged: readonly ServiceTask[],
): boolean {
  const healthy = judged.filter((each) => each.healthy && !each.replace && each.task.deploymentId === id)
  const percent = criteria?.enable === true ? (criteria.healthyPercent ?? 100) : 100
  return healthy.length >= Math.ceil((desiredCount * percent) / 100)
}

const bakeMsOf = ({ deploymentConfiguration }: ServiceRecord): number =>
  (deploymentConfiguration.bakeTimeInMinutes ?? 0) * 60_000

/** During the bake time the circuit breaker still watches. */
function completeAfterBaking(
  tx: Transaction,
  service: ServiceRecord,
  primary: DeploymentRecord,
  deps: ControlPlaneDeps,
): ServiceRecord {
  if (primary.rolloutState !== 'IN_PROGRESS') return service
  const now = deps.clock.now()
  if (now >= (primary.bakingSince ?? now) + bakeMsOf(service)) return complete(tx, service, primary, deps)
  return primary.bakingSince === undefined ? changeDeployment(service, primary.id, { bakingSince: now }, now) : service
}

function becomeSteady(tx: Transaction, service: ServiceRecord, deps: ControlPlaneDeps): ServiceRecord {
  if (service.steady) return service
  appendServiceEvent(tx, deps, service, say.steadyState(service))
  return { ...withoutComplaint(service), steady: true }
}

function complete(
  tx: Transaction,
  service: ServiceRecord,
  primary: DeploymentRecord,
  deps: ControlPlaneDeps,
): ServiceRecord {
  const now = deps.clock.now()
  appendServiceEvent(tx, deps, service, say.deploymentCompleted(service, primary))
  const rolloutStateReason = say.rolloutCompleted(primary)
  const completed = changeDeployment(service, primary.id, { rolloutState: 'COMPLETED', rolloutStateReason }, now)
  const deployment = primaryDeployment(completed)
  return deployment ? { ...completed, lastCompletedDeployment: deployment } : completed
}

/** A replaced deployment is listed until its last task is on its way out. */
function dropEmptyDeployments(service: ServiceRecord, unsettled: readonly TaskRecord[]): ServiceRecord {
  const inUse = new Set(unsettled.filter((task) => !isStopping(task)).map((task) => task.deploymentId))
  const empty = service.deployments.filter(({ id, status }) => status !== 'PRIMARY' && !inUse.has(id))
  return empty.length === 0 ? service : removeDeployments(service, new Set(empty.map(({ id }) => id)))
}

const isStopping = (task: TaskRecord): boolean => taskStatusRank[task.lastStatus] >= taskStatusRank.STOPPING
