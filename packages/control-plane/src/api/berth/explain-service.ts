import { shortName } from '@berth/shared/arn.ts'
import { z } from 'zod'
import { type DeploymentRecord, type ServiceRecord, serviceKey, type TaskRecord } from '../../cell/records.ts'
import { primaryDeployment } from '../../cell/service-changes.ts'
import { serviceLaunch, taskDefinitionOfArn } from '../../cell/service-launch.ts'
import { countTasks } from '../../cell/task-health.ts'
import { placementRequestOf } from '../../cell/task-blueprint.ts'
import { explain } from '../../scheduler/explain.ts'
import { place } from '../../scheduler/placement.ts'
import type { PlacementRequest } from '../../scheduler/placement-request.ts'
import { resolveCluster, resolveService } from '../ecs/arn-references.ts'
import {
  type ExplanationAnswer,
  explanationAnswer,
  type PlacementAnswer,
  placementAnswer,
} from './explanation-answer.ts'
import { type HostLabel, hostLabelOf } from './host-label.ts'
import { type CellView, timestamp } from './read-operation.ts'

export const explainServiceInput = z.strictObject({ cluster: z.string().optional(), service: z.string().min(1) })
export type ExplainServiceInput = z.infer<typeof explainServiceInput>

/** A service in few words: what explanations and histories begin with. */
export interface ServiceSummary {
  readonly serviceArn: string
  readonly serviceName: string
  readonly cluster: string
  readonly status: string
  readonly schedulingStrategy: 'REPLICA' | 'DAEMON'
  /** `family:revision`; empty where an external controller deploys the service and it has no primary task set. */
  readonly taskDefinition: string
  readonly desiredCount: number
  readonly runningCount: number
  readonly pendingCount: number
}

/** What a service that lacks tasks waits for. */
export type Waiting =
  /** There is no room for so many of its tasks at this moment. */
  | { readonly kind: 'room'; readonly tasks: number }
  /** Tasks failed before they ran, and the next start is put off until then, in seconds since the epoch. */
  | { readonly kind: 'throttle'; readonly until: number }
  /** The deployment failed. */
  | { readonly kind: 'failed-deployment'; readonly reason: string }
  /** There is room: tasks of other deployments must stop first, or it is about to start them. */
  | { readonly kind: 'turn'; readonly tasks: number }

export interface PlacedTaskAnswer {
  readonly taskId: string
  readonly lastStatus: string
  readonly host: HostLabel
  readonly placement?: PlacementAnswer
}

export interface ExplainServiceAnswer {
  readonly service: ServiceSummary
  /** Tasks of its newest deployment that failed in a row, and what the last of them ended with. */
  readonly failing?: { readonly tasks: number; readonly reason: string }
  /** How many tasks of its newest deployment are missing now. */
  readonly missing: number
  readonly waiting: readonly Waiting[]
  /** What stands in the way of one more task, worked out now; for REPLICA only when one is missing. */
  readonly explanation?: ExplanationAnswer
  /** The newest of its tasks, as many as `toldTasks`. */
  readonly tasks: readonly PlacedTaskAnswer[]
}

/** How many tasks are told about one by one. */
const toldTasks = 20

/** Why a service's tasks are where they are, and what those that are missing wait for. */
export function explainService(view: CellView, { cluster, service }: ExplainServiceInput): ExplainServiceAnswer {
  const { tables, scope } = view
  const record = resolveService(tables, scope, resolveCluster(tables, scope, cluster).name, service)
  const live = liveTasks(view, record)
  const primary = primaryDeployment(record)
  return {
    service: serviceSummary(view, record),
    ...(primary !== undefined && primary.failedTasks > 0 && { failing: failureOf(view, record, primary) }),
    ...(primary === undefined || record.status !== 'ACTIVE'
      ? { missing: 0, waiting: [] }
      : situationOf(view, record, primary, live)),
    tasks: live
      .toSorted((a, b) => b.createdAt - a.createdAt)
      .slice(0, toldTasks)
      .map((task) => placedTask(view, task)),
  }
}

type Situation = Pick<ExplainServiceAnswer, 'missing' | 'waiting' | 'explanation'>

function situationOf(
  view: CellView,
  service: ServiceRecord,
  primary: DeploymentRecord,
  live: readonly TaskRecord[],
): Situation {
  const definition = taskDefinitionOfArn(view.tables, primary.taskDefinitionArn)
  if (definition === undefined) return { missing: 0, waiting: [] }
  const request = placementRequestOf(view.tables, serviceLaunch(service, primary, definition))
  if (service.schedulingStrategy === 'DAEMON') return daemonSituation(view, primary, request)
  const missing = Math.max(0, service.desiredCount - live.filter((task) => task.deploymentId === primary.id).length)
  if (missing === 0) return { missing, waiting: heldBack(view, primary) }
  const { unplaced, explanation } = place(view.fleet, { ...request, count: missing, explainPlaced: true }, view.random)
  const held = heldBack(view, primary)
  const waiting: Waiting[] = [...held]
  if (unplaced > 0) waiting.push({ kind: 'room', tasks: unplaced })
  else if (held.length === 0) waiting.push({ kind: 'turn', tasks: missing })
  return { missing, waiting, ...(explanation && { explanation: explanationAnswer(view.tables, explanation) }) }
}

/** A daemon has one task on each host that fits: the hosts that have one are told as such, and what the others lack. */
function daemonSituation(view: CellView, primary: DeploymentRecord, request: PlacementRequest): Situation {
  const once = { ...request, constraints: [...request.constraints, { type: 'distinctInstance' as const }] }
  const explanation = explain(view.fleet, once)
  const waiting: Waiting[] = [...heldBack(view, primary)]
  if (explanation.suitable > 0 && waiting.length === 0) waiting.push({ kind: 'turn', tasks: explanation.suitable })
  return { missing: explanation.suitable, waiting, explanation: explanationAnswer(view.tables, explanation) }
}

/** What keeps a deployment from starting tasks, room or not. */
function heldBack({ now }: CellView, primary: DeploymentRecord): Waiting[] {
  const { notBefore = 0, rolloutState, rolloutStateReason } = primary
  const waiting: Waiting[] = []
  if (rolloutState === 'FAILED') waiting.push({ kind: 'failed-deployment', reason: rolloutStateReason })
  if (notBefore > now) waiting.push({ kind: 'throttle', until: timestamp(notBefore) })
  return waiting
}

function failureOf({ tables }: CellView, service: ServiceRecord, { id, failedTasks }: DeploymentRecord) {
  let last: TaskRecord | undefined
  for (const task of tables.tasks.by('service', serviceKey(service.cluster, service.name)))
    if (task.deploymentId === id && (task.stoppedAt ?? 0) > (last?.stoppedAt ?? 0)) last = task
  return { tasks: failedTasks, reason: last?.stoppedReason ?? 'not known any more' }
}

const liveTasks = ({ tables }: CellView, { cluster, name }: ServiceRecord): TaskRecord[] =>
  Array.from(tables.tasks.by('serviceUnsettled', serviceKey(cluster, name))).filter(
    (task) => task.desiredStatus === 'RUNNING' && task.lastStatus !== 'STOPPED',
  )

const placedTask = ({ tables }: CellView, task: TaskRecord): PlacedTaskAnswer => ({
  taskId: task.id,
  lastStatus: task.lastStatus,
  host: hostLabelOf(tables.hosts.get(task.hostId ?? ''), task.hostId ?? ''),
  ...(task.placement !== undefined && { placement: placementAnswer(task.placement, task.group) }),
})

export function serviceSummary({ tables }: CellView, service: ServiceRecord): ServiceSummary {
  const { running, pending } = countTasks(
    tables.tasks.by('serviceUnsettled', serviceKey(service.cluster, service.name)),
  )
  return {
    serviceArn: service.arn,
    serviceName: service.name,
    cluster: service.cluster,
    status: service.status,
    schedulingStrategy: service.schedulingStrategy,
    taskDefinition: shortName(service.taskDefinitionArn ?? ''),
    desiredCount: service.desiredCount,
    runningCount: running,
    pendingCount: pending,
  }
}
