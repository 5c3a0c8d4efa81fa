import { clusterSettingNames } from '../../cell/cluster-settings.ts'

/** What holds for a member of a request beyond its type. */
export interface MemberConstraint {
  /** Of a number: the least allowed. */
  readonly min?: number
  /** Of a number: the greatest allowed. */
  readonly max?: number
  /** Of a string or a list. */
  readonly minLength?: number
  /** Of a string or a list. */
  readonly maxLength?: number
  /** What a string must match as a whole. */
  readonly pattern?: RegExp
  /** Of an enum: what an unknown value counts as, instead of being refused. */
  readonly unknownCountsAs?: string
  /** Of an enum: what Berth takes beside the values of the model. */
  readonly furtherValues?: readonly string[]
}

const tagCharacters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

/**
 * The facts about ECS requests that the SDK's schemas do not hold, by `Structure.member`, or by type for lists of
 * one kind. They are those of AWS's public service model, and what the developer guide documents where a client can
 * see the difference. What depends on several members, or on state, belongs to the operations.
 */
export const ecsConstraints: Readonly<Record<string, MemberConstraint>> = {
  'list<Tag>': { maxLength: 50 },
  'Tag.key': { minLength: 1, maxLength: 128, pattern: tagCharacters },
  'Tag.value': { maxLength: 256, pattern: tagCharacters },

  // "If you specify an unknown protocol, it counts as tcp" (developer guide, port mappings).
  'PortMapping.protocol': { unknownCountsAs: 'tcp' },
  'ClusterSetting.name': { furtherValues: clusterSettingNames },
  'PortMapping.containerPort': { min: 0, max: 65_535 },
  'PortMapping.hostPort': { min: 0, max: 65_535 },
  'ServiceConnectClientAlias.port': { min: 0, max: 65_535 },
  'ServiceConnectService.ingressPortOverride': { min: 0, max: 65_535 },

  'CapacityProviderStrategyItem.base': { min: 0, max: 100_000 },
  'CapacityProviderStrategyItem.weight': { min: 0, max: 1000 },
  'ManagedScaling.targetCapacity': { min: 1, max: 100 },
  'ManagedScaling.minimumScalingStepSize': { min: 1, max: 10_000 },
  'ManagedScaling.maximumScalingStepSize': { min: 1, max: 10_000 },
  'ManagedScaling.instanceWarmupPeriod': { min: 0, max: 10_000 },
  'ManagedInstancesStorageConfiguration.storageSizeGiB': { min: 1 },
  'InstanceRequirementsRequest.allowedInstanceTypes': { maxLength: 400 },
  'InstanceRequirementsRequest.excludedInstanceTypes': { maxLength: 400 },

  'Scale.value': { min: 0, max: 100 },
  'TimeoutConfiguration.idleTimeoutSeconds': { min: 0 },
  'TimeoutConfiguration.perRequestTimeoutSeconds': { min: 0 },
  'DaemonDeploymentConfiguration.drainPercent': { min: 0, max: 100 },
  'DeploymentEarlySuccessCriteria.healthyPercent': { min: 0, max: 100 },
  'DeploymentLifecycleHookTimeoutConfiguration.timeoutInMinutes': { min: 1, max: 20_160 },
  'MetricConfiguration.resolutionSeconds': { min: 20, max: 60 },
  'MetricConfiguration.metricNames': { minLength: 1, maxLength: 5 },
  'MonitoringConfiguration.metricConfigurations': { maxLength: 5 },
}

/**
 * The numbers that are not 32-bit integers. The SDK's schemas know only "number"; the public service model tells
 * them apart.
 */
export const ecsNumberKinds: Readonly<Record<string, 'long' | 'double'>> = {
  'CanaryConfiguration.canaryPercent': 'double',
  'ContainerInstance.version': 'long',
  'DaemonDeploymentConfiguration.drainPercent': 'double',
  'LinearConfiguration.stepPercent': 'double',
  'ManagedApplicationAutoScalingPolicy.targetValue': 'double',
  'MemoryGiBPerVCpuRequest.max': 'double',
  'MemoryGiBPerVCpuRequest.min': 'double',
  'NetworkBandwidthGbpsRequest.max': 'double',
  'NetworkBandwidthGbpsRequest.min': 'double',
  'Resource.doubleValue': 'double',
  'Resource.longValue': 'long',
  'Scale.value': 'double',
  'ServiceRevisionSummary.requestedProductionTrafficWeight': 'double',
  'ServiceRevisionSummary.requestedTestTrafficWeight': 'double',
  'Task.version': 'long',
  'TotalLocalStorageGBRequest.max': 'double',
  'TotalLocalStorageGBRequest.min': 'double',
}
