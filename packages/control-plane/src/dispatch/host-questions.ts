import type { ArnScope } from '@berth/shared/arn.ts'
import type {
  ContainerResourcesQuestion,
  HostAnswer,
  HostQuestion,
  TaskProtectionQuestion,
} from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { taskDefinitionKey, type TaskRecord } from '../cell/records.ts'
import type { ReadonlyTables } from '../cell/tables.ts'
import { taskOfArn } from '../cell/task-arns.ts'
import { canBeProtected, protectedUntil, protectionMinutes, withProtection } from '../cell/task-protection.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import { containerInTask } from './container-in-task.ts'
import { containerResources, type ResourceStores } from '../task-resources/container-resources.ts'
import { ResourceError } from '../task-resources/secret-store.ts'

export interface QuestionDeps extends Pick<ControlPlaneDeps, 'cell' | 'clock' | 'log' | 'scope'> {
  readonly resources: ResourceStores
}

type Answer = NonNullable<HostAnswer['answer']>

/**
 * Answers what a host asks while it works. A host hears of its own tasks only. What cannot be answered is answered with the reason.
 *
 * @throws StoreUnavailableError and CellClosedError, which end the session: the host asks again in the next one.
 */
export async function answerQuestion(
  hostId: string,
  { question }: HostQuestion,
  deps: QuestionDeps,
  signal: AbortSignal,
): Promise<Answer> {
  switch (question?.$case) {
    case 'containerResources':
      return answerResources(hostId, question.value, deps, signal)
    case 'taskProtection':
      return answerProtection(hostId, question.value, deps)
    default:
      return refusal('The control plane does not know this question.')
  }
}

async function answerResources(
  hostId: string,
  { taskArn, containerName }: ContainerResourcesQuestion,
  { cell, log, resources, scope }: QuestionDeps,
  signal: AbortSignal,
): Promise<Answer> {
  const container = await cell().read((tables) => {
    const task = taskOfHost(tables, scope, hostId, taskArn)
    const definition = task && tables.taskDefinitions.get(taskDefinitionKey(task.family, task.revision))
    return task?.desiredStatus === 'RUNNING' && definition
      ? containerInTask(task, definition, containerName)
      : undefined
  })
  if (container === undefined) return refusal('this host has no such container to start')
  try {
    return { $case: 'containerResources', value: await containerResources(container, resources, signal) }
  } catch (error) {
    if (error instanceof ResourceError) return refusal(error.message)
    signal.throwIfAborted()
    // Its message may hold a piece of a secret.
    log.error('what a container needs could not be fetched', { taskArn, containerName, error: (error as Error).name })
    return refusal('an internal error of the control plane')
  }
}

/** A task speaks for itself only, and changes nothing of itself but its protection. */
async function answerProtection(
  hostId: string,
  { taskArn, change }: TaskProtectionQuestion,
  { cell, clock, scope }: QuestionDeps,
): Promise<Answer> {
  const minutes = change?.enabled === true ? change.expiresInMinutes || protectionMinutes.fallback : 0
  if (minutes > protectionMinutes.most)
    return refusal(
      `expiresInMinutes must be between ${protectionMinutes.least} and ${protectionMinutes.most}, inclusive.`,
    )
  return cell().transact((tx): Answer => {
    const now = clock.now()
    const task = taskOfHost(tx.tables, scope, hostId, taskArn)
    if (task === undefined) return refusal('this host has no such task')
    if (!canBeProtected(task)) return protectionAnswer(undefined, 'TASK_NOT_VALID')
    if (change === undefined) return protectionAnswer(protectedUntil(task, now))
    const changed = withProtection(task, minutes === 0 ? undefined : now + minutes * 60_000)
    tx.put('tasks', task.id, changed)
    return protectionAnswer(changed.protectedUntil)
  })
}

const protectionAnswer = (until: number | undefined, failure = ''): Answer => ({
  $case: 'taskProtection',
  value: { enabled: until !== undefined, expiresAt: until ?? 0, failure },
})

/** The task, if it is on this host and has not ended. */
function taskOfHost(tables: ReadonlyTables, scope: ArnScope, hostId: string, taskArn: string): TaskRecord | undefined {
  const task = taskOfArn(tables, scope, taskArn)
  return task?.hostId === hostId && task.lastStatus !== 'STOPPED' ? task : undefined
}

const refusal = (error: string): Answer => ({ $case: 'error', value: error })
