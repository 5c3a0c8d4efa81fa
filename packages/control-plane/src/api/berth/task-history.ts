import { z } from 'zod'
import type { TaskRecord } from '../../cell/records.ts'
import { resolveCluster, resolveTask } from '../ecs/arn-references.ts'
import { taskSummary, type TaskSummary } from './explain-task.ts'
import { hostLabelOf } from './host-label.ts'
import { type CellView, timestamp } from './read-operation.ts'

export const taskHistoryInput = z.strictObject({ cluster: z.string().optional(), task: z.string().min(1) })
export type TaskHistoryInput = z.infer<typeof taskHistoryInput>

/** Something that happened, in the order of time. */
export interface HistoryStep {
  /** In seconds since the epoch. */
  readonly at: number
  /** The status of ECS that began with it, if one did. */
  readonly status?: string
  readonly text: string
}

export interface TaskHistoryAnswer {
  readonly task: TaskSummary
  readonly steps: readonly HistoryStep[]
  readonly containers: readonly {
    readonly name: string
    readonly image: string
    readonly lastStatus: string
    readonly exitCode?: number
    readonly reason?: string
    readonly restarts: number
  }[]
  /** When this was asked, in seconds since the epoch: what a task that has not stopped is still at began before. */
  readonly now: number
}

/** Where the seconds of a task went. */
export function taskHistory(view: CellView, { cluster, task }: TaskHistoryInput): TaskHistoryAnswer {
  const { tables, scope, now } = view
  const record = resolveTask(tables, scope, resolveCluster(tables, scope, cluster).name, task)
  return {
    task: taskSummary(view, record),
    steps: taskSteps(record, hostLabelOf(tables.hosts.get(record.hostId ?? ''), record.hostId ?? 'no host').name),
    containers: record.containers.map(({ name, image, lastStatus, exitCode, reason, restartCount }) => ({
      name,
      image,
      lastStatus,
      ...(exitCode !== undefined && { exitCode }),
      ...(reason !== undefined && { reason }),
      restarts: restartCount,
    })),
    now: timestamp(now),
  }
}

const pullEnded = ({ stoppedReason = '' }: TaskRecord): string =>
  stoppedReason.startsWith('CannotPull') ? 'pull failed' : 'images are there; containers are made and started'

/** Each time that a task's record keeps, in the order in which they come when two are equal. */
const steps = [
  {
    time: 'createdAt',
    status: ({ queue }) => (queue === undefined ? 'PENDING' : 'PROVISIONING'),
    text: ({ queue }, host) => (queue === undefined ? `placed on ${host}` : 'waits for room'),
  },
  { time: 'placedAt', status: 'PENDING', text: (_, host) => `placed on ${host}` },
  { time: 'activatingAt', status: 'ACTIVATING', text: () => 'its network is being made' },
  { time: 'pullStartedAt', text: () => 'pull of images began' },
  { time: 'pullStoppedAt', text: pullEnded },
  { time: 'startedAt', status: 'RUNNING', text: () => 'containers run' },
  { time: 'healthyAt', text: () => 'its service counts it as healthy' },
  { time: 'unhealthyAt', text: () => 'its health check failed' },
  { time: 'deactivatingAt', status: 'DEACTIVATING', text: () => 'a container has ended' },
  {
    time: 'stoppingAt',
    status: 'STOPPING',
    text: (task) => `to stop: ${task.stoppedReason ?? 'for no reason that was told'}`,
  },
  { time: 'executionStoppedAt', text: () => 'all containers have ended' },
  { time: 'deprovisioningAt', status: 'DEPROVISIONING', text: () => 'cleaning up' },
  {
    time: 'stoppedAt',
    status: 'STOPPED',
    text: (task) => (task.stopCode === undefined ? 'stopped' : `stopped: ${task.stopCode}`),
  },
] as const satisfies readonly {
  readonly time: keyof TaskRecord
  readonly status?: string | ((task: TaskRecord) => string)
  readonly text: (task: TaskRecord, host: string) => string
}[]

/** The steps of a task, `host` being the name of the host that it was placed on. */
export const taskSteps = (task: TaskRecord, host: string): HistoryStep[] =>
  steps
    .flatMap((step) => {
      const at = task[step.time]
      if (at === undefined) return []
      const text = step.text(task, host)
      if (!('status' in step)) return [{ at: timestamp(at), text }]
      const status = typeof step.status === 'string' ? step.status : step.status(task)
      return [{ at: timestamp(at), status, text }]
    })
    .toSorted((a, b) => a.at - b.at)
