import type { Transaction } from '../cell/cell.ts'
import type { DeploymentRecord, ServiceRecord } from '../cell/records.ts'
import { appendServiceEvent, changeDeployment, primaryDeployment, returnToDeployment } from '../cell/service-changes.ts'
import { currentServiceDeployment, rollbackTarget } from '../cell/service-deployments.ts'
import { taskDefinitionOfArn } from '../cell/service-launch.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import { judgeDeployment } from './circuit-breaker.ts'
import * as say from './service-sentences.ts'

/** Does what the circuit breaker says: a deployment that failed is marked so, and the one before comes back where that is asked for. */
export function applyCircuitBreaker(tx: Transaction, service: ServiceRecord, deps: ControlPlaneDeps): ServiceRecord {
  const verdict = judgeDeployment(service)
  const primary = primaryDeployment(service)
  if (verdict.kind === 'holds' || !primary) return service
  appendServiceEvent(tx, deps, service, say.deploymentFailed(service, primary))
  const failed = failDeployment(service, primary, say.breakerTripped, deps)
  // What a deployment was made from may have been deleted since: then there is nothing to go back to.
  const canRollBack = verdict.kind === 'rolls back' && taskDefinitionOfArn(tx.tables, verdict.target.taskDefinitionArn)
  return canRollBack ? rollBack(tx, failed, verdict.target, say.breakerRollsBack(verdict.target), deps) : failed
}

/** Does what a user, or a lifecycle hook whose time is over, asked of the deployment that goes on: to stop it where it is, or to go back. */
export function applyStopRequest(tx: Transaction, service: ServiceRecord, deps: ControlPlaneDeps): ServiceRecord {
  const { status, statusReason = say.stoppedByUser } = currentServiceDeployment(tx.tables, service) ?? {}
  const primary = primaryDeployment(service)
  if ((status !== 'STOP_REQUESTED' && status !== 'ROLLBACK_REQUESTED') || primary?.rolloutState !== 'IN_PROGRESS')
    return service
  const stopped = failDeployment(service, primary, statusReason, deps)
  const target = status === 'ROLLBACK_REQUESTED' ? rollbackTarget(service, primary) : undefined
  return target ? rollBack(tx, stopped, target, say.rollsBackFor(statusReason, target), deps) : stopped
}

function failDeployment(
  service: ServiceRecord,
  primary: DeploymentRecord,
  rolloutStateReason: string,
  deps: ControlPlaneDeps,
): ServiceRecord {
  return changeDeployment(service, primary.id, { rolloutState: 'FAILED', rolloutStateReason }, deps.clock.now())
}

function rollBack(
  tx: Transaction,
  service: ServiceRecord,
  target: DeploymentRecord,
  reason: string,
  deps: ControlPlaneDeps,
): ServiceRecord {
  appendServiceEvent(tx, deps, service, say.rollingBack(service, target))
  return returnToDeployment(service, target, reason, deps.clock.now())
}
