import { containerStatusRank, type ContainerStatus } from '@berth/shared/task-status.ts'
import type { TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { withoutRevival } from '../journal/journal-state.ts'
import type { ContainerSnapshot, HealthStatus, PulledImage } from '../runtime/container-runtime.ts'
import type { ContainerResources } from './container-resources.ts'
import { exitReason, removedReason } from './container-reason.ts'
import { mayRestart } from './restart-policy.ts'
import type { ContainerState, Operation, StopDecision, TaskState } from './task-state.ts'

/** What can happen to one container. Those of the second group end the operation that is under way. */
export type ContainerInput =
  | { readonly kind: 'began'; readonly operation: Operation }
  /** Look at it when there is time; `runtimeId` where only the runtime could know it. */
  | { readonly kind: 'hinted'; readonly runtimeId: string }
  | { readonly kind: 'health'; readonly health: HealthStatus }
  | { readonly kind: 'listed'; readonly snapshot: ContainerSnapshot }
  | { readonly kind: 'unlisted' }
  //
  | { readonly kind: 'pulled'; readonly image: PulledImage; readonly resources?: ContainerResources | undefined }
  | { readonly kind: 'created'; readonly runtimeId: string }
  | { readonly kind: 'started' }
  | { readonly kind: 'inspected'; readonly snapshot: ContainerSnapshot }
  | { readonly kind: 'gone' }
  /** It never ran, and never will. */
  | { readonly kind: 'discarded' }
  | { readonly kind: 'failed'; readonly operation: Operation; readonly reason: string }
  /** Nothing came of it. */
  | { readonly kind: 'abandoned' }

/** What can happen to a task. */
export type TaskInput =
  | { readonly kind: 'assigned'; readonly assignment: TaskAssignment }
  | { readonly kind: 'refused'; readonly decision: StopDecision }
  | { readonly kind: 'container'; readonly name: string; readonly input: ContainerInput }
  | { readonly kind: 'cleaned' }
  /** Nothing but time passed. */
  | { readonly kind: 'woken' }

/** The task after something happened to it, before it is decided what that means. `now` in ms since the epoch. */
export function takeInput(task: TaskState, input: TaskInput, now: number): TaskState {
  switch (input.kind) {
    case 'assigned':
      return { ...task, assignment: withoutRevival(task.assignment, input.assignment) }
    case 'refused':
      return { ...task, stop: task.stop ?? input.decision }
    case 'cleaned':
      return {
        ...task,
        cleaned: true,
        containers: task.containers.map((container) => ({ ...container, removed: true, alive: false, unsure: false })),
      }
    case 'container':
      return takeContainerInput(task, input.name, input.input, now)
    default:
      return task
  }
}

function takeContainerInput(task: TaskState, name: string, input: ContainerInput, now: number): TaskState {
  const index = task.containers.findIndex((container) => container.name === name)
  const before = task.containers[index]
  if (before === undefined) return task
  const after = nextContainer(before, input, task, now)
  if (after === before) return task
  const containers = task.containers.with(index, after)
  // Something of it is there again, as when a call of an agent that died was carried out after all.
  const cleaned = task.cleaned && containers.every((container) => container.removed || container.runtimeId === '')
  return { ...task, containers, cleaned, times: before.isPause ? task.times : pullTimes(task, input, now) }
}

function pullTimes({ times }: TaskState, input: ContainerInput, now: number): TaskState['times'] {
  if (input.kind === 'began' && input.operation === 'pull' && times.pullStartedAt === 0)
    return { ...times, pullStartedAt: now }
  if (input.kind === 'pulled' || (input.kind === 'failed' && input.operation === 'pull'))
    return { ...times, pullStoppedAt: now }
  return times
}

function nextContainer(container: ContainerState, input: ContainerInput, task: TaskState, now: number): ContainerState {
  switch (input.kind) {
    case 'began':
      return { ...container, operation: input.operation, unsure: input.operation !== 'inspect' && container.unsure }
    case 'hinted':
      return { ...container, unsure: true, runtimeId: container.runtimeId || input.runtimeId }
    case 'health':
      return { ...container, health: input.health }
    case 'listed':
      return isAsKnown(container, input.snapshot) ? container : seen(container, input.snapshot, task, now)
    case 'unlisted':
      return gone(container, now)
    case 'pulled':
      return {
        ...container,
        operation: undefined,
        image: input.image,
        resources: input.resources,
        status: further(container.status, 'PULLED'),
      }
    case 'created':
      return {
        ...container,
        operation: undefined,
        resources: undefined,
        runtimeId: input.runtimeId,
        mayBeStarting: false,
        removed: false,
        status: further(container.status, 'CREATED'),
      }
    case 'started':
      return running(done(container), now)
    case 'inspected':
      return seen(done(container), input.snapshot, task, now)
    case 'gone':
      return gone(done(container), now)
    case 'discarded':
      return {
        ...container,
        operation: undefined,
        status: 'STOPPED',
        alive: false,
        unsure: false,
        mayBeStarting: false,
        removed: true,
      }
    case 'failed':
      return {
        ...container,
        operation: undefined,
        resources: undefined,
        status: 'STOPPED',
        reason: container.reason || input.reason,
        unsure: container.runtimeId !== '',
      }
    default:
      return done(container)
  }
}

const done = (container: ContainerState): ContainerState => ({ ...container, operation: undefined })

/** Whether a look at a container that runs says nothing new: what nearly every list says of nearly every container. */
const isAsKnown = (known: ContainerState, snapshot: ContainerSnapshot): boolean =>
  snapshot.state === 'running' &&
  known.status === 'RUNNING' &&
  known.alive &&
  known.launched &&
  !known.restarting &&
  !known.mayBeStarting &&
  !known.removed &&
  known.startedAt !== 0 &&
  known.image !== undefined &&
  known.runtimeId === snapshot.runtimeId &&
  known.health === snapshot.health &&
  known.address === (snapshot.address ?? known.address) &&
  known.macAddress === (snapshot.macAddress ?? known.macAddress)

/** What a look at the container says. A look that is older than what is known already changes nothing. */
function seen(before: ContainerState, snapshot: ContainerSnapshot, task: TaskState, now: number): ContainerState {
  const container: ContainerState = {
    ...before,
    runtimeId: snapshot.runtimeId,
    removed: false,
    image: before.image ?? { imageId: snapshot.imageId, digest: '' },
    health: snapshot.state === 'running' ? snapshot.health : before.health,
    address: snapshot.address ?? before.address,
    macAddress: snapshot.macAddress ?? before.macAddress,
  }
  if (snapshot.state === 'created') return { ...container, status: further(container.status, 'CREATED') }
  if (snapshot.state === 'running') return running(container, snapshot.startedAt ?? now)
  return exited(container, snapshot, task, now)
}

const running = (container: ContainerState, startedAt: number): ContainerState => ({
  ...container,
  status: further(container.status, 'RUNNING'),
  alive: true,
  launched: true,
  mayBeStarting: false,
  restarting: false,
  startedAt: container.startedAt === 0 || container.restarting ? startedAt : container.startedAt,
})

function exited(container: ContainerState, snapshot: ContainerSnapshot, task: TaskState, now: number): ContainerState {
  if (container.restarting) return container
  if (container.status === 'STOPPED') return { ...container, alive: false }
  const exitCode = snapshot.exitCode ?? 0
  const startedAt = snapshot.startedAt ?? container.startedAt
  const finishedAt = snapshot.finishedAt ?? now
  const launched = container.launched || snapshot.startedAt !== undefined
  const ended = { ...container, alive: false, launched, startedAt, finishedAt, exitCode }
  const run = { exitCode, ranMs: finishedAt - startedAt }
  if (launched && task.stop === undefined && mayRestart(container.spec.restartPolicy, run))
    return { ...ended, status: 'RUNNING', restarting: true, restartCount: container.restartCount + 1 }
  return { ...ended, status: 'STOPPED', restarting: false, reason: container.reason || exitReason(snapshot) }
}

function gone(container: ContainerState, now: number): ContainerState {
  if (container.runtimeId === '') return container
  const absent = { ...container, removed: true, alive: false, restarting: false }
  if (container.status === 'STOPPED') return absent
  return { ...absent, status: 'STOPPED', finishedAt: container.launched ? now : 0, reason: removedReason }
}

const further = (known: ContainerStatus, reached: ContainerStatus): ContainerStatus =>
  containerStatusRank[reached] > containerStatusRank[known] ? reached : known
