import type { PlacementConstraint, PlacementStrategy } from '@aws-sdk/client-ecs'
import type { ServiceRecord } from '../../cell/records.ts'
import type { LaunchType } from '../../cell/task-demand.ts'
import { invalidParameter } from '../errors.ts'

/** Seconds: the greatest 32-bit integer, ECS's own limit. */
const gracePeriodAtMost = 2_147_483_647

/** @throws InvalidParameterException for a grace period that ECS does not take. */
export function assertGracePeriod(seconds = 0): void {
  if (seconds < 0 || seconds > gracePeriodAtMost)
    throw invalidParameter(`healthCheckGracePeriodSeconds must be between 0 and ${gracePeriodAtMost}.`)
}

/** @throws InvalidParameterException when `name` cannot be that of a service. */
export function assertServiceName(name: string): void {
  if (!/^[a-zA-Z0-9_-]{1,255}$/.test(name))
    throw invalidParameter(
      'Invalid service name. Up to 255 letters (uppercase and lowercase), numbers, hyphens, and underscores are allowed.',
    )
}

/**
 * How many tasks a new service is to have: given for REPLICA, and for DAEMON a matter of its hosts.
 *
 * @throws InvalidParameterException when it is missing, negative, or given for DAEMON.
 */
export function desiredCountOf(
  schedulingStrategy: ServiceRecord['schedulingStrategy'],
  desiredCount: number | undefined,
): number {
  if (schedulingStrategy === 'DAEMON') {
    if (desiredCount !== undefined && desiredCount !== 0)
      throw invalidParameter(
        'The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again',
      )
    return 0
  }
  if (desiredCount === undefined)
    throw invalidParameter('The replica scheduling strategy requires a desired count. Specify one and try again')
  if (desiredCount < 0) throw invalidParameter('desiredCount cannot be negative.')
  return desiredCount
}

/** @throws InvalidParameterException when a DAEMON service has what only REPLICA services can have. */
export function assertDaemon(launchType: LaunchType, placementStrategy: readonly PlacementStrategy[]): void {
  if (launchType === 'FARGATE')
    throw invalidParameter('The daemon scheduling strategy is not supported for the FARGATE launch type.')
  if (placementStrategy.length > 0)
    throw invalidParameter('The daemon scheduling strategy does not support a placement strategy.')
}

interface Rebalanced {
  readonly schedulingStrategy: ServiceRecord['schedulingStrategy']
  readonly placementStrategy: readonly PlacementStrategy[]
  readonly placementConstraints: readonly PlacementConstraint[]
  readonly maximumPercent: number | undefined
}

const zone = 'attribute:ecs.availability-zone'

/**
 * Whether a service's tasks are to be spread over zones again after they came to be uneven: by default where that can be.
 *
 * @throws InvalidParameterException when it is asked for where the developer guide says that it cannot be.
 */
export function zoneRebalancingOf(
  given: ServiceRecord['availabilityZoneRebalancing'] | undefined,
  service: Rebalanced,
): ServiceRecord['availabilityZoneRebalancing'] {
  const obstacle = rebalancingObstacle(service)
  if (given === 'ENABLED' && obstacle !== undefined)
    throw invalidParameter(`Availability Zone rebalancing is not supported for ${obstacle}.`)
  return given ?? (obstacle === undefined ? 'ENABLED' : 'DISABLED')
}

function rebalancingObstacle(service: Rebalanced): string | undefined {
  const [first] = service.placementStrategy
  if (service.schedulingStrategy === 'DAEMON') return 'the daemon scheduling strategy'
  if ((service.maximumPercent ?? 200) <= 100) return 'a maximumPercent of 100'
  if (first !== undefined && !(first.type === 'spread' && first.field === zone))
    return `placement strategies that do not begin with spread by ${zone}`
  if (service.placementConstraints.some(({ expression }) => expression?.includes(zone) === true))
    return `placement constraints on ${zone}`
  return undefined
}
