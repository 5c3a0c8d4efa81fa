import { serviceArn } from '@berth/shared/arn.ts'
import type { Transaction } from '../../cell/cell.ts'
import { type ClusterRecord, serviceKey, type ServiceRecord } from '../../cell/records.ts'
import { forgetServiceEvents, newDeployment } from '../../cell/service-changes.ts'
import { beginServiceDeployment } from '../../cell/service-deployments.ts'
import { networkModeOf } from '../../cell/task-demand.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { invalidParameter } from '../errors.ts'
import type { EcsInput, EcsOutput, RequestContext } from '../operation.ts'
import { resolveCluster, resolveTaskDefinition } from './arn-references.ts'
import { deploymentConfigurationFor } from './deployment-configuration.ts'
import { newExternalService, saidOfTaskSets } from './external-service.ts'
import { assertSupportsLaunchType, launchChoice, platformVersionFor, resolvedPlatformVersion } from './launch-choice.ts'
import { networkConfigurationFor } from './network-configuration.ts'
import { placementConstraintsOf, placementStrategyOf } from './placement-input.ts'
import { clientTokenOf } from './request-fingerprint.ts'
import { serviceAnswer } from './service-json.ts'
import {
  assertDaemon,
  assertGracePeriod,
  assertServiceName,
  desiredCountOf,
  zoneRebalancingOf,
} from './service-validation.ts'
import { tagRecordOf } from './tag-set.ts'

/** Writes a new service with its first deployment; its controller starts the tasks. Runs inside a transaction. */
export function createService(
  tx: Transaction,
  deps: ControlPlaneDeps,
  input: EcsInput<'CreateService'>,
  context: RequestContext,
): EcsOutput<'CreateService'> {
  const cluster = resolveCluster(tx.tables, deps.scope, input.cluster)
  assertServiceName(input.serviceName)
  assertGracePeriod(input.healthCheckGracePeriodSeconds)
  const wanted =
    input.deploymentController?.type === 'EXTERNAL'
      ? newExternalService(deps, cluster, input, context)
      : newService(tx, deps, cluster, input, context)
  const key = serviceKey(cluster.name, wanted.name)
  const existing = tx.tables.services.get(key)
  if (existing !== undefined && existing.status !== 'INACTIVE') {
    assertSameAsBefore(wanted, existing)
    return { service: serviceAnswer(deps.scope, tx.tables, existing, { includeTags: true }) }
  }
  if (existing !== undefined) forgetServiceEvents(tx, cluster.name, wanted.name)
  const created = beginServiceDeployment(tx, deps, wanted)
  tx.put('services', key, created)
  return { service: serviceAnswer(deps.scope, tx.tables, created, { includeTags: true }) }
}

function newService(
  tx: Transaction,
  deps: ControlPlaneDeps,
  cluster: ClusterRecord,
  input: EcsInput<'CreateService'>,
  context: RequestContext,
): ServiceRecord {
  const clientToken = clientTokenOf(input)
  const schedulingStrategy = input.schedulingStrategy ?? 'REPLICA'
  const desiredCount = desiredCountOf(schedulingStrategy, input.desiredCount)
  const { launchType, capacityProviderStrategy } = launchChoice(deps.scope, cluster, input)
  if (input.taskDefinition === undefined || input.taskDefinition === '')
    throw invalidParameter('TaskDefinition can not be blank.')
  const definition = resolveTaskDefinition(tx.tables, deps.scope, input.taskDefinition)
  assertSupportsLaunchType(definition, launchType)
  const platformVersion = platformVersionFor(launchType, input.platformVersion)
  const networkConfiguration = networkConfigurationFor(
    networkModeOf(definition.definition, launchType),
    launchType,
    input.networkConfiguration,
  )
  const placementConstraints = placementConstraintsOf(
    input.placementConstraints,
    launchType,
    definition.definition.placementConstraints?.length,
  )
  const placementStrategy = placementStrategyOf(input.placementStrategy, launchType)
  if (schedulingStrategy === 'DAEMON') assertDaemon(launchType, placementStrategy)
  const deploymentConfiguration = deploymentConfigurationFor(schedulingStrategy, input.deploymentConfiguration)
  const deploymentPlatform = resolvedPlatformVersion(platformVersion)
  const deployment = newDeployment(deps, {
    taskDefinitionArn: definition.arn,
    desiredCount,
    launchType,
    capacityProviderStrategy,
    ...(deploymentPlatform !== undefined && { platformVersion: deploymentPlatform }),
    ...(networkConfiguration !== undefined && { networkConfiguration }),
  })
  return {
    name: input.serviceName,
    cluster: cluster.name,
    arn: serviceArn(deps.scope, cluster.name, input.serviceName),
    status: 'ACTIVE',
    schedulingStrategy,
    desiredCount,
    taskDefinitionArn: definition.arn,
    ...(capacityProviderStrategy.length === 0 && { launchType }),
    capacityProviderStrategy,
    ...(platformVersion !== undefined && { platformVersion }),
    deploymentController: 'ECS',
    deploymentConfiguration,
    placementConstraints,
    placementStrategy,
    ...(networkConfiguration !== undefined && { networkConfiguration }),
    ...(input.healthCheckGracePeriodSeconds !== undefined && {
      healthCheckGracePeriodSeconds: input.healthCheckGracePeriodSeconds,
    }),
    availabilityZoneRebalancing: zoneRebalancingOf(input.availabilityZoneRebalancing, {
      schedulingStrategy,
      placementStrategy,
      placementConstraints,
      maximumPercent: deploymentConfiguration.maximumPercent,
    }),
    enableECSManagedTags: input.enableECSManagedTags ?? false,
    enableExecuteCommand: input.enableExecuteCommand ?? false,
    propagateTags: input.propagateTags ?? 'NONE',
    ...(input.role !== undefined && input.role !== '' && { role: input.role }),
    deployments: [deployment],
    tags: tagRecordOf(input.tags),
    createdAt: deps.clock.now(),
    createdBy: context.principalArn,
    ...(clientToken !== undefined && { clientToken }),
    steady: false,
  }
}

/** What a user says about a service, as it is kept: creating it again with all of this equal is no mistake. */
const saidByUser = [
  'deploymentController',
  'schedulingStrategy',
  'desiredCount',
  'taskDefinitionArn',
  'launchType',
  'capacityProviderStrategy',
  'platformVersion',
  'deploymentConfiguration',
  'placementConstraints',
  'placementStrategy',
  'networkConfiguration',
  'healthCheckGracePeriodSeconds',
  'availabilityZoneRebalancing',
  'enableECSManagedTags',
  'enableExecuteCommand',
  'propagateTags',
  'role',
  'tags',
] as const satisfies readonly (keyof ServiceRecord)[]

/** @throws InvalidParameterException `Creation of service was not idempotent.` */
function assertSameAsBefore(wanted: ServiceRecord, existing: ServiceRecord): void {
  const same =
    existing.status === 'ACTIVE' &&
    saidByUser
      .filter((member) => wanted.deploymentController === 'ECS' || !saidOfTaskSets.has(member))
      .every((member) => JSON.stringify(wanted[member]) === JSON.stringify(existing[member]))
  if (!same) throw invalidParameter('Creation of service was not idempotent.')
}
