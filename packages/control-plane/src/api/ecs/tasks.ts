import type { Failure, Task } from '@aws-sdk/client-ecs'
import { taskArn } from '@berth/shared/arn.ts'
import { stopTask } from '../../cell/task-changes.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { invalidParameter } from '../errors.ts'
import type { EcsHandlers } from '../operation.ts'
import { findTask, resolveCluster, resolveTask, taskIdOf } from './arn-references.ts'
import { listTasks } from './list-tasks.ts'
import { runTask } from './run-task.ts'
import { startTask } from './start-task.ts'
import { taskAnswer } from './task-json.ts'

/** ECS's own limit of tasks that one DescribeTasks may name. */
const tasksPerDescribe = 100

/** The longest reason of a StopTask that is kept, in characters. */
const reasonAtMost = 1024

/** Tasks: run, start, stop, and look. */
export function taskHandlers(
  deps: ControlPlaneDeps,
): Pick<EcsHandlers, 'RunTask' | 'StartTask' | 'StopTask' | 'DescribeTasks' | 'ListTasks'> {
  const { scope } = deps
  return {
    RunTask: async (input) => deps.cell().transact((tx) => runTask(tx, deps, input)),

    StartTask: async (input) => deps.cell().transact((tx) => startTask(tx, deps, input)),

    StopTask: async (input) =>
      deps.cell().transact((tx) => {
        const cluster = resolveCluster(tx.tables, scope, input.cluster)
        const task = resolveTask(tx.tables, scope, cluster.name, input.task)
        const reason = input.reason ? input.reason.slice(0, reasonAtMost) : 'Task stopped by user'
        const stopping = stopTask(task, { code: 'UserInitiated', reason }, deps.clock.now())
        if (stopping === task) return { task: taskAnswer(scope, tx.tables, task, { includeTags: true }) }
        // A task that its user stops loses its tags, as in ECS.
        const untagged = { ...stopping, tags: {} }
        tx.put('tasks', task.id, untagged)
        return { task: taskAnswer(scope, tx.tables, untagged, { includeTags: true }) }
      }),

    DescribeTasks: async (input) => {
      if (input.tasks.length === 0) throw invalidParameter('Tasks cannot be empty.')
      if (input.tasks.length > tasksPerDescribe)
        throw invalidParameter(`Tasks cannot have more than ${tasksPerDescribe} elements.`)
      const includeTags = input.include?.includes('TAGS') ?? false
      return deps.cell().read((tables) => {
        const cluster = resolveCluster(tables, scope, input.cluster)
        const tasks: Task[] = []
        const failures: Failure[] = []
        for (const id of new Set(input.tasks.map((idOrArn) => taskIdOf(scope, cluster.name, idOrArn)))) {
          const task = findTask(tables, scope, cluster.name, id)
          if (task === undefined) failures.push({ arn: taskArn(scope, cluster.name, id), reason: 'MISSING' })
          else tasks.push(taskAnswer(scope, tables, task, { includeTags }))
        }
        return { tasks, failures }
      })
    },

    ListTasks: async (input) => deps.cell().read((tables) => listTasks(tables, scope, input)),
  }
}
