import { type ContainerSnapshot, RuntimeError } from '../runtime/container-runtime.ts'
import type { Operation } from './task-state.ts'

/** ECS's names for what goes wrong on the way up (developer guide, "Stopped tasks error messages"). */
const errorNames: Readonly<Record<Operation, string>> = {
  pull: 'CannotPullContainerError',
  create: 'CannotCreateContainerError',
  start: 'CannotStartContainerError',
  stop: 'CannotStopContainerError',
  inspect: 'CannotInspectContainerError',
  discard: 'CannotRemoveContainerError',
}

const wantedStates: Readonly<Record<Operation, string>> = {
  pull: 'pulled',
  create: 'created',
  start: 'started',
  stop: 'stopped',
  inspect: 'inspected',
  discard: 'removed',
}

/** The container's reason for an operation that failed for good. */
export function failureReason(operation: Operation, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof RuntimeError && error.fault === 'timeout')
    return `DockerTimeoutError: Could not transition to ${wantedStates[operation]}; ${message}`
  return `${errorNames[operation]}: ${message}`
}

/** The reason of a container for which a volume could not be made. */
export const volumeFailureReason = (error: unknown): string =>
  `CannotCreateVolumeError: ${error instanceof Error ? error.message : String(error)}`

/** The reason of a container that the runtime shows as ended; empty where it just ended. */
export function exitReason(snapshot: ContainerSnapshot): string {
  if (snapshot.oomKilled && snapshot.exitCode === 137) return 'OutOfMemoryError: Container killed due to memory usage'
  if (snapshot.error !== '') return `CannotStartContainerError: ${snapshot.error}`
  return ''
}

/** The reason of a container that was there and is no more. */
export const removedReason = 'ContainerRemoved: the container was removed from the container engine by somebody else'
