import { z } from 'zod'
import { isWaiting, type TaskRecord } from '../../cell/records.ts'
import { arnOfTask } from '../../cell/task-arns.ts'
import { resolveCluster, resolveTask } from '../ecs/arn-references.ts'
import { explainWaiting, type WaitingAnswer } from './explain-waiting.ts'
import { type PlacementAnswer, placementAnswer } from './explanation-answer.ts'
import { type HostLabel, hostLabelOf } from './host-label.ts'
import { type CellView, timestamp } from './read-operation.ts'

export const explainTaskInput = z.strictObject({ cluster: z.string().optional(), task: z.string().min(1) })
export type ExplainTaskInput = z.infer<typeof explainTaskInput>

/** A task in few words: what explanations and histories begin with. */
export interface TaskSummary {
  readonly taskArn: string
  readonly taskId: string
  readonly cluster: string
  readonly group: string
  /** `family:revision` */
  readonly taskDefinition: string
  readonly serviceName?: string
  readonly launchType: string
  readonly lastStatus: string
  readonly desiredStatus: string
  readonly stopCode?: string
  readonly stoppedReason?: string
  readonly host?: HostLabel
  /** In seconds since the epoch. */
  readonly createdAt: number
}

export interface ExplainTaskAnswer {
  readonly task: TaskSummary
  /** What it takes of its host. */
  readonly takes: {
    readonly cpu: number
    readonly memory: number
    readonly gpus: number
    readonly networkInterfaces: number
    /** Custom resources by name; absent where it takes none. */
    readonly custom?: Readonly<Record<string, number>>
    readonly ports: readonly string[]
  }
  /** Absent for a task that has no host. */
  readonly placement?: PlacementAnswer
  /** Present for a task that waits for room. */
  readonly waiting?: WaitingAnswer
}

/** Why a task is where it is, or why it waits. */
export function explainTask(view: CellView, { cluster, task }: ExplainTaskInput): ExplainTaskAnswer {
  const { tables, scope } = view
  const record = resolveTask(tables, scope, resolveCluster(tables, scope, cluster).name, task)
  const { claim, placement } = record
  const waiting = isWaiting(record) ? explainWaiting(view, record) : undefined
  return {
    task: taskSummary(view, record),
    takes: {
      cpu: claim.cpu,
      memory: claim.memoryMib,
      gpus: claim.gpus,
      networkInterfaces: claim.networkInterfaces,
      ...(claim.custom !== undefined && { custom: claim.custom }),
      ports: [
        ...claim.ports.map(({ port, protocol }) => `${port}/${protocol}`),
        ...claim.dynamicPorts.map((port) => `${port} (picked)`),
      ],
    },
    ...(placement !== undefined && { placement: placementAnswer(placement, record.group) }),
    ...(waiting !== undefined && { waiting }),
  }
}

export const taskSummary = ({ tables, scope }: CellView, task: TaskRecord): TaskSummary => ({
  taskArn: arnOfTask(scope, task),
  taskId: task.id,
  cluster: task.cluster,
  group: task.group,
  taskDefinition: `${task.family}:${task.revision}`,
  ...(task.serviceName !== undefined && { serviceName: task.serviceName }),
  launchType: task.launchType,
  lastStatus: task.lastStatus,
  desiredStatus: task.desiredStatus,
  ...(task.stopCode !== undefined && { stopCode: task.stopCode }),
  ...(task.stoppedReason !== undefined && { stoppedReason: task.stoppedReason }),
  ...(task.hostId !== undefined && { host: hostLabelOf(tables.hosts.get(task.hostId), task.hostId) }),
  createdAt: timestamp(task.createdAt),
})
