import type { Failure } from '@aws-sdk/client-ecs'
import { containerInstanceArn } from '@berth/shared/arn.ts'
import type { Transaction } from '../../cell/cell.ts'
import { hostFailure } from '../../cell/placement-failures.ts'
import type { TaskRecord } from '../../cell/records.ts'
import { launchTaskOn } from '../../cell/task-launch.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { invalidParameter } from '../errors.ts'
import type { EcsInput, EcsOutput } from '../operation.ts'
import {
  containerInstanceIdOf,
  findContainerInstance,
  resolveCluster,
  resolveTaskDefinition,
} from './arn-references.ts'
import { assertSupportsLaunchType } from './launch-choice.ts'
import { taskAnswer } from './task-json.ts'
import { taskLaunchOf } from './task-launch-input.ts'

/** Container instances that one StartTask may name: ECS's own limit. */
const hostsAtMost = 10

/** Starts one task on each of the hosts that are named, where it fits. Runs inside a transaction. */
export function startTask(
  tx: Transaction,
  deps: ControlPlaneDeps,
  input: EcsInput<'StartTask'>,
): EcsOutput<'StartTask'> {
  const { scope } = deps
  const cluster = resolveCluster(tx.tables, scope, input.cluster)
  if (input.containerInstances.length === 0) throw invalidParameter('Container Instances cannot be empty.')
  if (input.containerInstances.length > hostsAtMost)
    throw invalidParameter(`Container Instances cannot have more than ${hostsAtMost} elements.`)
  const definition = resolveTaskDefinition(tx.tables, scope, input.taskDefinition, 'InvalidParameterException')
  assertSupportsLaunchType(definition, 'EC2')
  const launch = taskLaunchOf(cluster, definition, 'EC2', input)

  const tasks: TaskRecord[] = []
  const failures: Failure[] = []
  for (const idOrArn of input.containerInstances) {
    const host = findContainerInstance(tx.tables, scope, cluster.name, idOrArn)
    const arn = containerInstanceArn(scope, cluster.name, containerInstanceIdOf(scope, cluster.name, idOrArn))
    if (host === undefined) {
      failures.push({ arn, reason: 'MISSING' })
      continue
    }
    const outcome = launchTaskOn(tx, deps, launch, host.id)
    if (outcome.kind === 'launched') tasks.push(outcome.task)
    else if (outcome.kind === 'missing') failures.push({ arn, reason: 'INACTIVE' })
    else {
      const { reason, detail } = hostFailure(outcome.verdict)
      failures.push({ arn, reason, detail })
    }
  }
  return { tasks: tasks.map((task) => taskAnswer(scope, tx.tables, task, { includeTags: true })), failures }
}
