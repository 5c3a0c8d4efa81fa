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
 * Whether there is more to say of a task than there was before: two reports of the same news are one. That a container is being
 * pulled or created is no news of its own, since ECS shows PENDING until it runs.
 */
export const hasNews = (before: TaskState, after: TaskState): boolean =>
  before.status !== after.status ||
  before.stop?.code !== after.stop?.code ||
  before.stop?.reason !== after.stop?.reason ||
  after.containers.some((container, index) => isNewOf(before.containers[index], container, after))

function isNewOf(before: ContainerState | undefined, after: ContainerState, task: TaskState): boolean {
  if (before === after) return false
  if (before === undefined) return true
  if (after.isPause)
    return (
      usesTaskNetwork(task.assignment) &&
      (before.address !== after.address || (after.address !== '' && before.macAddress !== after.macAddress))
    )
  return (
    shownStatus(before) !== shownStatus(after) ||
    shownRuntimeId(before) !== shownRuntimeId(after) ||
    shownExitCode(before) !== shownExitCode(after) ||
    before.reason !== after.reason ||
    before.health !== after.health ||
    before.restartCount !== after.restartCount
  )
}

const shownStatus = ({ status }: ContainerState): number =>
  Math.max(containerStatusRank[status], containerStatusRank.CREATED)

const shownRuntimeId = ({ status, runtimeId }: ContainerState): string =>
  containerStatusRank[status] >= containerStatusRank.RUNNING ? runtimeId : ''

const shownExitCode = ({ status, exitCode }: ContainerState): number | undefined =>
  status === 'STOPPED' ? exitCode : undefined
