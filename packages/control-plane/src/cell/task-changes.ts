import type * as ecs from '@aws-sdk/client-ecs'
import type { ContainerReport, TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import {
  containerStatusOfRank,
  containerStatusRank,
  mayMove,
  type TaskStatus,
  taskStatusOfRank,
  taskStatusRank,
} from '@berth/shared/task-status.ts'
import type { NetworkInterfaceRecord, TaskContainerRecord, TaskRecord } from './records.ts'

/** Why a task is to stop, as clients see it. */
export interface StopCause {
  readonly code: ecs.TaskStopCode
  readonly reason: string
}

/**
 * Asks a task to stop: its host is told, and reports how far it got. A task without a host is STOPPED at once. A task that is
 * to stop already keeps the reason that it has, and is returned as it is.
 */
export function stopTask(task: TaskRecord, cause: StopCause, now: number): TaskRecord {
  if (task.desiredStatus === 'STOPPED' || task.lastStatus === 'STOPPED') return task
  if (task.hostId === undefined) return endTask(task, cause, now)
  return {
    ...task,
    desiredStatus: 'STOPPED',
    stopCode: cause.code,
    stoppedReason: cause.reason,
    stoppingAt: now,
    version: task.version + 1,
  }
}

/**
 * Gives a task up without its host's word: the host is lost, or was deregistered. Its claim ends with that. A reason that it
 * was stopped for before stays.
 */
export function endTask(task: TaskRecord, cause: StopCause, now: number): TaskRecord {
  if (task.lastStatus === 'STOPPED') return task
  return {
    ...task,
    desiredStatus: 'STOPPED',
    lastStatus: 'STOPPED',
    stopCode: task.stopCode ?? cause.code,
    stoppedReason: task.stoppedReason ?? cause.reason,
    stoppingAt: task.stoppingAt ?? now,
    executionStoppedAt: task.executionStoppedAt ?? now,
    stoppedAt: now,
    connectivity: 'DISCONNECTED',
    connectivityAt: now,
    containers: task.containers.map((container) => ({ ...container, lastStatus: 'STOPPED' })),
    ...(task.networkInterface && { networkInterface: { ...task.networkInterface, status: 'DELETED' } }),
    version: task.version + 1,
  }
}

/** The cause of tasks of a host that has not been heard of for too long, in ECS's words. */
export const hostLost = (ec2InstanceId: string): StopCause => ({
  code: 'TerminationNotice',
  reason: `Host EC2 (instance ${ec2InstanceId}) stopped/terminated`,
})

/** The cause of tasks of a host that was deregistered with them on it. */
export const hostDeregistered: StopCause = {
  code: 'TerminationNotice',
  reason: 'Container instance deregistration forced by user',
}

/** Notes that the host of a task is, or is not, heard of. */
export function setConnectivity(task: TaskRecord, connectivity: TaskRecord['connectivity'], now: number): TaskRecord {
  if (task.lastStatus === 'STOPPED' || task.connectivity === connectivity) return task
  return { ...task, connectivity, connectivityAt: now, version: task.version + 1 }
}

/**
 * Takes a host's report of a task into its record. Status only goes forward and containers never come back to life, so that
 * reports which come twice or late do no harm. Returns the same object when nothing is new; else its version is one higher.
 */
export function applyTaskReport(task: TaskRecord, report: TaskReport, now: number): TaskRecord {
  if (task.lastStatus === 'STOPPED') return task
  const lastStatus = forwardStatus(task.lastStatus, report.status)
  const stopped = lastStatus === 'STOPPED'
  const containers = applyContainerReports(task.containers, report.containers, stopped)
  const networkInterface = task.networkInterface && applyNetwork(task.networkInterface, report, stopped)
  const changes: Partial<TaskRecord> = {
    lastStatus,
    containers,
    ...(networkInterface && { networkInterface }),
    ...connectivityChange(task, lastStatus, now),
    ...reportedTimes(task, report),
    ...(lastStatus !== task.lastStatus && statusTimes(task, lastStatus, report, now)),
    ...(isEnding(lastStatus) && endingChange(task, report)),
  }
  if (isUnchanged(task, changes)) return task
  return { ...task, ...changes, version: task.version + 1 }
}

function forwardStatus(from: TaskStatus, reportedRank: number): TaskStatus {
  const reported = taskStatusOfRank(reportedRank)
  return reported !== undefined && mayMove('agent', from, reported) ? reported : from
}

const isEnding = (status: TaskStatus): boolean => taskStatusRank[status] >= taskStatusRank.DEACTIVATING

/** A task that ends by itself is to stay ended: what the control plane asked for before is what is shown. */
const endingChange = (task: TaskRecord, report: TaskReport): Partial<TaskRecord> => ({
  desiredStatus: 'STOPPED',
  ...(task.stopCode === undefined && report.stopCode !== '' && { stopCode: report.stopCode as ecs.TaskStopCode }),
  ...(task.stoppedReason === undefined && report.stoppedReason !== '' && { stoppedReason: report.stoppedReason }),
})

/** A host that reports is heard of. Tasks show it from the moment they have something to say. */
function connectivityChange(task: TaskRecord, status: TaskStatus, now: number): Partial<TaskRecord> {
  if (task.connectivity === 'CONNECTED' || taskStatusRank[status] < taskStatusRank.ACTIVATING) return {}
  return { connectivity: 'CONNECTED', connectivityAt: now }
}

const reportedTimeNames = ['pullStartedAt', 'pullStoppedAt', 'startedAt', 'stoppingAt', 'executionStoppedAt'] as const

/** The host's times, each kept as it was first told. */
function reportedTimes(task: TaskRecord, report: TaskReport): Partial<TaskRecord> {
  const times: { -readonly [Name in (typeof reportedTimeNames)[number]]?: number } = {}
  for (const name of reportedTimeNames) if (task[name] === undefined && report[name] > 0) times[name] = report[name]
  return times
}

/** Steps that the host tells no time of: when it was heard that a task is there. */
const heardTimeNames = {
  ACTIVATING: 'activatingAt',
  DEACTIVATING: 'deactivatingAt',
  DEPROVISIONING: 'deprovisioningAt',
} as const satisfies Partial<Record<TaskStatus, keyof TaskRecord>>

/** Times of steps that the host tells none of, or told none of though clients rely on them. */
function statusTimes(task: TaskRecord, status: TaskStatus, report: TaskReport, now: number): Partial<TaskRecord> {
  if (status === 'ACTIVATING' || status === 'DEACTIVATING' || status === 'DEPROVISIONING')
    return { [heardTimeNames[status]]: now }
  if (status === 'RUNNING' && report.startedAt === 0) return { startedAt: now }
  if (status !== 'STOPPED') return {}
  return {
    ...(task.stoppingAt === undefined && report.stoppingAt === 0 && { stoppingAt: now }),
    ...(task.executionStoppedAt === undefined && report.executionStoppedAt === 0 && { executionStoppedAt: now }),
    stoppedAt: report.stoppedAt > 0 ? report.stoppedAt : now,
  }
}

function applyContainerReports(
  containers: readonly TaskContainerRecord[],
  reports: readonly ContainerReport[],
  taskStopped: boolean,
): readonly TaskContainerRecord[] {
  const byName = new Map(reports.map((report) => [report.name, report]))
  const updated = containers.map((container) => {
    const report = byName.get(container.name)
    const told = report === undefined ? container : applyContainerReport(container, report)
    return taskStopped && told.lastStatus !== 'STOPPED' ? { ...told, lastStatus: 'STOPPED' as const } : told
  })
  return updated.every((container, index) => container === containers[index]) ? containers : updated
}

function applyContainerReport(container: TaskContainerRecord, report: ContainerReport): TaskContainerRecord {
  const status = containerStatusOfRank(report.status) ?? container.lastStatus
  const restarted = report.restartCount > container.restartCount
  const goesBack = containerStatusRank[status] < containerStatusRank[container.lastStatus]
  if (report.restartCount < container.restartCount || (goesBack && !restarted)) return container
  const changes: Partial<TaskContainerRecord> = {
    lastStatus: status,
    restartCount: report.restartCount,
    healthStatus: healthStatusOf(report.healthStatus) ?? container.healthStatus,
    ...(report.runtimeId !== '' && { runtimeId: report.runtimeId }),
    ...(report.imageDigest !== '' && { imageDigest: report.imageDigest }),
    ...(report.exitCode !== undefined && { exitCode: report.exitCode }),
    ...(report.reason !== '' && { reason: report.reason }),
    ...(report.bindings.length > 0 && { networkBindings: bindingsOf(report) }),
  }
  return isUnchanged(container, changes) ? container : { ...container, ...changes }
}

const bindingsOf = ({ bindings, bindIp }: ContainerReport): TaskContainerRecord['networkBindings'] =>
  bindings.map(({ containerPort, hostPort, protocol }) => ({ bindIP: bindIp, containerPort, hostPort, protocol }))

const healthStatuses: readonly TaskContainerRecord['healthStatus'][] = ['HEALTHY', 'UNHEALTHY', 'UNKNOWN']
/** The text of the list, so that a record does not keep one that came with a report. */
const healthStatusOf = (text: string) => healthStatuses.find((status) => status === text)

function applyNetwork(
  before: NetworkInterfaceRecord,
  { network }: TaskReport,
  taskStopped: boolean,
): NetworkInterfaceRecord {
  const attached = network !== undefined && network.privateIpv4 !== ''
  const changes: Partial<NetworkInterfaceRecord> = {
    status: taskStopped ? 'DELETED' : attached ? 'ATTACHED' : before.status,
    ...(attached && { privateIpv4: network.privateIpv4 }),
    ...(attached && network.macAddress !== '' && { macAddress: network.macAddress }),
  }
  return isUnchanged(before, changes) ? before : { ...before, ...changes }
}

/** Whether `changes` say nothing that the record does not. Lists are compared by what is in them. */
const isUnchanged = <R extends object>(record: R, changes: Partial<R>): boolean =>
  (Object.keys(changes) as (keyof R)[]).every(
    (name) => record[name] === changes[name] || JSON.stringify(record[name]) === JSON.stringify(changes[name]),
  )
