import type { Transaction } from '../cell/cell.ts'
import { type DeploymentRecord, type ServiceRecord, serviceKey, type TaskRecord } from '../cell/records.ts'
import { appendServiceEvent, changeDeployment, primaryDeployment } from '../cell/service-changes.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import { resetsOnHealthyTask } from './circuit-breaker.ts'
import { failuresAfter, failuresEnded, hasFailed } from './restart-throttle.ts'
import type { ServiceTask } from './service-plan.ts'
import { cannotStartConsistently, failedHealthChecks } from './service-sentences.ts'

/** How many tasks in a row must fail to start before a service says so. */
export const failuresBeforeComplaint = 3

/**
 * Takes note of tasks of the service that ended, each once, and counts those of the running deployment that failed.
 */
export function noticeEnds(tx: Transaction, service: ServiceRecord, deps: ControlPlaneDeps): ServiceRecord {
  let result = service
  for (const task of tx.tables.tasks.by('serviceUnsettled', serviceKey(service.cluster, service.name))) {
    if (task.lastStatus !== 'STOPPED') continue
    tx.put('tasks', task.id, { ...task, endNoticed: true })
    const deployment = result.deployments.find(({ id }) => id === task.deploymentId)
    if (deployment && hasFailed(task) && !wasOnTrial(task)) result = countFailure(tx, result, deployment, task, deps)
  }
  return result
}

/** The new task of a move is on trial: what it was to replace runs on, and no deployment has failed. */
const wasOnTrial = ({ move }: TaskRecord): boolean =>
  move !== undefined && move.outcome !== 'moved' && move.outcome !== 'kept'

function countFailure(
  tx: Transaction,
  service: ServiceRecord,
  deployment: DeploymentRecord,
  task: TaskRecord,
  deps: ControlPlaneDeps,
): ServiceRecord {
  const now = deps.clock.now()
  const counts = {
    ...failuresAfter(deployment, task, deps.settings.restartThrottle, now),
    ...(task.healthyAt === undefined && breakerCount(deployment, 1)),
  }
  if (task.startedAt === undefined && counts.failedTasks === failuresBeforeComplaint)
    appendServiceEvent(tx, deps, service, cannotStartConsistently(service))
  return changeDeployment(service, deployment.id, counts, now)
}

const breakerCount = ({ breakerFailures = 0 }: DeploymentRecord, more: number) => ({
  breakerFailures: breakerFailures + more,
})

/**
 * Takes note of tasks that came to be healthy, or whose health check came to fail, each once: the one ends the circuit breaker's count, where
 * the service has it so, and the other adds to it. A task that runs ends the count of failures in a row, and the throttle.
 */
export function noticeHealth(
  tx: Transaction,
  service: ServiceRecord,
  judged: readonly ServiceTask[],
  deps: ControlPlaneDeps,
): ServiceRecord {
  const now = deps.clock.now()
  const proven = judged.filter(({ task, healthy }) => healthy && task.healthyAt === undefined)
  const failing = judged.filter(({ task, unhealthy }) => unhealthy && task.unhealthyAt === undefined)
  for (const { task } of proven) tx.put('tasks', task.id, { ...task, healthyAt: now })
  for (const { task } of failing) {
    tx.put('tasks', task.id, { ...task, unhealthyAt: now })
    appendServiceEvent(tx, deps, service, failedHealthChecks(service, task))
  }
  const primary = primaryDeployment(service)
  if (!primary) return service
  const ofPrimary = ({ task }: ServiceTask) => task.deploymentId === primary.id
  const changes: Partial<DeploymentRecord> = {
    ...countAfter(primary, failing.filter(ofPrimary).length, proven.some(ofPrimary) && resetsOnHealthyTask(service)),
    ...(judged.some((each) => ofPrimary(each) && each.task.lastStatus === 'RUNNING') && failuresEnded(primary)),
  }
  return Object.keys(changes).length === 0 ? service : changeDeployment(service, primary.id, changes, now)
}

function countAfter(primary: DeploymentRecord, failed: number, reset: boolean): Partial<DeploymentRecord> {
  const before = reset ? 0 : (primary.breakerFailures ?? 0)
  return before + failed === (primary.breakerFailures ?? 0) ? {} : { breakerFailures: before + failed }
}
