import type {
  DeploymentConfiguration,
  DeploymentLifecycleHook,
  DeploymentLifecycleHookStage,
} from '@aws-sdk/client-ecs'
import type { ServiceRecord } from '../../cell/records.ts'
import { type ApiError, clientException, invalidParameter } from '../errors.ts'

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
 * @throws InvalidParameterException when deployments could not go on; ClientException for what Berth cannot honour.
 */
export function deploymentConfigurationFor(
  schedulingStrategy: SchedulingStrategy,
  given: DeploymentConfiguration | undefined,
  current?: DeploymentConfiguration,
): DeploymentConfiguration {
  if (given !== undefined) refuseUnsupported(given)
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

const unsupported = (member: string, why: string): ApiError =>
  clientException(`deploymentConfiguration.${member} is not supported by Berth: ${why}.`)

function refuseUnsupported(given: DeploymentConfiguration): void {
  const { strategy, bakeTimeInMinutes = 0 } = given
  if (strategy !== undefined && strategy !== 'ROLLING')
    throw unsupported('strategy', `deployments are ROLLING, not ${strategy}`)
  if (given.linearConfiguration !== undefined) throw unsupported('linearConfiguration', 'deployments are ROLLING')
  if (given.canaryConfiguration !== undefined) throw unsupported('canaryConfiguration', 'deployments are ROLLING')
  for (const hook of given.lifecycleHooks ?? []) assertPauseHook(hook)
  if (given.alarms?.enable === true) throw unsupported('alarms', 'it has no CloudWatch alarms')
  if (bakeTimeInMinutes < 0 || bakeTimeInMinutes > bakeTimeAtMost)
    throw invalidParameter(`bakeTimeInMinutes must be between 0 and ${bakeTimeAtMost}.`)
}

/** Stages that a rolling deployment has, and at which it can be made to wait. */
const pauseStages: ReadonlySet<DeploymentLifecycleHookStage> = new Set([
  'RECONCILE_SERVICE',
  'PRE_SCALE_UP',
  'POST_SCALE_UP',
])

/** ECS allows functions there, and no pauses. */
const functionStages: ReadonlySet<DeploymentLifecycleHookStage> = new Set([
  'TEST_TRAFFIC_SHIFT',
  'PRODUCTION_TRAFFIC_SHIFT',
])

function assertPauseHook({ targetType, hookTargetArn, roleArn, lifecycleStages = [] }: DeploymentLifecycleHook): void {
  if (targetType !== 'PAUSE')
    throw unsupported('lifecycleHooks', 'it has no functions to call; hooks of targetType PAUSE are supported')
  if (hookTargetArn !== undefined || roleArn !== undefined)
    throw invalidParameter('hookTargetArn and roleArn are not applicable for lifecycle hooks of targetType PAUSE.')
  if (lifecycleStages.length === 0) throw invalidParameter('lifecycleStages of a lifecycle hook cannot be empty.')
  for (const stage of lifecycleStages) {
    if (functionStages.has(stage))
      throw invalidParameter(`Lifecycle hooks of targetType PAUSE cannot be configured at ${stage}.`)
    if (!pauseStages.has(stage))
      throw unsupported('lifecycleHooks', `deployments are ROLLING and shift no traffic, so that there is no ${stage}`)
  }
}
