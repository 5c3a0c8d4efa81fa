import type { DeploymentCircuitBreaker, ThresholdConfiguration } from '@aws-sdk/client-ecs'
import type { DeploymentRecord, ServiceRecord } from '../cell/records.ts'
import { primaryDeployment } from '../cell/service-changes.ts'
import { rollbackTarget } from '../cell/service-deployments.ts'

/** What ECS uses where a breaker names no threshold: half of the desired count. */
const defaultThreshold = { type: 'BOUNDED_PERCENT', value: 50 } as const satisfies ThresholdConfiguration

/** The bounds of `BOUNDED_PERCENT` (ECS API reference, ThresholdType). */
const leastBoundedThreshold = 3
const greatestBoundedThreshold = 200

const thresholds: Readonly<
  Record<NonNullable<ThresholdConfiguration['type']>, (value: number, desiredCount: number) => number>
> = {
  BOUNDED_PERCENT: (value, desiredCount) =>
    Math.min(greatestBoundedThreshold, Math.max(leastBoundedThreshold, percentOf(value, desiredCount))),
  UNBOUNDED_PERCENT: (value, desiredCount) => Math.max(1, percentOf(value, desiredCount)),
  COUNT: (value) => Math.max(1, value),
}

const percentOf = (percent: number, count: number): number => Math.ceil((percent * count) / 100)

/** How many tasks must fail for a deployment to have failed. At least 1, whatever the configuration. */
export function failureThreshold(
  { thresholdConfiguration }: Pick<DeploymentCircuitBreaker, 'thresholdConfiguration'>,
  desiredCount: number,
): number {
  const { type = defaultThreshold.type, value = defaultThreshold.value } = thresholdConfiguration ?? defaultThreshold
  return thresholds[type](value, desiredCount)
}

/** Whether a task that comes to be healthy ends the count of failures before it. ECS's default is that it does. */
export const resetsOnHealthyTask = ({ deploymentConfiguration }: Pick<ServiceRecord, 'deploymentConfiguration'>) =>
  deploymentConfiguration.deploymentCircuitBreaker?.resetOnHealthyTask ?? true

/** What the circuit breaker makes of a service's PRIMARY deployment. */
export type BreakerVerdict =
  | { readonly kind: 'holds' }
  /** The deployment has failed, and there is nothing to go back to, or nobody asked for that. */
  | { readonly kind: 'fails' }
  | { readonly kind: 'rolls back'; readonly target: DeploymentRecord }

/**
 * Judges a deployment by the failures that were counted. One that completed, or failed before, is judged no more; a rollback goes to the last
 * deployment that completed, and so never onto itself: when that one fails as well, it has failed.
 */
export function judgeDeployment(
  service: Pick<
    ServiceRecord,
    'deployments' | 'lastCompletedDeployment' | 'deploymentConfiguration' | 'desiredCount' | 'status'
  >,
): BreakerVerdict {
  const breaker = service.deploymentConfiguration.deploymentCircuitBreaker
  const primary = primaryDeployment(service)
  if (breaker?.enable !== true || primary?.rolloutState !== 'IN_PROGRESS' || service.status !== 'ACTIVE')
    return { kind: 'holds' }
  if ((primary.breakerFailures ?? 0) < failureThreshold(breaker, service.desiredCount)) return { kind: 'holds' }
  const target = breaker.rollback === true ? rollbackTarget(service, primary) : undefined
  return target === undefined ? { kind: 'fails' } : { kind: 'rolls back', target }
}
