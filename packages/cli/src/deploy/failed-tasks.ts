import { shortName } from '@berth/shared/arn.ts'
import { counted } from '../counted.ts'
import type { EcsClient } from '../ecs/ecs-client.ts'

/** What is read of DescribeTasks. */
interface TaskAnswer {
  readonly taskArn: string
  readonly startedBy?: string
  readonly stopCode?: string
  readonly stoppedReason?: string
  readonly stoppedAt?: number
  readonly containers?: readonly {
    readonly name: string
    readonly exitCode?: number
    readonly reason?: string
  }[]
}

/** A task that ended although nobody asked it to, or that its health check ended. */
export interface FailedTask {
  readonly taskId: string
  readonly stopCode: string
  readonly stoppedReason: string
  /** Those that say something of the end. */
  readonly containers: readonly { readonly name: string; readonly exitCode?: number; readonly reason?: string }[]
  /** In seconds since the epoch. */
  readonly stoppedAt: number
}

/** As many as DescribeTasks takes. */
const mostAsked = 100

/** The tasks of a deployment that failed, oldest first, of the last hundred of the service that stopped. */
export async function failedTasks(
  ecs: EcsClient,
  {
    cluster,
    service,
    deploymentId,
  }: { readonly cluster: string | undefined; readonly service: string; readonly deploymentId: string },
): Promise<readonly FailedTask[]> {
  const { taskArns } = await ecs<{ taskArns: readonly string[] }>('ListTasks', {
    cluster,
    serviceName: service,
    desiredStatus: 'STOPPED',
    maxResults: mostAsked,
  })
  if (taskArns.length === 0) return []
  const { tasks } = await ecs<{ tasks: readonly TaskAnswer[] }>('DescribeTasks', { cluster, tasks: taskArns })
  return tasks
    .filter((task) => task.startedBy === deploymentId && hasFailed(task))
    .map((task) => ({
      taskId: shortName(task.taskArn),
      stopCode: task.stopCode ?? '',
      stoppedReason: task.stoppedReason ?? '',
      containers: (task.containers ?? [])
        .filter(({ exitCode, reason }) => reason !== undefined || (exitCode !== undefined && exitCode !== 0))
        .map(({ name, exitCode, reason }) => ({
          name,
          ...(exitCode !== undefined && { exitCode }),
          ...(reason !== undefined && { reason }),
        })),
      stoppedAt: task.stoppedAt ?? 0,
    }))
    .toSorted((a, b) => a.stoppedAt - b.stoppedAt)
}

/** A task whose health check failed was stopped by its service, like one that is too many: only the reason tells them apart. */
const hasFailed = ({ stopCode, stoppedReason }: TaskAnswer): boolean =>
  stopCode === 'TaskFailedToStart' ||
  stopCode === 'EssentialContainerExited' ||
  (stopCode === 'ServiceSchedulerInitiated' && /failed .*health checks/.test(stoppedReason ?? ''))

/** Why a task failed, in one line: what its containers say, else what it says itself. */
export function failureWords({ containers, stoppedReason, stopCode }: FailedTask): string {
  const said = containers.map(({ name, exitCode, reason }) =>
    [
      `${name}:`,
      ...(exitCode === undefined ? [] : [`exit code ${exitCode}`]),
      ...(reason === undefined ? [] : [reason]),
    ].join(' '),
  )
  return said.length > 0 ? said.join('; ') : stoppedReason || stopCode
}

/** Failed tasks as a person reads them: those that failed alike together, most of them first. */
export function failureLines(tasks: readonly FailedTask[]): readonly string[] {
  const alike = Map.groupBy(tasks, failureWords)
  return [...alike]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([words, of]) => `${counted(of.length, 'task')}, such as ${of.at(-1)?.taskId}: ${words}`)
}
