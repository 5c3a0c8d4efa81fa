import type { ContainerReport, TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { containerStatusRank, taskStatusRank } from '@berth/shared/task-status.ts'
import { type ContainerState, type TaskState, usesTaskNetwork } from './task-state.ts'

/** What the control plane is told of a task. `bindIp` is the address that the host's ports are bound on. */
export function taskReport(task: TaskState, bindIp: string): TaskReport {
  const pause = task.containers.find((container) => container.isPause)
  const hasAddress = usesTaskNetwork(task.assignment) && pause !== undefined && pause.address !== ''
  return {
    taskArn: task.assignment.taskArn,
    status: taskStatusRank[task.status],
    stopCode: task.stop?.code ?? '',
    stoppedReason: task.stop?.reason ?? '',
    containers: task.containers
      .filter((container) => !container.isPause)
      .map((container) => containerReport(container, task, bindIp)),
    network: hasAddress ? { privateIpv4: pause.address, macAddress: pause.macAddress } : undefined,
    ...task.times,
  }
}

function containerReport(container: ContainerState, task: TaskState, bindIp: string): ContainerReport {
  const { spec } = container
  const bindings =
    container.launched && !usesTaskNetwork(task.assignment) ? spec.ports.filter((port) => port.hostPort > 0) : []
  return {
    name: container.name,
    containerArn: spec.containerArn,
    status: containerStatusRank[container.status],
    runtimeId: container.runtimeId,
    ...(container.exitCode === undefined || container.status !== 'STOPPED' ? {} : { exitCode: container.exitCode }),
    reason: container.reason,
    healthStatus: container.health,
    imageDigest: container.image?.digest ?? '',
    bindings,
    bindIp: bindings.length > 0 ? bindIp : '',
    restartCount: container.restartCount,
    essential: spec.essential,
    startedAt: container.startedAt,
    finishedAt: container.finishedAt,
  }
}

/**
 * Whether a report says more than the one before it of the same task: two reports of the same news are one. That a container
 * is being pulled or created is no news of its own, since ECS shows PENDING until it runs.
 */
export const hasNews = (before: TaskReport, after: TaskReport): boolean =>
  before.status !== after.status ||
  before.stopCode !== after.stopCode ||
  before.stoppedReason !== after.stoppedReason ||
  before.network?.privateIpv4 !== after.network?.privateIpv4 ||
  before.network?.macAddress !== after.network?.macAddress ||
  before.containers.length !== after.containers.length ||
  after.containers.some((container, index) => isNewOf(before.containers[index], container))

const isNewOf = (before: ContainerReport | undefined, after: ContainerReport): boolean =>
  before === undefined ||
  shownStatus(before) !== shownStatus(after) ||
  shownRuntimeId(before) !== shownRuntimeId(after) ||
  before.exitCode !== after.exitCode ||
  before.reason !== after.reason ||
  before.healthStatus !== after.healthStatus ||
  before.restartCount !== after.restartCount

const shownStatus = ({ status }: ContainerReport): number => Math.max(status, containerStatusRank.CREATED)

const shownRuntimeId = ({ status, runtimeId }: ContainerReport): string =>
  status >= containerStatusRank.RUNNING ? runtimeId : ''
