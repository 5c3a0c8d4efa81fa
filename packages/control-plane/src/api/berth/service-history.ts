import { shortName } from '@berth/shared/arn.ts'
import { z } from 'zod'
import type { DeploymentState, DeploymentStep, PastDeployment, ServiceRecord, TaskRecord } from '../../cell/records.ts'
import { serviceKey } from '../../cell/records.ts'
import { resolveCluster, resolveService } from '../ecs/arn-references.ts'
import { serviceSummary, type ServiceSummary } from './explain-service.ts'
import { type CellView, timestamp } from './read-operation.ts'
import type { HistoryStep } from './task-history.ts'

export const serviceHistoryInput = z.strictObject({ cluster: z.string().optional(), service: z.string().min(1) })
export type ServiceHistoryInput = z.infer<typeof serviceHistoryInput>

export interface DeploymentHistory {
  readonly id: string
  /** `family:revision` */
  readonly taskDefinition: string
  /** What became of it last. */
  readonly state: DeploymentState
  readonly reason: string
  readonly steps: readonly HistoryStep[]
}

export interface ServiceHistoryAnswer {
  readonly service: ServiceSummary
  /** Newest first. */
  readonly deployments: readonly DeploymentHistory[]
  /** When this was asked, in seconds since the epoch. */
  readonly now: number
}

/** Where the seconds of a service's deployments went. */
export function serviceHistory(view: CellView, { cluster, service }: ServiceHistoryInput): ServiceHistoryAnswer {
  const { tables, scope, now } = view
  const record = resolveService(tables, scope, resolveCluster(tables, scope, cluster).name, service)
  const tasks = [...tables.tasks.by('service', serviceKey(record.cluster, record.name))]
  return {
    service: serviceSummary(view, record),
    deployments: deploymentsOf(record)
      .toSorted((a, b) => b.createdAt - a.createdAt)
      .map((deployment) => deploymentHistory(deployment, tasks)),
    now: timestamp(now),
  }
}

const deploymentsOf = ({ deployments, pastDeployments = [] }: ServiceRecord): PastDeployment[] => [
  ...deployments.map(({ steps = [], ...deployment }) => ({ ...deployment, steps })),
  ...pastDeployments,
]

const deploymentWords: Readonly<Record<DeploymentState, string>> = {
  IN_PROGRESS: 'in progress again',
  COMPLETED: 'completed',
  FAILED: 'failed',
  REPLACED: 'replaced by another deployment',
  RETURNED: 'rolled back to',
}

/** How a deployment went: its own steps, and how far its tasks and those that it replaced were in the time it took. */
function deploymentHistory(deployment: PastDeployment, tasks: readonly TaskRecord[]): DeploymentHistory {
  const { id, taskDefinitionArn, desiredCount, createdAt, rolloutStateReason } = deployment
  const settledAt = deployment.steps.find(([state]) => state !== 'IN_PROGRESS')?.[1] ?? Number.POSITIVE_INFINITY
  const own = tasks.filter((task) => task.deploymentId === id)
  const during = own.filter((task) => task.createdAt <= settledAt)
  const replaced = tasks.filter(
    (task) => task.deploymentId !== id && (task.stoppingAt ?? 0) >= createdAt && (task.stoppingAt ?? 0) <= settledAt,
  )
  const began = `began: ${shortName(taskDefinitionArn)}, ${counted(desiredCount, 'task')} wanted`
  const milestones = [
    ...firstAndLast(during, 'createdAt', 'placed'),
    ...firstAndLast(during.filter(hasImage), 'pullStoppedAt', 'with its image'),
    ...firstAndLast(during, 'startedAt', 'RUNNING'),
    ...firstAndLast(during, 'healthyAt', 'healthy'),
    ...failures(during),
    ...firstAndLast(replaced, 'stoppingAt', 'of an older deployment told to stop'),
    ...firstAndLast(replaced, 'stoppedAt', 'of an older deployment STOPPED'),
    ...later(own.filter((task) => task.createdAt > settledAt)),
  ]
  return {
    id,
    taskDefinition: shortName(taskDefinitionArn),
    state: deployment.steps.at(-1)?.[0] ?? 'IN_PROGRESS',
    reason: rolloutStateReason,
    steps: [
      { at: timestamp(createdAt), status: 'IN_PROGRESS', text: began },
      ...milestones.toSorted((a, b) => a.at - b.at),
      ...deployment.steps.map(deploymentStep),
    ].toSorted((a, b) => a.at - b.at),
  }
}

const deploymentStep = ([state, at]: DeploymentStep): HistoryStep => ({
  at: timestamp(at),
  status: state,
  text: deploymentWords[state],
})

/** A pull that failed or was given up has ended as well: then the task is to stop and never ran. */
const hasImage = ({ startedAt, desiredStatus }: TaskRecord): boolean =>
  startedAt !== undefined || desiredStatus !== 'STOPPED'

type TaskTime = 'createdAt' | 'pullStoppedAt' | 'startedAt' | 'healthyAt' | 'stoppingAt' | 'stoppedAt'

/** When the first task was so far, and when the last one was. */
function firstAndLast(tasks: readonly TaskRecord[], time: TaskTime, what: string): HistoryStep[] {
  const times = tasks.flatMap((task) => task[time] ?? []).toSorted((a, b) => a - b)
  const [first] = times
  const last = times.at(-1)
  if (first === undefined || last === undefined) return []
  const all = { at: timestamp(last), text: `${counted(times.length, 'task')} ${what}` }
  return times.length === 1 || first === last ? [all] : [{ at: timestamp(first), text: `first task ${what}` }, all]
}

/** How many failures are told one by one. */
const toldFailures = 5

function failures(tasks: readonly TaskRecord[]): HistoryStep[] {
  const failed = tasks
    .filter(({ stopCode }) => stopCode === 'TaskFailedToStart' || stopCode === 'EssentialContainerExited')
    .toSorted((a, b) => (a.stoppedAt ?? 0) - (b.stoppedAt ?? 0))
  const told = failed.slice(0, toldFailures).map((task) => ({
    at: timestamp(task.stoppedAt ?? task.createdAt),
    text: `task ${task.id} failed: ${task.stoppedReason ?? task.stopCode ?? 'for no reason that was told'}`,
  }))
  const last = failed.at(-1)
  if (last === undefined || failed.length <= toldFailures) return told
  const more = { at: timestamp(last.stoppedAt ?? last.createdAt), text: `${failed.length - toldFailures} more failed` }
  return [...told, more]
}

/** Replacements and scaling are no part of the deployment's own time. */
const later = (tasks: readonly TaskRecord[]): HistoryStep[] =>
  tasks.length === 0
    ? []
    : [
        {
          at: timestamp(Math.max(...tasks.map(({ createdAt }) => createdAt))),
          text: `${counted(tasks.length, 'task')} started since`,
        },
      ]

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
