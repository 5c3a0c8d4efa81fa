import type { Log } from '@berth/shared/log.ts'
import {
  type ContainerCreate,
  type ContainerRuntime,
  type ContainerSnapshot,
  RuntimeError,
} from '../runtime/container-runtime.ts'
import { containerCreate, imageReference, pauseCreate } from './container-create.ts'
import { volumeCreate, volumesToMake } from './task-volumes.ts'
import { failureReason, volumeFailureReason } from './container-reason.ts'
import { type ContainerResources, ResourceError, type ResourceSource } from './container-resources.ts'
import type { EngineOptions } from './engine-deps.ts'
import type { EngineHealth } from './engine-health.ts'
import type { ContainerInput } from './task-input.ts'
import type { ContainerState, Operation, TaskState } from './task-state.ts'

/** What an operation on a container is carried out with. */
export interface OperationContext {
  readonly runtime: ContainerRuntime
  readonly health: EngineHealth
  readonly options: EngineOptions
  readonly log: Log
  readonly resources: ResourceSource
  /** The task as it is at the moment. */
  readonly task: () => TaskState
  readonly signal: AbortSignal
}

type Perform = (container: ContainerState, context: OperationContext) => Promise<ContainerInput>

const performers: Readonly<Record<Operation, Perform>> = { pull, create, start, stop, inspect, discard }

const pastOf = { stop: 'stopped', discard: 'removed' } as const

/**
 * Carries an operation out to its end, and says what came of it. While the engine does not answer it tries again and again;
 * where a try may have had an effect it looks before the next one, so that nothing is done twice.
 *
 * @throws the signal's reason.
 */
export async function performOperation(
  operation: Operation,
  container: ContainerState,
  context: OperationContext,
): Promise<ContainerInput> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await performers[operation](container, context)
    } catch (error) {
      context.signal.throwIfAborted()
      if (await context.health.isAway(error, context.signal)) {
        await context.health.backOff(attempt, context.signal)
        const outcome = operation === 'start' ? await outcomeOfStart(container, context) : undefined
        if (outcome) return outcome
      } else if (operation === 'stop' || operation === 'discard') {
        context.log.warn(`A container could not be ${pastOf[operation]}; trying again.`, {
          container: container.name,
          error,
        })
        await context.health.backOff(attempt + 2, context.signal)
      } else {
        return endOf(operation, error)
      }
    }
  }
}

function endOf(operation: Operation, error: unknown): ContainerInput {
  if (error instanceof ResourceError)
    return { kind: 'failed', operation, reason: `ResourceInitializationError: ${error.message}` }
  if (error instanceof VolumeError) return { kind: 'failed', operation, reason: volumeFailureReason(error.cause) }
  if (operation === 'start' && error instanceof RuntimeError && error.fault === 'not-found') return { kind: 'gone' }
  // A look that was refused tells nothing of the container.
  if (operation === 'inspect') return { kind: 'abandoned' }
  return { kind: 'failed', operation, reason: failureReason(operation, error) }
}

async function pull(container: ContainerState, context: OperationContext): Promise<ContainerInput> {
  const { runtime, options, signal } = context
  if (container.isPause) return { kind: 'pulled', image: await runtime.preparePause(signal) }
  const resources = container.spec.needsResources ? await resourcesOf(container, context) : undefined
  const image = imageReference(container.spec)
  const credentials =
    resources?.repositoryCredentials ?? container.spec.repositoryCredentials ?? options.credentialsFor(image)
  const request = { image, behavior: options.imagePullBehavior, ...(credentials && { credentials }) }
  return { kind: 'pulled', image: await runtime.pull(request, signal), resources }
}

/** Fetched before the image is, as in ECS: what cannot start for want of a secret costs no pull. */
const resourcesOf = (
  { spec }: ContainerState,
  { task, resources, signal }: OperationContext,
): Promise<ContainerResources> => resources.resourcesOf(task().assignment.taskArn, spec.name, signal)

async function create(container: ContainerState, context: OperationContext): Promise<ContainerInput> {
  const task = context.task()
  const { efsServerOf } = context.options
  for (const volume of volumesToMake(task.assignment, container.spec)) {
    try {
      await context.runtime.createVolume(volumeCreate(task.assignment, volume, efsServerOf), context.signal)
    } catch (cause) {
      throw cause instanceof RuntimeError && (cause.fault === 'unavailable' || cause.fault === 'timeout')
        ? cause
        : new VolumeError({ cause })
    }
  }
  const fetched =
    container.resources ?? (container.spec.needsResources ? await resourcesOf(container, context) : undefined)
  const create = wanted(container, fetched, task, context)
  return { kind: 'created', runtimeId: await context.runtime.create(create, context.signal) }
}

function wanted(
  container: ContainerState,
  resources: ContainerResources | undefined,
  { assignment, containers }: TaskState,
  context: OperationContext,
): ContainerCreate {
  const made = {
    imageId: container.image?.imageId ?? '',
    pauseRuntimeId: containers.find((each) => each.isPause)?.runtimeId ?? '',
    hostAddress: context.options.hostAddress,
    ...(resources && { resources }),
    endpointVariables: context.options.endpointVariables(assignment.taskArn, container.name),
  }
  return container.isPause ? pauseCreate(assignment, made) : containerCreate(assignment, container.spec, made)
}

/** The pause container is looked at besides, for the address that it was given. */
async function start(container: ContainerState, context: OperationContext): Promise<ContainerInput> {
  await context.runtime.start(container.runtimeId, context.signal)
  return container.isPause ? inspect(container, context) : { kind: 'started' }
}

/**
 * What became of a start whose answer was lost; `undefined` when nothing did and it is to be tried again. A container that
 * ran and ended in the meantime must not be started a second time.
 */
async function outcomeOfStart(
  container: ContainerState,
  context: OperationContext,
): Promise<ContainerInput | undefined> {
  const snapshot = await look(container, context)
  if (!snapshot) return { kind: 'gone' }
  const ranAlready = snapshot.state === 'exited' && snapshot.startedAt !== container.startedAt
  if (snapshot.state === 'running' || ranAlready) return { kind: 'inspected', snapshot }
  return context.task().stop ? { kind: 'inspected', snapshot } : undefined
}

async function stop(container: ContainerState, context: OperationContext): Promise<ContainerInput> {
  const timeoutMs = container.isPause ? 0 : container.spec.stopTimeoutS * 1000 || context.options.stopTimeoutMs
  await context.runtime.stop(container.runtimeId, timeoutMs, context.signal)
  const outcome = await inspect(container, context)
  if (outcome.kind === 'inspected' && outcome.snapshot.state === 'running')
    throw new RuntimeError('refused', 'The container runs on after it was stopped.')
  return outcome
}

async function inspect(container: ContainerState, { runtime, signal }: OperationContext): Promise<ContainerInput> {
  const snapshot = await runtime.inspect(container.runtimeId, signal)
  return snapshot ? { kind: 'inspected', snapshot } : { kind: 'gone' }
}

/** Removes a container that has not run, so that a start that is on its way to the engine finds nothing. */
async function discard(container: ContainerState, context: OperationContext): Promise<ContainerInput> {
  const outcome = await inspect(container, context)
  if (outcome.kind !== 'inspected' || outcome.snapshot.state !== 'created') return outcome
  await context.runtime.remove(container.runtimeId, context.signal)
  return { kind: 'discarded' }
}

/** Looks until the engine answers. */
async function look(container: ContainerState, context: OperationContext): Promise<ContainerSnapshot | undefined> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await context.runtime.inspect(container.runtimeId, context.signal)
    } catch (error) {
      context.signal.throwIfAborted()
      await context.health.isAway(error, context.signal)
      await context.health.backOff(attempt, context.signal)
    }
  }
}

class VolumeError extends Error {
  constructor(options: ErrorOptions) {
    super('A volume could not be made.', options)
    this.name = 'VolumeError'
  }
}
