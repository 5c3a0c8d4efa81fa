import type {
  DeploymentConfiguration,
  DeploymentLifecycleHook,
  DeploymentLifecycleHookStage,
} from '@aws-sdk/client-ecs'
import type { ServiceRecord } from '../../cell/records.ts'
import { clientException, invalidParameter } from '../errors.ts'

type SchedulingStrategy = ServiceRecord['schedulingStrategy']

/** What ECS fills in. Alarms are answered only where they were given. */
const defaults = {
  REPLICA: { maximumPercent: 200, minimumHealthyPercent: 100 },
  DAEMON: { maximumPercent: 100, minimumHealthyPercent: 0 },
} as const satisfies Record<SchedulingStrategy, DeploymentConfiguration>

/** The longest bake time, in minutes: a day. */
const bakeTimeAtMost = 1440

/**
 * A service's deployment configuration as ECS keeps it: what is given, over what the service has, over ECS's defaults.
 *
 * @param current what the service has; `undefined` for a new one.
 * @throws InvalidParameterException when deployments could not go on or a hook says what it cannot; ClientException for
 *   a hook that calls a function.
 */
export function deploymentConfigurationFor(
  schedulingStrategy: SchedulingStrategy,
  given: DeploymentConfiguration | undefined,
  current?: DeploymentConfiguration,
): DeploymentConfiguration {
  if (given !== undefined) assertHooksAndBakeTime(given)
  const configuration: DeploymentConfiguration = {
    deploymentCircuitBreaker: { enable: false, rollback: false },
    ...defaults[schedulingStrategy],
    strategy: 'ROLLING',
    bakeTimeInMinutes: 0,
    ...current,
    ...withoutAbsent(given ?? {}),
  }
  assertPercentages(schedulingStrategy, configuration)
  assertThreshold(configuration)
  assertEarlySuccess(configuration)
  return configuration
}

const withoutAbsent = (given: DeploymentConfiguration): DeploymentConfiguration =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))

function assertPercentages(
  schedulingStrategy: SchedulingStrategy,
  { maximumPercent = 0, minimumHealthyPercent = 0 }: DeploymentConfiguration,
): void {
  if (minimumHealthyPercent < 0) throw invalidParameter('minimumHealthyPercent cannot be negative.')
  if (maximumPercent < 100) throw invalidParameter('maximumPercent must be at least 100.')
  if (schedulingStrategy === 'DAEMON' && minimumHealthyPercent > 100)
    throw invalidParameter('minimumHealthyPercent cannot be more than 100 for a daemon service.')
  if (maximumPercent === 100 && minimumHealthyPercent === 100)
    throw invalidParameter(
      'Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.',
    )
  if (maximumPercent < minimumHealthyPercent)
    throw invalidParameter('maximumPercent cannot be less than minimumHealthyPercent.')
}

function assertThreshold({ deploymentCircuitBreaker }: DeploymentConfiguration): void {
  const value = deploymentCircuitBreaker?.thresholdConfiguration?.value
  if (value !== undefined && value < 1)
    throw invalidParameter('The value of thresholdConfiguration must be greater than 0.')
}

function assertEarlySuccess({ earlySuccessCriteria, minimumHealthyPercent = 0 }: DeploymentConfiguration): void {
  if (earlySuccessCriteria?.enable !== true) return
  const { healthyPercent, sourceServiceRevisionCleanup } = earlySuccessCriteria
  if (healthyPercent === undefined || sourceServiceRevisionCleanup === undefined)
    throw invalidParameter(
      'earlySuccessCriteria needs healthyPercent and sourceServiceRevisionCleanup when it is enabled.',
    )
  if (healthyPercent < minimumHealthyPercent)
    throw invalidParameter('healthyPercent of earlySuccessCriteria cannot be less than minimumHealthyPercent.')
}

function assertHooksAndBakeTime({ lifecycleHooks = [], bakeTimeInMinutes = 0 }: DeploymentConfiguration): void {
  for (const hook of lifecycleHooks) assertPauseHook(hook)
  if (bakeTimeInMinutes < 0 || bakeTimeInMinutes > bakeTimeAtMost)
    throw invalidParameter(`bakeTimeInMinutes must be between 0 and ${bakeTimeAtMost}.`)
}

/** ECS allows functions there, and no pauses. */
const functionStages: ReadonlySet<DeploymentLifecycleHookStage> = new Set([
  'TEST_TRAFFIC_SHIFT',
  'PRODUCTION_TRAFFIC_SHIFT',
])

function assertPauseHook({ targetType, hookTargetArn, roleArn, lifecycleStages = [] }: DeploymentLifecycleHook): void {
  if (targetType !== 'PAUSE')
    throw clientException(
      'deploymentConfiguration.lifecycleHooks without a targetType is not supported by Berth: it has no functions to call.',
    )
  if (hookTargetArn !== undefined || roleArn !== undefined)
    throw invalidParameter('hookTargetArn and roleArn are not applicable for lifecycle hooks of targetType PAUSE.')
  if (lifecycleStages.length === 0) throw invalidParameter('lifecycleStages of a lifecycle hook cannot be empty.')
  for (const stage of lifecycleStages) {
    if (functionStages.has(stage))
      throw invalidParameter(`Lifecycle hooks of targetType PAUSE cannot be configured at ${stage}.`)
  }
}
