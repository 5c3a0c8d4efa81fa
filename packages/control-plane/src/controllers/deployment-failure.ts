import type { Transaction } from '../cell/cell.ts'
import type { DeploymentRecord, ServiceRecord } from '../cell/records.ts'
import { appendServiceEvent, changeDeployment, primaryDeployment, returnToDeployment } from '../cell/service-changes.ts'
import { taskDefinitionOfArn } from '../cell/service-launch.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import { judgeDeployment } from './circuit-breaker.ts'
import * as say from './service-sentences.ts'

/** Does what the circuit breaker says: a deployment that failed is marked so, and the one before comes back where that is asked for. */
export function applyCircuitBreaker(tx: Transaction, service: ServiceRecord, deps: ControlPlaneDeps): ServiceRecord {
  const verdict = judgeDeployment(service)
  const primary = primaryDeployment(service)
  if (verdict.kind === 'holds' || !primary) return service
  const failed = failDeployment(tx, service, primary, deps)
  // What a deployment was made from may have been deleted since: then there is nothing to go back to.
  const canRollBack = verdict.kind === 'rolls back' && taskDefinitionOfArn(tx.tables, verdict.target.taskDefinitionArn)
  return canRollBack ? rollBack(tx, failed, verdict.target, deps) : failed
}

function failDeployment(
  tx: Transaction,
  service: ServiceRecord,
  primary: DeploymentRecord,
  deps: ControlPlaneDeps,
): ServiceRecord {
  appendServiceEvent(tx, deps, service, say.deploymentFailed(service, primary))
  const failed = { rolloutState: 'FAILED', rolloutStateReason: say.breakerTripped } as const
  return changeDeployment(service, primary.id, failed, deps.clock.now())
}

function rollBack(
  tx: Transaction,
  service: ServiceRecord,
  target: DeploymentRecord,
  deps: ControlPlaneDeps,
): ServiceRecord {
  appendServiceEvent(tx, deps, service, say.rollingBack(service, target))
  return returnToDeployment(service, target, say.breakerRollsBack(target), deps.clock.now())
}
