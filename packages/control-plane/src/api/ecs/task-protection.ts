import type { Failure, ProtectedTask } from '@aws-sdk/client-ecs'
import type { ArnScope } from '@berth/shared/arn.ts'
import type { TaskRecord } from '../../cell/records.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import { arnOfTask } from '../../cell/task-arns.ts'
import { canBeProtected, protectedUntil, protectionMinutes, withProtection } from '../../cell/task-protection.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { invalidParameter } from '../errors.ts'
import type { EcsHandlers, EcsInput } from '../operation.ts'
import { resolveCluster, taskIdOf } from './arn-references.ts'

/** How many tasks one call may name (ECS API reference). */
const tasksPerUpdate = 10
const tasksPerGet = 100

/** Protection of service tasks against scale-in and deployments. */
export function taskProtectionHandlers(
  deps: ControlPlaneDeps,
): Pick<EcsHandlers, 'GetTaskProtection' | 'UpdateTaskProtection'> {
  const { clock } = deps
  return {
    GetTaskProtection: async (input) => {
      const ids = input.tasks ?? []
      assertTasks(ids, tasksPerGet)
      return deps.cell().read((tables) => {
        const { tasks, failures } = serviceTasks(tables, deps, input.cluster, ids)
        return { protectedTasks: tasks.map((task) => protectionAnswer(deps.scope, task, clock.now())), failures }
      })
    },

    UpdateTaskProtection: async (input) => {
      assertTasks(input.tasks, tasksPerUpdate)
      const minutes = minutesOf(input)
      return deps.cell().transact((tx) => {
        const now = clock.now()
        const { tasks, failures } = serviceTasks(tx.tables, deps, input.cluster, input.tasks)
        const changed = tasks.map((task) => withProtection(task, minutes === 0 ? undefined : now + minutes * 60_000))
        for (const task of changed) tx.put('tasks', task.id, task)
        return { protectedTasks: changed.map((task) => protectionAnswer(deps.scope, task, now)), failures }
      })
    },
  }
}

function assertTasks(tasks: readonly string[], atMost: number): void {
  if (tasks.length === 0) throw invalidParameter('Tasks cannot be empty.')
  if (tasks.length > atMost) throw invalidParameter(`Tasks cannot have more than ${atMost} elements.`)
}

/** How long tasks are to be protected; 0 for not any more. */
function minutesOf({ protectionEnabled, expiresInMinutes }: EcsInput<'UpdateTaskProtection'>): number {
  if (!protectionEnabled) return 0
  const { fallback, least, most } = protectionMinutes
  const minutes = expiresInMinutes ?? fallback
  if (minutes < least || minutes > most)
    throw invalidParameter(`expiresInMinutes must be between ${least} and ${most}, inclusive.`)
  return minutes
}

/** The tasks that can be protected: those of services, which have not ended. */
function serviceTasks(
  tables: ReadonlyTables,
  { scope }: Pick<ControlPlaneDeps, 'scope'>,
  clusterNameOrArn: string,
  idsOrArns: readonly string[],
): { readonly tasks: readonly TaskRecord[]; readonly failures: Failure[] } {
  const { name: cluster } = resolveCluster(tables, scope, clusterNameOrArn)
  const tasks: TaskRecord[] = []
  const failures: Failure[] = []
  for (const id of new Set(idsOrArns.map((idOrArn) => taskIdOf(scope, cluster, idOrArn)))) {
    const task = tables.tasks.get(id)
    if (task?.cluster !== cluster) failures.push({ arn: arnOfTask(scope, { cluster, id }), reason: 'MISSING' })
    else if (canBeProtected(task)) tasks.push(task)
    else failures.push({ arn: arnOfTask(scope, task), reason: 'TASK_NOT_VALID' })
  }
  return { tasks, failures }
}

function protectionAnswer(scope: ArnScope, task: TaskRecord, now: number): ProtectedTask {
  const until = protectedUntil(task, now)
  return {
    taskArn: arnOfTask(scope, task),
    protectionEnabled: until !== undefined,
    ...(until !== undefined && { expirationDate: new Date(until) }),
  }
}
