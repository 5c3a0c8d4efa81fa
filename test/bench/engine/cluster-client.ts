import type { SignedClient } from '../lab/signed-client.ts'
import { until } from './until.ts'

export interface TaskView {
  readonly taskArn: string
  readonly lastStatus: string
  readonly containers: readonly { readonly lastStatus: string; readonly runtimeId?: string }[]
}

/** What the engine bench asks of a cluster, as a user would. */
export interface ClusterClient {
  createService(name: string, taskDefinition: string, desiredCount: number): Promise<void>
  /** Resolves when describe-services shows so many running. */
  untilRunning(name: string, count: number): Promise<void>
  deleteService(name: string): Promise<void>
  runTask(taskDefinition: string): Promise<string>
  stopTask(taskArn: string): Promise<void>
  /** Resolves with the task once describe-tasks shows it in this status. */
  untilStatus(taskArn: string, status: string, everyMs: number): Promise<TaskView>
  tasks(taskArns: readonly string[]): Promise<readonly TaskView[]>
  /** Resolves when no task is left that has not stopped. */
  untilEmpty(): Promise<void>
}

export function clusterClient(client: SignedClient): ClusterClient {
  const tasks = async (taskArns: readonly string[]) =>
    (await client.call<{ tasks: readonly TaskView[] }>('DescribeTasks', { tasks: taskArns })).tasks
  return {
    async createService(serviceName, taskDefinition, desiredCount) {
      await client.call('CreateService', { serviceName, taskDefinition, desiredCount, launchType: 'EC2' })
    },
    async untilRunning(name, count) {
      await until(
        `${count} running of ${name}`,
        async () => {
          const { services } = await client.call<{ services: readonly { runningCount: number }[] }>(
            'DescribeServices',
            {
              services: [name],
            },
          )
          return services[0]?.runningCount === count ? true : undefined
        },
        { everyMs: 10 },
      )
    },
    async deleteService(service) {
      await client.call('DeleteService', { service, force: true })
    },
    async runTask(taskDefinition) {
      const answer = await client.call<{ tasks: readonly TaskView[]; failures: readonly unknown[] }>('RunTask', {
        taskDefinition,
        launchType: 'EC2',
      })
      const [task] = answer.tasks
      if (!task) throw new Error(`no task was run: ${JSON.stringify(answer.failures)}`)
      return task.taskArn
    },
    async stopTask(task) {
      await client.call('StopTask', { task })
    },
    untilStatus: (taskArn, status, everyMs) =>
      until(
        `${taskArn} ${status}`,
        async () => {
          const [task] = await tasks([taskArn])
          if (task?.lastStatus === 'STOPPED' && status !== 'STOPPED')
            throw new Error(`${taskArn} stopped: ${JSON.stringify(task)}`)
          return task?.lastStatus === status ? task : undefined
        },
        { everyMs },
      ),
    tasks,
    async untilEmpty() {
      await until(
        'all tasks to stop',
        async () => {
          const running = await client.call<{ taskArns: readonly string[] }>('ListTasks', { desiredStatus: 'RUNNING' })
          const stopped = await client.call<{ taskArns: readonly string[] }>('ListTasks', { desiredStatus: 'STOPPED' })
          if (running.taskArns.length > 0) return undefined
          const all = stopped.taskArns.length === 0 ? [] : await tasks(stopped.taskArns)
          return all.every(({ lastStatus }) => lastStatus === 'STOPPED') ? true : undefined
        },
        { everyMs: 250 },
      )
    },
  }
}
