import type { Scale } from '@aws-sdk/client-ecs'
import { taskSetArn } from '@berth/shared/arn.ts'
import { newDeploymentId } from '@berth/shared/ids.ts'
import type { Transaction } from '../../cell/cell.ts'
import { ofServiceKey, serviceKey, type ServiceRecord, type TaskSetRecord } from '../../cell/records.ts'
import { networkModeOf } from '../../cell/task-demand.ts'
import { putTaskSet, taskSetsOf } from '../../cell/task-sets.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { conflict, invalidParameter } from '../errors.ts'
import type { EcsInput, EcsOutput } from '../operation.ts'
import { resolveCluster, resolveTaskDefinition } from './arn-references.ts'
import { assertSupportsLaunchType, launchChoice, platformVersionFor, resolvedPlatformVersion } from './launch-choice.ts'
import { networkConfigurationFor } from './network-configuration.ts'
import { placementConstraintsOf, placementStrategyOf } from './placement-input.ts'
import { clientTokenOf, requestFingerprint } from './request-fingerprint.ts'
import { tagRecordOf } from './tag-set.ts'
import { taskSetAnswer } from './task-set-json.ts'

/** ECS's own limit of task sets that a service may have at once, those that are being deleted included. */
const taskSetsAtMost = 5

/** The share of the desired count that a request asks for, in percent: all of it where it says nothing. */
export const scalePercentOf = (scale: Scale | undefined): number => scale?.value ?? 100

/** Adds an ACTIVE task set to a service; its controller starts the tasks. Runs inside a transaction. */
export function createTaskSet(
  tx: Transaction,
  deps: ControlPlaneDeps,
  service: ServiceRecord,
  input: EcsInput<'CreateTaskSet'>,
): EcsOutput<'CreateTaskSet'> {
  const key = serviceKey(service.cluster, service.name)
  const set = taskSetOfToken(tx, key, input) ?? newTaskSet(tx, deps, service, input)
  return { taskSet: taskSetAnswer(deps.scope, tx.tables, service, set, { includeTags: true }) }
}

function newTaskSet(
  tx: Transaction,
  deps: ControlPlaneDeps,
  service: ServiceRecord,
  input: EcsInput<'CreateTaskSet'>,
): TaskSetRecord {
  const { scope, clock, random } = deps
  const existing = taskSetsOf(tx.tables, service).length
  if (existing >= taskSetsAtMost)
    throw invalidParameter(
      `${existing} deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit.`,
    )
  const cluster = resolveCluster(tx.tables, scope, service.cluster)
  const { launchType, capacityProviderStrategy } = launchChoice(scope, cluster, input)
  const definition = resolveTaskDefinition(tx.tables, scope, input.taskDefinition)
  assertSupportsLaunchType(definition, launchType)
  // What the service says of placement is checked against what the tasks now turn out to be.
  placementConstraintsOf(service.placementConstraints, launchType, definition.definition.placementConstraints?.length)
  placementStrategyOf(service.placementStrategy, launchType)
  const platformVersion = resolvedPlatformVersion(platformVersionFor(launchType, input.platformVersion))
  const networkConfiguration = networkConfigurationFor(
    networkModeOf(definition.definition, launchType),
    launchType,
    input.networkConfiguration,
  )
  const id = newDeploymentId(random)
  const now = clock.now()
  const set: TaskSetRecord = {
    id,
    arn: taskSetArn(scope, service.cluster, service.name, id),
    service: serviceKey(service.cluster, service.name),
    status: 'ACTIVE',
    taskDefinitionArn: definition.arn,
    launchType,
    capacityProviderStrategy,
    ...(platformVersion !== undefined && { platformVersion }),
    ...(networkConfiguration !== undefined && { networkConfiguration }),
    ...(input.externalId !== undefined && input.externalId !== '' && { externalId: input.externalId }),
    scalePercent: scalePercentOf(input.scale),
    stable: false,
    stabilityAt: now,
    failedTasks: 0,
    throttleSteps: 0,
    tags: tagRecordOf(input.tags),
    createdAt: now,
    updatedAt: now,
  }
  putTaskSet(tx, set)
  if (service.steady) tx.put('services', set.service, { ...service, steady: false })
  rememberToken(tx, set, input, now)
  return set
}

const tokenKey = (service: string, token: string): string => `CreateTaskSet/${service}/${token}`

/**
 * The task set that the same request made before, if it is still there.
 *
 * @throws ConflictException when the token came with another request.
 */
function taskSetOfToken(tx: Transaction, service: string, input: EcsInput<'CreateTaskSet'>): TaskSetRecord | undefined {
  const token = clientTokenOf(input)
  const known = token === undefined ? undefined : tx.tables.clientTokens.get(tokenKey(service, token))
  const set = tx.tables.taskSets.get(ofServiceKey(service, known?.taskIds[0] ?? ''))
  if (known === undefined || set === undefined) return undefined
  if (known.fingerprint !== requestFingerprint(input))
    throw conflict('The provided clientToken is already in use with a different CreateTaskSet request.', [set.arn])
  return set
}

function rememberToken(
  tx: Transaction,
  { id, service }: TaskSetRecord,
  input: EcsInput<'CreateTaskSet'>,
  createdAt: number,
): void {
  const token = clientTokenOf(input)
  if (token === undefined) return
  const key = tokenKey(service, token)
  tx.put('clientTokens', key, { key, fingerprint: requestFingerprint(input), taskIds: [id], createdAt })
}
