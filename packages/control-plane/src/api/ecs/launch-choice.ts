import type { CapacityProviderStrategyItem, LaunchType as RequestedLaunchType } from '@aws-sdk/client-ecs'
import type { ArnScope } from '@berth/shared/arn.ts'
import { isFargateProvider } from '../../cell/capacity-provider-choice.ts'
import type { ClusterRecord, TaskDefinitionRecord } from '../../cell/records.ts'
import type { LaunchType } from '../../cell/task-demand.ts'
import { ApiError, invalidParameter } from '../errors.ts'
import { capacityProviderStrategyOf } from './capacity-providers.ts'

/** Where tasks are to run. */
export interface LaunchChoice {
  /** What the tasks' launch type is. */
  readonly launchType: LaunchType
  /** Empty where a launch type was asked for, or nothing and the cluster has no default. */
  readonly capacityProviderStrategy: readonly CapacityProviderStrategyItem[]
}

interface LaunchRequest {
  readonly launchType?: RequestedLaunchType | undefined
  readonly capacityProviderStrategy?: readonly CapacityProviderStrategyItem[] | undefined
}

/**
 * Where a request wants its tasks: by its launch type, its capacity provider strategy, the cluster's default strategy, or EC2,
 * in this order.
 *
 * @throws InvalidParameterException when both are given, or the strategy is none.
 */
export function launchChoice(scope: ArnScope, cluster: ClusterRecord, request: LaunchRequest): LaunchChoice {
  const { launchType, capacityProviderStrategy: given = [] } = request
  if (launchType !== undefined && given.length > 0)
    throw invalidParameter(
      'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
    )
  // The others were refused with their names when the request was read.
  if (launchType !== undefined) return { launchType: launchType as LaunchType, capacityProviderStrategy: [] }
  if (given.length > 0) return byStrategy(capacityProviderStrategyOf(scope, given, cluster.capacityProviders))
  return byStrategy(cluster.defaultCapacityProviderStrategy)
}

/**
 * Refuses a definition that cannot run as `launchType`.
 *
 * @throws InvalidParameterException `Task definition does not support launch_type FARGATE.`
 */
export function assertSupportsLaunchType({ definition }: TaskDefinitionRecord, launchType: LaunchType): void {
  if (definition.compatibilities?.includes(launchType) === false)
    throw invalidParameter(`Task definition does not support launch_type ${launchType}.`)
}

/** The platform version that `LATEST` stands for, by the developer guide. */
const latestPlatformVersion = '1.4.0'
const platformVersions = ['LATEST', '1.0.0', '1.1.0', '1.2.0', '1.3.0', latestPlatformVersion]

/**
 * The platform version as a service keeps it: `LATEST` where none is named, and none on EC2.
 *
 * @throws InvalidParameterException when one is given for EC2; PlatformUnknownException for one that ECS does not have.
 */
export function platformVersionFor(launchType: LaunchType, given: string | undefined): string | undefined {
  if (launchType !== 'FARGATE') {
    if (given !== undefined && given !== '')
      throw invalidParameter(`The platform version must be null when specifying an ${launchType} launch type.`)
    return undefined
  }
  const version = given === undefined || given === '' ? 'LATEST' : given
  if (!platformVersions.includes(version))
    throw new ApiError('PlatformUnknownException', 'The specified platform does not exist.')
  return version
}

/** The platform version that tasks and deployments show: never `LATEST`. */
export const resolvedPlatformVersion = (version: string | undefined): string | undefined =>
  version === 'LATEST' ? latestPlatformVersion : version

/** ECS does not mix FARGATE with other capacity either, so that the first item speaks for all. */
function byStrategy(strategy: readonly CapacityProviderStrategyItem[]): LaunchChoice {
  const first = strategy[0]?.capacityProvider
  const launchType = first !== undefined && isFargateProvider(first) ? 'FARGATE' : 'EC2'
  return { launchType, capacityProviderStrategy: strategy }
}
