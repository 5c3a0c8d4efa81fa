import type { NetworkConfiguration } from '@aws-sdk/client-ecs'
import type { Transaction } from '../../cell/cell.ts'
import {
  type ClusterRecord,
  type DeploymentRecord,
  serviceKey,
  type ServiceRecord,
  type TaskDefinitionRecord,
} from '../../cell/records.ts'
import {
  beginDeployment,
  type DeploymentPlan,
  newDeployment,
  primaryDeployment,
  scaleService,
} from '../../cell/service-changes.ts'
import { taskDefinitionOfArn } from '../../cell/service-launch.ts'
import { beginServiceDeployment } from '../../cell/service-deployments.ts'
import { type LaunchType, networkModeOf } from '../../cell/task-demand.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { invalidParameter, serviceNotActive, serviceNotFound } from '../errors.ts'
import type { EcsInput, EcsOutput } from '../operation.ts'
import { resolveCluster, resolveService, resolveTaskDefinition } from './arn-references.ts'
import { deploymentConfigurationFor } from './deployment-configuration.ts'
import { assertSameController, updateExternalService } from './external-service.ts'
import { assertSupportsLaunchType, launchChoice, platformVersionFor, resolvedPlatformVersion } from './launch-choice.ts'
import { networkConfigurationFor } from './network-configuration.ts'
import { placementConstraintsOf, placementStrategyOf } from './placement-input.ts'
import { serviceAnswer } from './service-json.ts'
import { assertDaemon, assertGracePeriod, desiredCountOf, zoneRebalancingOf } from './service-validation.ts'

/**
 * Changes a service. What its tasks are made from begins a new deployment; the count and everything else takes effect on the
 * one that there is. Runs inside a transaction.
 */
export function updateService(
  tx: Transaction,
  deps: ControlPlaneDeps,
  input: EcsInput<'UpdateService'>,
): EcsOutput<'UpdateService'> {
  const cluster = resolveCluster(tx.tables, deps.scope, input.cluster)
  const before = resolveService(tx.tables, deps.scope, cluster.name, input.service)
  if (before.status === 'INACTIVE') throw serviceNotFound()
  if (before.status !== 'ACTIVE') throw serviceNotActive()
  assertGracePeriod(input.healthCheckGracePeriodSeconds)
  assertSameController(before, input)
  if (before.deploymentController === 'EXTERNAL') return updateExternalService(tx, deps, before, input)
  const launch = launchAfter(deps, cluster, before, input)
  const service = withSettings(before, launch, input)
  const plan = taskPlan(tx, deps, service, launch, input)
  const updated = withPlan(service, plan)
  const now = deps.clock.now()
  const rolled = beginsDeployment(before, plan, input)
    ? beginServiceDeployment(
        tx,
        deps,
        beginDeployment(updated, newDeployment(deps, deploymentPlan(plan, service.desiredCount)), now),
      )
    : updated
  const scaled =
    input.desiredCount === undefined ? rolled : scaleService(rolled, desiredCountAfter(before, input.desiredCount), now)
  tx.put('services', serviceKey(cluster.name, scaled.name), scaled)
  return { service: serviceAnswer(deps.scope, tx.tables, scaled, { includeTags: true }) }
}

interface Launch {
  readonly launchType: LaunchType
  readonly capacityProviderStrategy: ServiceRecord['capacityProviderStrategy']
}

/** A strategy replaces the launch type, and an empty one gives way to the launch type again. */
function launchAfter(
  { scope }: ControlPlaneDeps,
  cluster: ClusterRecord,
  before: ServiceRecord,
  { capacityProviderStrategy: given }: EcsInput<'UpdateService'>,
): Launch {
  const launchType = primaryDeployment(before)?.launchType ?? before.launchType ?? 'EC2'
  if (given === undefined) return { launchType, capacityProviderStrategy: before.capacityProviderStrategy }
  if (given.length === 0) return { launchType, capacityProviderStrategy: [] }
  return launchChoice(scope, cluster, { capacityProviderStrategy: given })
}

/** Everything of a service that its running tasks do not depend on. */
function withSettings(before: ServiceRecord, launch: Launch, input: EcsInput<'UpdateService'>): ServiceRecord {
  const { schedulingStrategy } = before
  const { launchType, capacityProviderStrategy } = launch
  const placementConstraints =
    input.placementConstraints === undefined
      ? before.placementConstraints
      : placementConstraintsOf(input.placementConstraints, launchType)
  const placementStrategy =
    input.placementStrategy === undefined
      ? before.placementStrategy
      : placementStrategyOf(input.placementStrategy, launchType)
  if (schedulingStrategy === 'DAEMON') assertDaemon(launchType, placementStrategy)
  const deploymentConfiguration = deploymentConfigurationFor(
    schedulingStrategy,
    input.deploymentConfiguration,
    before.deploymentConfiguration,
  )
  const { launchType: _, ...rest } = before
  const grace = input.healthCheckGracePeriodSeconds
  return {
    ...rest,
    ...(capacityProviderStrategy.length === 0 && { launchType }),
    capacityProviderStrategy,
    placementConstraints,
    placementStrategy,
    deploymentConfiguration,
    ...(grace !== undefined && { healthCheckGracePeriodSeconds: grace }),
    availabilityZoneRebalancing:
      input.availabilityZoneRebalancing === undefined
        ? before.availabilityZoneRebalancing
        : zoneRebalancingOf(input.availabilityZoneRebalancing, {
            schedulingStrategy,
            placementStrategy,
            placementConstraints,
            maximumPercent: deploymentConfiguration.maximumPercent,
          }),
    enableECSManagedTags: input.enableECSManagedTags ?? before.enableECSManagedTags,
    enableExecuteCommand: input.enableExecuteCommand ?? before.enableExecuteCommand,
    propagateTags: input.propagateTags ?? before.propagateTags,
  }
}

/** What the tasks of a service are made from. */
type TaskPlan = Pick<
  DeploymentRecord,
  'taskDefinitionArn' | 'launchType' | 'capacityProviderStrategy' | 'platformVersion' | 'networkConfiguration'
>

function taskPlan(
  tx: Transaction,
  deps: ControlPlaneDeps,
  service: ServiceRecord,
  { launchType, capacityProviderStrategy }: Launch,
  input: EcsInput<'UpdateService'>,
): TaskPlan {
  const platformVersion = platformVersionFor(launchType, input.platformVersion ?? service.platformVersion)
  const definition = definitionAfter(tx, deps, service, input.taskDefinition)
  if (definition !== undefined) assertSupportsLaunchType(definition, launchType)
  const networkConfiguration = networkConfigurationAfter(launchType, service, definition, input.networkConfiguration)
  return {
    taskDefinitionArn: definition?.arn ?? service.taskDefinitionArn ?? '',
    launchType,
    capacityProviderStrategy,
    ...(platformVersion !== undefined && { platformVersion }),
    ...(networkConfiguration !== undefined && { networkConfiguration }),
  }
}

/** What is asked for must be ACTIVE; what the service has may be INACTIVE by now. */
const definitionAfter = (
  tx: Transaction,
  { scope }: ControlPlaneDeps,
  service: ServiceRecord,
  given: string | undefined,
): TaskDefinitionRecord | undefined =>
  given === undefined || given === ''
    ? taskDefinitionOfArn(tx.tables, service.taskDefinitionArn ?? '')
    : resolveTaskDefinition(tx.tables, scope, given)

/** What is given, or what the service has, where the network mode still takes one. */
function networkConfigurationAfter(
  launchType: LaunchType,
  service: ServiceRecord,
  definition: TaskDefinitionRecord | undefined,
  given: NetworkConfiguration | undefined,
): NetworkConfiguration | undefined {
  if (definition === undefined) return service.networkConfiguration
  const mode = networkModeOf(definition.definition, launchType)
  if (given?.awsvpcConfiguration !== undefined) return networkConfigurationFor(mode, launchType, given)
  return networkConfigurationFor(mode, launchType, mode === 'awsvpc' ? service.networkConfiguration : undefined)
}

/** The service with what the plan says of its tasks, and without what it does not say. */
function withPlan(service: ServiceRecord, { platformVersion, networkConfiguration }: TaskPlan): ServiceRecord {
  const { platformVersion: _before, networkConfiguration: _configured, ...rest } = service
  return {
    ...rest,
    ...(platformVersion !== undefined && { platformVersion }),
    ...(networkConfiguration !== undefined && { networkConfiguration }),
  }
}

/** Deployments show the platform version that `LATEST` stands for. */
function deploymentPlan({ platformVersion, ...plan }: TaskPlan, desiredCount: number): DeploymentPlan {
  const resolved = resolvedPlatformVersion(platformVersion)
  return { ...plan, desiredCount, ...(resolved !== undefined && { platformVersion: resolved }) }
}

/** Whether the tasks that run are not those that are wanted any more, or the user wants new ones in any case. */
function beginsDeployment(before: ServiceRecord, plan: TaskPlan, input: EcsInput<'UpdateService'>): boolean {
  const primary = primaryDeployment(before)
  if (input.forceNewDeployment === true || primary === undefined) return true
  const now = [plan.taskDefinitionArn, plan.launchType, plan.capacityProviderStrategy, plan.networkConfiguration]
  const then = [
    primary.taskDefinitionArn,
    primary.launchType,
    primary.capacityProviderStrategy,
    primary.networkConfiguration,
  ]
  return (
    JSON.stringify(now) !== JSON.stringify(then) ||
    resolvedPlatformVersion(plan.platformVersion) !== primary.platformVersion
  )
}

function desiredCountAfter({ schedulingStrategy }: ServiceRecord, desiredCount: number): number {
  if (schedulingStrategy === 'DAEMON' && desiredCount !== 0)
    throw invalidParameter('The daemon scheduling strategy does not support a desired count for services.')
  return desiredCountOf(schedulingStrategy, desiredCount)
}
