import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import type { Journal } from '../journal/journal.ts'
import type { ContainerRuntime, PullRequest } from '../runtime/container-runtime.ts'
import type { ResourceSource } from './container-resources.ts'

/** What an engine is made of. */
export interface EngineDeps {
  readonly runtime: ContainerRuntime
  readonly journal: Journal
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly resources: ResourceSource
}

/** The settings of an engine. Durations in ms. */
export interface EngineOptions {
  /** The address that the host ports of bridge tasks are bound on. */
  readonly hostAddress: string
  /** ECS_IMAGE_PULL_BEHAVIOR. */
  readonly imagePullBehavior: PullRequest['behavior']
  /** From the stop signal to the kill, where the definition says nothing: ECS_CONTAINER_STOP_TIMEOUT. */
  readonly stopTimeoutMs: number
  /** How long the containers of a stopped task are kept: ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION. */
  readonly cleanupWaitMs: number
  /** Whether privileged containers may run: the opposite of ECS_DISABLE_PRIVILEGED. */
  readonly allowsPrivileged: boolean
  /** How often the engine is listed though nothing was missed, in case something was. */
  readonly reconcileEveryMs: number
  /** How often the engine is asked whether it still answers, and how long it may take to. */
  readonly probeEveryMs: number
  readonly probeTimeoutMs: number
  /** Who pulls an image that its task has no credentials for; `undefined` for nobody in particular. */
  readonly credentialsFor: (image: string) => PullRequest['credentials']
  /** The NFS server of an EFS file system, as `server:/export`; `undefined` where the host knows none. */
  readonly efsServerOf: (fileSystemId: string) => string | undefined
  /** What a container is told of where its agent's endpoints are. */
  readonly endpointVariables: (taskArn: string, containerName: string) => Readonly<Record<string, string>>
}

/** ECS's defaults, and our own where it has none. */
export const defaultEngineOptions: EngineOptions = {
  hostAddress: '',
  imagePullBehavior: 'default',
  stopTimeoutMs: 30_000,
  cleanupWaitMs: 3 * 3_600_000,
  allowsPrivileged: true,
  reconcileEveryMs: 60_000,
  probeEveryMs: 10_000,
  probeTimeoutMs: 10_000,
  credentialsFor: () => undefined,
  efsServerOf: () => undefined,
  endpointVariables: () => ({}),
}

/** How long to wait before the engine is asked again: so short that a restart of it is hardly felt. */
export const engineBackoff = { baseMs: 200, maxMs: 5_000 }
