import type { Transaction } from '../cell/cell.ts'
import { type DeploymentRecord, type ServiceRecord, serviceKey, type TaskRecord } from '../cell/records.ts'
import { appendServiceEvent, changeDeployment } from '../cell/service-changes.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import { cannotStartConsistently } from './service-sentences.ts'

/** How many tasks in a row must fail to start before a service says so. */
const failuresBeforeComplaint = 3

/**
 * Takes note of tasks of the service that ended, each once, and counts those of the running deployment that failed. A task that never ran
 * makes the next one wait, longer each time; one that ran and ended is replaced at once (ECS developer guide, "Service throttle logic").
 */
export function noticeEnds(tx: Transaction, service: ServiceRecord, deps: ControlPlaneDeps): ServiceRecord {
  let result = service
  for (const task of tx.tables.tasks.by('serviceUnsettled', serviceKey(service.cluster, service.name))) {
    if (task.lastStatus !== 'STOPPED') continue
    tx.put('tasks', task.id, { ...task, endNoticed: true })
    const deployment = result.deployments.find(({ id }) => id === task.deploymentId)
    if (deployment && hasFailed(task)) result = countFailure(tx, result, deployment, task, deps)
  }
  return result
}

/** Ended although nobody asked it to. */
const hasFailed = (task: TaskRecord): boolean =>
  task.stopCode === 'TaskFailedToStart' || task.stopCode === 'EssentialContainerExited'

function countFailure(
  tx: Transaction,
  service: ServiceRecord,
  deployment: DeploymentRecord,
  task: TaskRecord,
  deps: ControlPlaneDeps,
): ServiceRecord {
  const now = deps.clock.now()
  const failedTasks = deployment.failedTasks + 1
  if (task.startedAt !== undefined) return changeDeployment(service, deployment.id, { failedTasks }, now)
  const { baseMs, maxMs } = deps.settings.restartThrottle
  const throttleSteps = deployment.throttleSteps + 1
  const wait = Math.min(maxMs, baseMs * 2 ** Math.min(throttleSteps - 1, 30))
  if (failedTasks === failuresBeforeComplaint) appendServiceEvent(tx, deps, service, cannotStartConsistently(service))
  return changeDeployment(service, deployment.id, { failedTasks, throttleSteps, notBefore: now + wait }, now)
}
