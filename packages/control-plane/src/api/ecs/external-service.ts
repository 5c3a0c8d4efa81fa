import { serviceArn } from '@berth/shared/arn.ts'
import type { Transaction } from '../../cell/cell.ts'
import { type ClusterRecord, serviceKey, type ServiceRecord } from '../../cell/records.ts'
import type { LaunchType } from '../../cell/task-demand.ts'
import { changedTaskSet, computedDesiredCount, putTaskSet, taskSetsOf } from '../../cell/task-sets.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { clientException, invalidParameter } from '../errors.ts'
import type { EcsInput, EcsOutput, RequestContext } from '../operation.ts'
import { deploymentConfigurationFor } from './deployment-configuration.ts'
import { placementConstraintsOf, placementStrategyOf } from './placement-input.ts'
import { clientTokenOf } from './request-fingerprint.ts'
import { serviceAnswer } from './service-json.ts'
import { tagRecordOf } from './tag-set.ts'

/** Members of a service that its primary task set says, and CreateService does not. */
export const saidOfTaskSets: ReadonlySet<string> = new Set<keyof ServiceRecord>([
  'taskDefinitionArn',
  'launchType',
  'capacityProviderStrategy',
  'platformVersion',
  'networkConfiguration',
])

/** What CreateService may not say of a service that an external controller deploys (developer guide, "external deployment"). */
const taskSetMembers = [
  'taskDefinition',
  'launchType',
  'capacityProviderStrategy',
  'platformVersion',
  'networkConfiguration',
] as const satisfies readonly (keyof EcsInput<'CreateService'>)[]

/**
 * A new service that an external controller deploys: with a desired count, and nothing yet to make tasks from.
 *
 * @throws InvalidParameterException for what its task sets are to say, and for what only Berth's own deployments have.
 */
export function newExternalService(
  deps: ControlPlaneDeps,
  cluster: ClusterRecord,
  input: EcsInput<'CreateService'>,
  context: RequestContext,
): ServiceRecord {
  const clientToken = clientTokenOf(input)
  if (input.schedulingStrategy === 'DAEMON')
    throw invalidParameter('The daemon scheduling strategy is not supported with the EXTERNAL deployment controller.')
  for (const member of taskSetMembers)
    if (says(input[member]))
      throw invalidParameter(
        `${member} can not be specified for services with a EXTERNAL deployment controller. Specify it in a task set.`,
      )
  const desiredCount = input.desiredCount ?? 0
  if (desiredCount < 0) throw invalidParameter('desiredCount cannot be negative.')
  if (input.availabilityZoneRebalancing === 'ENABLED')
    throw invalidParameter('Availability Zone rebalancing is not supported for the EXTERNAL deployment controller.')
  return {
    name: input.serviceName,
    cluster: cluster.name,
    arn: serviceArn(deps.scope, cluster.name, input.serviceName),
    status: 'ACTIVE',
    schedulingStrategy: 'REPLICA',
    desiredCount,
    capacityProviderStrategy: [],
    deploymentController: 'EXTERNAL',
    deploymentConfiguration: externalConfiguration(input),
    placementConstraints: placementConstraintsOf(input.placementConstraints, 'EC2'),
    placementStrategy: placementStrategyOf(input.placementStrategy, 'EC2'),
    ...(input.healthCheckGracePeriodSeconds !== undefined && {
      healthCheckGracePeriodSeconds: input.healthCheckGracePeriodSeconds,
    }),
    availabilityZoneRebalancing: 'DISABLED',
    enableECSManagedTags: input.enableECSManagedTags ?? false,
    enableExecuteCommand: input.enableExecuteCommand ?? false,
    propagateTags: input.propagateTags ?? 'NONE',
    ...(input.role !== undefined && input.role !== '' && { role: input.role }),
    deployments: [],
    tags: tagRecordOf(input.tags),
    createdAt: deps.clock.now(),
    createdBy: context.principalArn,
    ...(clientToken !== undefined && { clientToken }),
    steady: false,
  }
}

const says = (value: unknown): boolean =>
  value !== undefined && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0)

/** The percentages stay at ECS's defaults: what else they might bound is the external controller's to do. */
function externalConfiguration({
  deploymentConfiguration: given,
}: Pick<EcsInput<'CreateService'>, 'deploymentConfiguration'>): ServiceRecord['deploymentConfiguration'] {
  const { strategy, bakeTimeInMinutes = 0 } = given ?? {}
  const ownDeployments = {
    deploymentCircuitBreaker: given?.deploymentCircuitBreaker?.enable,
    earlySuccessCriteria: given?.earlySuccessCriteria?.enable,
    alarms: given?.alarms?.enable,
    lifecycleHooks: given?.lifecycleHooks,
    strategy: strategy !== 'ROLLING' && strategy,
    bakeTimeInMinutes: bakeTimeInMinutes > 0,
  }
  for (const [member, value] of Object.entries(ownDeployments))
    if (says(value))
      throw invalidParameter(`${member} can only be used for services with the ECS deployment controller.`)
  const { maximumPercent, minimumHealthyPercent } = deploymentConfigurationFor('REPLICA', given)
  if (maximumPercent !== 200 || minimumHealthyPercent !== 100)
    throw invalidParameter(
      'maximumPercent and minimumHealthyPercent can not be changed for services with a EXTERNAL deployment controller.',
    )
  return { maximumPercent, minimumHealthyPercent }
}

/** The deployment controller of a service that exists is not changed. */
export function assertSameController(
  { deploymentController }: Pick<ServiceRecord, 'deploymentController'>,
  input: Pick<EcsInput<'UpdateService'>, 'deploymentController'>,
): void {
  const wanted = input.deploymentController?.type ?? deploymentController
  if (wanted !== deploymentController)
    throw clientException(
      `Changing the deployment controller of a service, here from ${deploymentController} to ${wanted}, is not supported by Berth.`,
    )
}

/** What ECS calls the parameters that UpdateService may not change, in the sentence that refuses them. */
const refusedUpdates = {
  taskDefinition: 'Unable to update task definition',
  networkConfiguration: 'Unable to update network parameters',
  platformVersion: 'Unable to update platform version',
  capacityProviderStrategy: 'Unable to update capacity provider strategy',
  deploymentConfiguration: 'Unable to update deployment configuration',
  availabilityZoneRebalancing: 'Unable to update Availability Zone rebalancing',
  forceNewDeployment: 'Cannot force a new deployment',
} as const satisfies Partial<Record<keyof EcsInput<'UpdateService'>, string>>

/**
 * Changes of a service that an external controller deploys what its task sets do not say: the desired count, placement, the grace period
 * and how tasks are tagged (ECS API reference, UpdateService), and whether they take ExecuteCommand.
 *
 * @throws InvalidParameterException in the words that ECS has for the other external controller, CODE_DEPLOY.
 */
export function updateExternalService(
  tx: Transaction,
  deps: ControlPlaneDeps,
  before: ServiceRecord,
  input: EcsInput<'UpdateService'>,
): EcsOutput<'UpdateService'> {
  for (const [member, refusal] of Object.entries(refusedUpdates))
    if (says(input[member as keyof typeof refusedUpdates]))
      throw invalidParameter(
        `${refusal} on services with a EXTERNAL deployment controller. Create a new task set to make a new deployment.`,
      )
  const { desiredCount = before.desiredCount, healthCheckGracePeriodSeconds: grace } = input
  if (desiredCount < 0) throw invalidParameter('desiredCount cannot be negative.')
  const service: ServiceRecord = {
    ...before,
    desiredCount,
    ...(grace !== undefined && { healthCheckGracePeriodSeconds: grace }),
    ...(desiredCount !== before.desiredCount && { steady: false }),
    ...(input.placementConstraints && {
      placementConstraints: placementConstraintsOf(input.placementConstraints, launchTypeOf(tx, before)),
    }),
    ...(input.placementStrategy && {
      placementStrategy: placementStrategyOf(input.placementStrategy, launchTypeOf(tx, before)),
    }),
    enableECSManagedTags: input.enableECSManagedTags ?? before.enableECSManagedTags,
    enableExecuteCommand: input.enableExecuteCommand ?? before.enableExecuteCommand,
    propagateTags: input.propagateTags ?? before.propagateTags,
  }
  for (const set of taskSetsOf(tx.tables, service))
    if (computedDesiredCount(service, set) !== computedDesiredCount(before, set))
      putTaskSet(tx, changedTaskSet(set, {}, deps.clock.now()))
  tx.put('services', serviceKey(service.cluster, service.name), service)
  return { service: serviceAnswer(deps.scope, tx.tables, service, { includeTags: true }) }
}

/** What rules of placement are held against: FARGATE, which has none, where a task set is there. */
const launchTypeOf = (tx: Transaction, service: ServiceRecord): LaunchType =>
  taskSetsOf(tx.tables, service).find(({ launchType }) => launchType === 'FARGATE')?.launchType ?? 'EC2'
