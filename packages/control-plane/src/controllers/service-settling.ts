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
}

/** What follows from where the service now stands: replaced deployments leave, a rollout completes, the state is steady, a deleted service ends. */
export function settle(
  tx: Transaction,
  service: ServiceRecord,
  judged: readonly ServiceTask[],
  { start, stop }: Moves,
  deps: ControlPlaneDeps,
): ServiceRecord {
  const unsettled = Array.from(tx.tables.tasks.by('serviceUnsettled', serviceKey(service.cluster, service.name)))
  const settled = dropEmptyDeployments(service, unsettled)
  if (settled.status === 'DRAINING')
    return unsettled.every(isStopping) ? { ...settled, status: 'INACTIVE', deployments: [], steady: false } : settled
  const moves = start + stop.length
  const primary = primaryDeployment(settled)
  if (!primary || moves > 0 || !hasArrived(settled, primary, unsettled, judged))
    return settled.steady && moves > 0 ? { ...settled, steady: false } : settled
  if (settled.steady && primary.rolloutState === 'COMPLETED') return settled
  return announceSteady(tx, settled, primary, deps)
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

function announceSteady(
  tx: Transaction,
  service: ServiceRecord,
  primary: DeploymentRecord,
  deps: ControlPlaneDeps,
): ServiceRecord {
  const completes = primary.rolloutState !== 'COMPLETED'
  if (completes) appendServiceEvent(tx, deps, service, say.deploymentCompleted(service, primary))
  appendServiceEvent(tx, deps, service, say.steadyState(service))
  const rolledOut = completes ? complete(service, primary, deps.clock.now()) : service
  return { ...withoutComplaint(rolledOut), steady: true }
}

function complete(service: ServiceRecord, primary: DeploymentRecord, now: number): ServiceRecord {
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
