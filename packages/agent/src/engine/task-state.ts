import { ContainerSpec, NetworkMode, type TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { ContainerStatus, DesiredTaskStatus, TaskStatus } from '@berth/shared/task-status.ts'
import type { ContainerResult, TaskResult, TaskTimes } from '../journal/journal-record.ts'
import type { HealthStatus, PulledImage } from '../runtime/container-runtime.ts'
import type { ContainerResources } from './container-resources.ts'

/** The container that holds what the others of a task share: its network, or its process or IPC namespace. */
export const pauseContainerName = '~internal~pause'

/** What is done to a container. At most one of these is under way for a container at any time. */
export type Operation = 'pull' | 'create' | 'start' | 'stop' | 'inspect' | 'discard'

/** One container of a task, as far as the engine knows: the known status, and the operation that is applied to it. */
export interface ContainerState {
  readonly name: string
  readonly spec: ContainerSpec
  readonly isPause: boolean
  /** How far it has come. Only moves forward. */
  readonly status: ContainerStatus
  readonly operation: Operation | undefined
  /** Empty until it was created. */
  readonly runtimeId: string
  readonly image: PulledImage | undefined
  /** What was fetched for it to be made with. In memory only, and no longer than until it is created. */
  readonly resources: ContainerResources | undefined
  /** Whether it ran when it was last looked at. May be true of a STOPPED one that somebody started by hand. */
  readonly alive: boolean
  /** Whether it ever ran. */
  readonly launched: boolean
  /** It ended, and its restart policy has it start again. */
  readonly restarting: boolean
  /** Something happened to it that only looking at it can tell. */
  readonly unsure: boolean
  /** It was made under an agent before this one, which may have asked for its start as well: the call may still be on its way. */
  readonly mayBeStarting: boolean
  /** The runtime has it no more. */
  readonly removed: boolean
  readonly exitCode: number | undefined
  /** Why it stopped, in ECS's words; empty for none. */
  readonly reason: string
  readonly health: HealthStatus
  /** ms since the epoch; 0 for never. */
  readonly startedAt: number
  readonly finishedAt: number
  readonly restartCount: number
  readonly address: string
  readonly macAddress: string
}

/** Why and how a task stops. */
export interface StopDecision {
  readonly code: string
  readonly reason: string
}

/** One task, as far as the engine knows. Plain data: every change makes a new one. */
export interface TaskState {
  readonly assignment: TaskAssignment
  /** The farthest status that it has reached. */
  readonly status: TaskStatus
  /** Set once the task must stop; never taken back. */
  readonly stop: StopDecision | undefined
  /** The pause container first, where there is one; then in the order of the definition. */
  readonly containers: readonly ContainerState[]
  readonly times: TaskTimes
  /** Its containers and volumes have been removed after its end. */
  readonly cleaned: boolean
}

export const desiredStatus = (task: TaskState): DesiredTaskStatus => (task.stop ? 'STOPPED' : 'RUNNING')

/** Whether a start that nobody here has asked for may yet make it run. */
export const isPerhapsStarting = ({ status, mayBeStarting, runtimeId, removed }: ContainerState): boolean =>
  status === 'CREATED' && mayBeStarting && runtimeId !== '' && !removed

export const usesTaskNetwork = (assignment: TaskAssignment): boolean =>
  assignment.networkMode === NetworkMode.NETWORK_MODE_AWSVPC

/** Whether a pause container must hold something for the others. */
export const needsPause = (assignment: TaskAssignment): boolean =>
  usesTaskNetwork(assignment) || assignment.pidMode === 'task' || assignment.ipcMode === 'task'

const noTimes: TaskTimes = {
  pullStartedAt: 0,
  pullStoppedAt: 0,
  startedAt: 0,
  stoppingAt: 0,
  executionStoppedAt: 0,
  stoppedAt: 0,
}

/** A task that was just assigned: nothing has been done for it yet. */
export const newTask = (assignment: TaskAssignment): TaskState => taskOf(assignment, false)

const taskOf = (assignment: TaskAssignment, mayBeStarting: boolean): TaskState => ({
  assignment,
  status: 'PENDING',
  stop: undefined,
  containers: [
    ...(needsPause(assignment)
      ? [newContainer(ContainerSpec.create({ name: pauseContainerName, essential: true }), true, mayBeStarting)]
      : []),
    ...assignment.containers.map((spec) => newContainer(spec, false, mayBeStarting)),
  ],
  times: noTimes,
  cleaned: false,
})

const newContainer = (spec: ContainerSpec, isPause: boolean, mayBeStarting: boolean): ContainerState => ({
  name: spec.name,
  spec,
  isPause,
  status: 'PENDING',
  operation: undefined,
  runtimeId: '',
  image: undefined,
  resources: undefined,
  alive: false,
  launched: false,
  restarting: false,
  unsure: false,
  mayBeStarting,
  removed: false,
  exitCode: undefined,
  reason: '',
  health: 'UNKNOWN',
  startedAt: 0,
  finishedAt: 0,
  restartCount: 0,
  address: '',
  macAddress: '',
})

/** What must not be forgotten of a task. */
export const taskResult = (task: TaskState): TaskResult => ({
  taskArn: task.assignment.taskArn,
  status: task.status,
  stopCode: task.stop?.code ?? '',
  stoppedReason: task.stop?.reason ?? '',
  times: task.times,
  containers: task.containers.map(containerResult),
  cleaned: task.cleaned,
})

/** A pulled image is not worth a write: it is found again by pulling again. */
const recordedStatus = ({ status }: ContainerState): ContainerStatus => (status === 'PULLED' ? 'PENDING' : status)

const recordedImage = ({ runtimeId, image }: ContainerState): PulledImage | undefined =>
  runtimeId === '' ? undefined : image

const containerResult = (container: ContainerState): ContainerResult => ({
  name: container.name,
  status: recordedStatus(container),
  runtimeId: container.runtimeId,
  imageId: recordedImage(container)?.imageId ?? '',
  imageDigest: recordedImage(container)?.digest ?? '',
  launched: container.launched,
  ...(container.exitCode === undefined ? {} : { exitCode: container.exitCode }),
  reason: container.reason,
  startedAt: container.startedAt,
  finishedAt: container.finishedAt,
  restartCount: container.restartCount,
  address: container.address,
  macAddress: container.macAddress,
})

/**
 * Whether what must not be forgotten of a task differs between two of its states. The times of a pull do not count: they come
 * with the container that is made of it, or anew.
 */
export const isWorthRecording = (before: TaskState, after: TaskState): boolean =>
  before.status !== after.status ||
  before.stop?.code !== after.stop?.code ||
  before.stop?.reason !== after.stop?.reason ||
  before.cleaned !== after.cleaned ||
  before.times.startedAt !== after.times.startedAt ||
  before.times.stoppingAt !== after.times.stoppingAt ||
  before.times.executionStoppedAt !== after.times.executionStoppedAt ||
  before.times.stoppedAt !== after.times.stoppedAt ||
  after.containers.some((container, index) => {
    const known = before.containers[index]
    return known !== container && (known === undefined || resultDiffers(known, container))
  })

function resultDiffers(before: ContainerState, after: ContainerState): boolean {
  const had = recordedImage(before)
  const has = recordedImage(after)
  return (
    recordedStatus(before) !== recordedStatus(after) ||
    had?.imageId !== has?.imageId ||
    had?.digest !== has?.digest ||
    resultMembers.some((member) => before[member] !== after[member])
  )
}

const resultMembers = [
  'runtimeId',
  'launched',
  'exitCode',
  'reason',
  'startedAt',
  'finishedAt',
  'restartCount',
  'address',
  'macAddress',
] as const satisfies readonly (keyof ContainerResult & keyof ContainerState)[]

/** The task as it was when its last result was journaled. What has happened since is in the runtime's list. */
export function restoredTask(assignment: TaskAssignment, result: TaskResult | undefined): TaskState {
  // Until this agent makes a container itself, one that is there is another agent's.
  const fresh = taskOf(assignment, true)
  if (!result) return fresh
  const results = new Map(result.containers.map((container) => [container.name, container]))
  return {
    ...fresh,
    status: result.status,
    stop: result.stopCode === '' ? undefined : { code: result.stopCode, reason: result.stoppedReason },
    times: result.times,
    cleaned: result.cleaned,
    containers: fresh.containers.map((container) => restoredContainer(container, results.get(container.name))),
  }
}

function restoredContainer(fresh: ContainerState, result: ContainerResult | undefined): ContainerState {
  if (!result) return fresh
  return {
    ...fresh,
    status: result.status,
    runtimeId: result.runtimeId,
    image: result.imageId === '' ? undefined : { imageId: result.imageId, digest: result.imageDigest },
    launched: result.launched,
    mayBeStarting: !result.launched,
    exitCode: result.exitCode,
    reason: result.reason,
    startedAt: result.startedAt,
    finishedAt: result.finishedAt,
    restartCount: result.restartCount,
    address: result.address,
    macAddress: result.macAddress,
  }
}
