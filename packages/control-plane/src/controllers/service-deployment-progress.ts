import type { Transaction } from '../cell/cell.ts'
import type { DeploymentRecord, ServiceDeploymentRecord, ServiceRecord } from '../cell/records.ts'
import { primaryDeployment } from '../cell/service-changes.ts'
import {
  currentServiceDeployment,
  isUnfinished,
  putServiceDeployment,
  revisionIdOf,
} from '../cell/service-deployments.ts'
import { failureThreshold } from './circuit-breaker.ts'

/** Brings the record of a service's current service deployment in step with where the service has come. */
export function followServiceDeployment(tx: Transaction, service: ServiceRecord, now: number): void {
  const current = currentServiceDeployment(tx.tables, service)
  if (current === undefined || !isUnfinished(current)) return
  const next = serviceDeploymentAfter(current, service, now)
  if (JSON.stringify(next) !== JSON.stringify(current)) putServiceDeployment(tx, { ...next, updatedAt: now })
}

/**
 * What a service deployment that goes on has come to: read off the deployment that is PRIMARY now, and its rollout. Another one than the
 * target being PRIMARY means that it is rolled back.
 */
export function serviceDeploymentAfter(
  current: ServiceDeploymentRecord,
  service: ServiceRecord,
  now: number,
): ServiceDeploymentRecord {
  const primary = primaryDeployment(service)
  if (primary === undefined || service.status !== 'ACTIVE')
    return ended(current, 'STOPPED', 'The service is being deleted.', now)
  const begun = { ...current, startedAt: current.startedAt ?? now }
  const onTarget = revisionIdOf(primary) === current.targetRevision
  const withBreaker = { ...begun, circuitBreaker: breakerOf(begun, service, onTarget) }
  return onTarget ? towardsTarget(withBreaker, primary, now) : rolledBack(withBreaker, primary, now)
}

function towardsTarget(
  current: ServiceDeploymentRecord,
  primary: DeploymentRecord,
  now: number,
): ServiceDeploymentRecord {
  if (primary.rolloutState === 'COMPLETED')
    return {
      ...ended(current, 'SUCCESSFUL', undefined, now),
      ...(current.lifecycleStage && { lifecycleStage: 'CLEAN_UP' }),
    }
  if (primary.rolloutState === 'FAILED') return ended(current, 'STOPPED', primary.rolloutStateReason, now)
  return current.status === 'PENDING' ? { ...current, status: 'IN_PROGRESS' } : current
}

function rolledBack(current: ServiceDeploymentRecord, primary: DeploymentRecord, now: number): ServiceDeploymentRecord {
  const reason = primary.rolloutStateReason
  const rollback = current.rollback ?? { reason, startedAt: now, revision: revisionIdOf(primary) }
  const back = { ...current, rollback }
  if (primary.rolloutState === 'COMPLETED') return ended(back, 'ROLLBACK_SUCCESSFUL', rollback.reason, now)
  if (primary.rolloutState === 'FAILED') return ended(back, 'ROLLBACK_FAILED', reason, now)
  return { ...back, status: 'ROLLBACK_IN_PROGRESS', statusReason: rollback.reason }
}

function ended(
  current: ServiceDeploymentRecord,
  status: 'SUCCESSFUL' | 'STOPPED' | 'ROLLBACK_SUCCESSFUL' | 'ROLLBACK_FAILED',
  statusReason: string | undefined,
  now: number,
): ServiceDeploymentRecord {
  const breaker = current.circuitBreaker
  return {
    ...current,
    status,
    ...(statusReason !== undefined && { statusReason }),
    ...(breaker.status === 'MONITORING' && { circuitBreaker: { ...breaker, status: 'MONITORING_COMPLETE' } }),
    ...(status === 'STOPPED' && { stoppedAt: now }),
    finishedAt: now,
  }
}

/** The breaker watches the way to the target; what it counted stays when that was given up. */
function breakerOf(
  { circuitBreaker: before, targetRevision, status }: ServiceDeploymentRecord,
  service: ServiceRecord,
  onTarget: boolean,
): ServiceDeploymentRecord['circuitBreaker'] {
  const breaker = service.deploymentConfiguration.deploymentCircuitBreaker
  const target = service.deployments.find((each) => revisionIdOf(each) === targetRevision)
  if (before.status === 'TRIGGERED') return before
  if (breaker?.enable !== true) return { status: 'DISABLED', failureCount: 0, threshold: 0 }
  const threshold = failureThreshold(breaker, service.desiredCount)
  const asked = status === 'ROLLBACK_REQUESTED' || status === 'ROLLBACK_IN_PROGRESS' || status === 'STOP_REQUESTED'
  const gaveUp = !onTarget || target?.rolloutState === 'FAILED'
  if (gaveUp && !asked)
    return { status: 'TRIGGERED', failureCount: Math.max(threshold, target?.breakerFailures ?? 0), threshold }
  return {
    status: gaveUp ? 'MONITORING_COMPLETE' : 'MONITORING',
    failureCount: target?.breakerFailures ?? 0,
    threshold,
  }
}
