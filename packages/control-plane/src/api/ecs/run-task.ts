import type { Failure } from '@aws-sdk/client-ecs'
import { type ArnScope, containerInstanceArn } from '@berth/shared/arn.ts'
import { chooseCapacityProviders } from '../../cell/capacity-provider-choice.ts'
import type { Transaction } from '../../cell/cell.ts'
import { hostFailures, summarizeFailure } from '../../cell/placement-failures.ts'
import type { ClusterRecord, TaskRecord } from '../../cell/records.ts'
import { arnOfTask } from '../../cell/task-arns.ts'
import { launchOrQueue } from '../../cell/task-queue.ts'
import type { TaskLaunch } from '../../cell/task-blueprint.ts'
import { launchTasks, type LaunchOutcome } from '../../cell/task-launch.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { clientException, conflict, invalidParameter } from '../errors.ts'
import type { EcsInput, EcsOutput } from '../operation.ts'
import { resolveCluster, resolveTaskDefinition } from './arn-references.ts'
import {
  assertSupportsLaunchType,
  launchChoice,
  type LaunchChoice,
  platformVersionFor,
  resolvedPlatformVersion,
} from './launch-choice.ts'
import { placementConstraintsOf, placementStrategyOf } from './placement-input.ts'
import { queueTagsOf } from './queue-tags.ts'
import { clientTokenOf, requestFingerprint } from './request-fingerprint.ts'
import { taskAnswer } from './task-json.ts'
import { taskLaunchOf } from './task-launch-input.ts'

/** Starts tasks wherever there is room, and where it was asked for lets the others wait for some. Runs inside a transaction. */
export function runTask(tx: Transaction, deps: ControlPlaneDeps, input: EcsInput<'RunTask'>): EcsOutput<'RunTask'> {
  const cluster = resolveCluster(tx.tables, deps.scope, input.cluster)
  const token = clientTokenOf(input)
  const before = token === undefined ? undefined : tasksOfToken(tx, deps.scope, cluster, token, input)
  if (before !== undefined) return { tasks: answers(tx, deps, before), failures: [] }

  const count = taskCount(deps, input)
  const choice = launchChoice(deps.scope, cluster, input)
  const launch = launchOf(tx, deps, cluster, choice, input)
  const queueTags = queueTagsOf(cluster, launch.tags)
  const launches = launchesByProvider(launch, choice, count)
  if (!queueTags.queue && launch.launchType === 'EC2') assertHasContainerInstances(tx, cluster)
  if (!queueTags.queue && queueTags.gang && launches.length > 1)
    throw clientException(
      'berth:gang is not supported by Berth with several capacity providers and without berth:queue.',
    )
  const outcomes: readonly LaunchOutcome[] = queueTags.queue
    ? [{ tasks: launchOrQueue(tx, deps, launches, queueTags), unplaced: 0 }]
    : launches.map(([launch, count]) => launchTasks(tx, deps, launch, count, { allOrNone: queueTags.gang }))
  const tasks = outcomes.flatMap(({ tasks }) => tasks)
  if (token !== undefined && tasks.length > 0) rememberToken(tx, deps, cluster, token, input, tasks)
  return { tasks: answers(tx, deps, tasks), failures: outcomes.flatMap((outcome) => failuresOf(deps, launch, outcome)) }
}

function taskCount({ settings }: ControlPlaneDeps, { count = 1 }: EcsInput<'RunTask'>): number {
  if (count < 1 || count > settings.runTaskLimit)
    throw invalidParameter(`Count must be between 1 and ${settings.runTaskLimit}, inclusive.`)
  return count
}

function launchOf(
  tx: Transaction,
  deps: ControlPlaneDeps,
  cluster: ClusterRecord,
  { launchType }: LaunchChoice,
  input: EcsInput<'RunTask'>,
): TaskLaunch {
  const definition = resolveTaskDefinition(tx.tables, deps.scope, input.taskDefinition, 'InvalidParameterException')
  assertSupportsLaunchType(definition, launchType)
  const platformVersion = resolvedPlatformVersion(platformVersionFor(launchType, input.platformVersion))
  const ofDefinition = definition.definition.placementConstraints?.length ?? 0
  return {
    ...taskLaunchOf(cluster, definition, launchType, input),
    ...(platformVersion !== undefined && { platformVersion }),
    placementConstraints: placementConstraintsOf(input.placementConstraints, launchType, ofDefinition),
    placementStrategy: placementStrategyOf(input.placementStrategy, launchType),
  }
}

function assertHasContainerInstances(tx: Transaction, cluster: ClusterRecord): void {
  for (const host of tx.tables.hosts.by('cluster', cluster.name)) if (host.status === 'ACTIVE') return
  throw invalidParameter('No Container Instances were found in your cluster.')
}

/** One launch for each capacity provider that has a part in the strategy, and its part of the count. */
function launchesByProvider(
  launch: TaskLaunch,
  { capacityProviderStrategy }: LaunchChoice,
  count: number,
): (readonly [TaskLaunch, number])[] {
  if (capacityProviderStrategy.length === 0) return [[launch, count]]
  const counts = new Map<string, number>()
  for (const name of chooseCapacityProviders(capacityProviderStrategy, count))
    counts.set(name, (counts.get(name) ?? 0) + 1)
  return Array.from(counts, ([name, count]) => [{ ...launch, capacityProviderName: name }, count] as const)
}

/** ECS's answer when FARGATE has no room; which machine it is does not concern the user. */
const noFargateCapacity =
  'Capacity is unavailable at this time. Please try again later or in a different availability zone'

/** On EC2 one for each host that came close, on FARGATE one for each task. */
function failuresOf({ scope }: ControlPlaneDeps, launch: TaskLaunch, outcome: LaunchOutcome): Failure[] {
  const { unplaced, explanation } = outcome
  if (unplaced === 0 || explanation === undefined) return []
  if (launch.launchType === 'FARGATE') {
    const failure = { reason: noFargateCapacity, detail: summarizeFailure(explanation) }
    return Array.from({ length: unplaced }, () => failure)
  }
  return hostFailures(explanation).map(({ hostId, reason, detail }) => ({
    arn: containerInstanceArn(scope, launch.cluster, hostId),
    reason,
    detail,
  }))
}

const tokenKey = (cluster: ClusterRecord, token: string): string => `RunTask/${cluster.name}/${token}`

/**
 * The tasks that the same request was given before.
 *
 * @throws ConflictException when the token came with another request.
 */
function tasksOfToken(
  tx: Transaction,
  scope: ArnScope,
  cluster: ClusterRecord,
  token: string,
  input: EcsInput<'RunTask'>,
): TaskRecord[] | undefined {
  const known = tx.tables.clientTokens.get(tokenKey(cluster, token))
  if (known === undefined) return undefined
  const tasks = known.taskIds.flatMap((id) => tx.tables.tasks.get(id) ?? [])
  if (known.fingerprint !== requestFingerprint(input))
    throw conflict(
      'The RunTask request could not be processed due to conflicts. The provided clientToken is already in use with a different RunTask request.',
      tasks.map((task) => arnOfTask(scope, task)),
    )
  return tasks
}

function rememberToken(
  tx: Transaction,
  { clock }: ControlPlaneDeps,
  cluster: ClusterRecord,
  token: string,
  input: EcsInput<'RunTask'>,
  tasks: readonly TaskRecord[],
): void {
  const key = tokenKey(cluster, token)
  const fingerprint = requestFingerprint(input)
  tx.put('clientTokens', key, { key, fingerprint, taskIds: tasks.map(({ id }) => id), createdAt: clock.now() })
}

const answers = (tx: Transaction, { scope }: ControlPlaneDeps, tasks: readonly TaskRecord[]) =>
  tasks.map((task) => taskAnswer(scope, tx.tables, task, { includeTags: true }))
