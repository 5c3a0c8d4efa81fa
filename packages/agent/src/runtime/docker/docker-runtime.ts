import { availableParallelism } from 'node:os'
import { backoffDelay } from '@berth/shared/backoff.ts'
import { type Clock, sleep } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import type Docker from 'dockerode'
import {
  type ContainerCreate,
  type ContainerRuntime,
  type ContainerSnapshot,
  type PulledImage,
  RuntimeError,
  type RuntimeFault,
  type RuntimeInfo,
} from '../container-runtime.ts'
import { type ContainerDefaults, containerConfig } from './container-config.ts'
import { dockerName, hostLabel, taskArnLabel } from './container-labels.ts'
import { containerSnapshot } from './container-snapshot.ts'
import { watchContainers } from './container-watch.ts'
import { type Deadlines, defaultDeadlines } from './deadlines.ts'
import { type EngineAddress, type EngineConnection, engineConnection } from './engine-connection.ts'
import { fifoSlots } from './fifo-slots.ts'
import { imagePuller, type ImagePullOptions } from './image-pull.ts'
import { OomKills } from './oom-kills.ts'
import { ensurePauseImage } from './pause-image.ts'
import { singleFlight } from './single-flight.ts'
import { TaskLimiter } from './task-limits.ts'
import { defaultTaskNetwork, ensureTaskNetwork } from './task-network.ts'

export interface DockerRuntimeDeps {
  readonly docker: EngineAddress
  /** Containers are labelled with it; those with another are not seen. Several hosts may share an engine. */
  readonly hostId: string
  /** Where host ports are bound that name no address of their own. */
  readonly hostAddress: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface DockerRuntimeOptions {
  /**
   * Creates and starts, and apart from them removals, that the engine works on at once. Default: four times the cores. Twice the
   * cores keep an idle machine's engine busy; where other programs want the CPU as well, more calls under way get it more of it
   * (docs/benchmarks.md: 0.82 of a tight loop's rate with twice, 1.03 with four times).
   */
  readonly parallel?: number
  /** The cgroup that containers without one of their own are put in. Default: the engine's. */
  readonly cgroupParent?: string
  /** Whether the containers of a task that has limits share a cgroup that has them. Default: true. */
  readonly limitsTasks?: boolean
  /** The network that tasks with an address of their own are on. Default: Docker's own bridge, the fastest. */
  readonly taskNetwork?: string
  readonly pull?: ImagePullOptions
  /** Overrides of `defaultDeadlines`, in ms. */
  readonly deadlines?: Partial<Deadlines>
}

/** See `parallel`. */
const startsPerCore = 4

/** Inspections at once while the list is made: enough to hide the round trip, too few to be felt. */
const parallelInspections = 8

/** The container runtime that is a Docker engine, 20.10 or newer. */
export function dockerRuntime(deps: DockerRuntimeDeps, options: DockerRuntimeOptions = {}): ContainerRuntime {
  const { clock, hostId } = deps
  const connection = engineConnection(deps.docker, clock, { ...defaultDeadlines, ...options.deadlines })
  const images = imagePuller({ connection, clock, log: deps.log }, options.pull)
  const parallel = options.parallel ?? availableParallelism() * startsPerCore
  const starts = fifoSlots(parallel)
  const removals = fifoSlots(parallel)
  const preparations = singleFlight<PulledImage>()
  const kills = new OomKills(deps)
  const limiter = new TaskLimiter({
    connection,
    clock,
    log: deps.log,
    isLocal: isUnixSocket(deps.docker),
    cgroupParent: options.cgroupParent,
  })
  const defaults: ContainerDefaults = {
    hostId,
    hostAddress: deps.hostAddress,
    taskNetwork: options.taskNetwork ?? defaultTaskNetwork,
    ...(options.cgroupParent === undefined ? {} : { cgroupParent: options.cgroupParent }),
  }

  const inspect = (id: string, signal: AbortSignal): Promise<ContainerSnapshot | undefined> =>
    orWhen('not-found', undefined, async () => {
      const path = `/containers/${encodeURIComponent(id)}/json`
      const found = await connection.call({ operation: 'inspect', method: 'GET', path }, signal)
      const info = found as Docker.ContainerInspectInfo
      const snapshot = containerSnapshot(info)
      await limiter.saw(snapshot.runtimeId, info.HostConfig.CgroupParent ?? '', signal)
      const oomKilled = await kills.ended(snapshot, limiter.shares(snapshot.runtimeId), signal)
      return { ...snapshot, oomKilled }
    })

  const createWithinTask = async (wanted: ContainerCreate, signal: AbortSignal): Promise<string> => {
    const cgroupParent = options.limitsTasks === false ? undefined : await limiter.parentFor(wanted, signal)
    if (cgroupParent === undefined) return createOrAdopt({ ...deps, connection }, wanted, defaults, signal)
    try {
      const id = await createOrAdopt({ ...deps, connection }, { ...wanted, cgroupParent }, defaults, signal)
      await limiter.saw(id, cgroupParent, signal)
      return id
    } catch (error) {
      if (!signal.aborted) await limiter.abandoned(cgroupParent, signal)
      throw error
    }
  }

  const preparePause = (signal: AbortSignal): Promise<PulledImage> =>
    preparations.run(
      'pause',
      async (shared) => {
        await ensureTaskNetwork(connection, defaults.taskNetwork, shared)
        return ensurePauseImage(connection, images, shared)
      },
      signal,
    )

  return {
    async info(signal) {
      return runtimeInfo(
        (await connection.call({ operation: 'info', method: 'GET', path: '/info' }, signal)) as DockerInfo,
      )
    },

    pull: (request, signal) => images.pull(request, signal),

    create: (wanted, signal) => starts.run(() => createWithinTask(wanted, signal), signal),

    async start(id, signal) {
      const path = `/containers/${encodeURIComponent(id)}/start`
      kills.starts(id)
      // Of many tasks the first ones run early, and the engine has creates to do while it waits for the starts of others.
      await starts.run(() => connection.call({ operation: 'start', method: 'POST', path }, signal), signal, 'ahead')
    },

    async stop(id, timeoutMs, signal) {
      const path = `/containers/${encodeURIComponent(id)}/stop`
      const query = { t: Math.ceil(timeoutMs / 1000) }
      await orWhen('not-found', undefined, () =>
        connection.call({ operation: 'stop', method: 'POST', path, query, extraMs: timeoutMs }, signal),
      )
    },

    async kill(id, signal) {
      const path = `/containers/${encodeURIComponent(id)}/kill`
      try {
        await connection.call({ operation: 'kill', method: 'POST', path }, signal)
      } catch (error) {
        if (!isGone(error) && !says(error, /is not running/i)) throw error
      }
    },

    async remove(id, signal) {
      await removals.run(() => removeContainer(connection, id, signal), signal)
      await limiter.removed(id, signal)
    },

    inspect,

    async list(signal) {
      const query = { all: true, filters: JSON.stringify({ label: [`${hostLabel}=${hostId}`] }) }
      const request = { operation: 'list', method: 'GET', path: '/containers/json', query } as const
      const summaries = (await connection.call(request, signal)) as readonly Docker.ContainerInfo[]
      const inspections = fifoSlots(parallelInspections)
      const found = await Promise.all(
        summaries.map((summary) => inspections.run(() => inspect(summary.Id, signal), signal)),
      )
      return found.filter((snapshot) => snapshot !== undefined)
    },

    watch: (onEvent, onGap, signal) =>
      watchContainers({ ...deps, connection, onOomKill: (id) => kills.told(id) }, onEvent, onGap, signal),

    async createVolume(volume, signal) {
      const body = {
        Name: volume.name,
        Driver: volume.driver,
        DriverOpts: volume.driverOptions,
        Labels: { ...volume.labels, [hostLabel]: hostId },
      }
      await connection.call({ operation: 'volume', method: 'POST', path: '/volumes/create', body }, signal)
    },

    async removeVolume(name, signal) {
      const path = `/volumes/${encodeURIComponent(name)}`
      await orWhen('not-found', undefined, () =>
        connection.call({ operation: 'volume', method: 'DELETE', path }, signal),
      )
    },

    preparePause,

    removeImage: (imageId, signal) => removeImage(connection, imageId, signal),
  }
}

/** Between looks for the holder of a name, and how many there are: about 4 s together. */
const holderBackoff = { baseMs: 25, maxMs: 1_000 }
const holderLooks = 12

/**
 * Creates the container or, where its name is taken by the same container of the same task and host, finds it. Docker takes
 * the name before the container can be found, and gives it free after the container is gone: then this looks again.
 */
async function createOrAdopt(
  { connection, clock, random }: Pick<DockerRuntimeDeps, 'clock' | 'random'> & { connection: EngineConnection },
  wanted: ContainerCreate,
  defaults: ContainerDefaults,
  signal: AbortSignal,
): Promise<string> {
  const name = dockerName(wanted.identity.runtimeName)
  const body = containerConfig(wanted, defaults)
  const create = { operation: 'create', method: 'POST', path: '/containers/create', query: { name }, body } as const
  const inspect = { operation: 'inspect', method: 'GET', path: `/containers/${name}/json` } as const
  for (let looks = 0; ; looks++) {
    try {
      return ((await connection.call(create, signal)) as { Id: string }).Id
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.fault !== 'name-taken') throw error
      const holder = await orWhen('not-found', undefined, () => connection.call(inspect, signal))
      if (holder !== undefined) return adopt(holder as Docker.ContainerInspectInfo, wanted, defaults.hostId, error)
      if (looks === holderLooks) throw error
      await sleep(clock, backoffDelay(looks, holderBackoff, random), signal)
    }
  }
}

function adopt(
  holder: Docker.ContainerInspectInfo,
  wanted: ContainerCreate,
  hostId: string,
  conflict: RuntimeError,
): string {
  const labels = holder.Config.Labels ?? {}
  if (labels[taskArnLabel] !== wanted.identity.taskArn || labels[hostLabel] !== hostId) throw conflict
  return holder.Id
}

/** Removes the container and its anonymous volumes; one that runs is killed. */
async function removeContainer(connection: EngineConnection, id: string, signal: AbortSignal): Promise<void> {
  const path = `/containers/${encodeURIComponent(id)}`
  const query = { force: true, v: true }
  try {
    await connection.call({ operation: 'remove', method: 'DELETE', path, query }, signal)
  } catch (error) {
    if (isGone(error)) return
    if (!says(error, /removal .* is already in progress/i)) throw error
    const wait = { operation: 'remove', method: 'POST', path: `${path}/wait`, query: { condition: 'removed' } } as const
    await orWhen('not-found', undefined, () => connection.call(wait, signal))
  }
}

/**
 * Takes every name off the image, and so removes it with the last one. By name and without force, since force by id would
 * also remove an image that a stopped container was made from.
 */
async function removeImage(connection: EngineConnection, imageId: string, signal: AbortSignal): Promise<void> {
  const pathOf = (image: string): string => `/images/${encodeURIComponent(image)}`
  await orWhen('not-found', undefined, async () => {
    const request = { operation: 'image', method: 'GET', path: `${pathOf(imageId)}/json` } as const
    const found = (await connection.call(request, signal)) as Docker.ImageInspectInfo
    const names = found.RepoTags?.length ? found.RepoTags : [imageId]
    for (const name of names) {
      await connection.call({ operation: 'remove', method: 'DELETE', path: pathOf(name) }, signal)
    }
  })
}

interface DockerInfo {
  readonly ServerVersion: string
  readonly LiveRestoreEnabled: boolean
  readonly OperatingSystem: string
  readonly Architecture: string
  readonly NCPU: number
  readonly MemTotal: number
  readonly Plugins: { readonly Log?: readonly string[] | null; readonly Volume?: readonly string[] | null }
}

const runtimeInfo = (info: DockerInfo): RuntimeInfo => ({
  version: info.ServerVersion,
  liveRestore: info.LiveRestoreEnabled,
  operatingSystem: info.OperatingSystem,
  architecture: info.Architecture,
  cpus: info.NCPU,
  memoryMib: Math.floor(info.MemTotal / (1024 * 1024)),
  logDrivers: info.Plugins.Log ?? [],
  volumeDrivers: info.Plugins.Volume ?? [],
})

async function orWhen<T, E>(fault: RuntimeFault, instead: E, operation: () => Promise<T>): Promise<T | E> {
  try {
    return await operation()
  } catch (error) {
    if (error instanceof RuntimeError && error.fault === fault) return instead
    throw error
  }
}

const isUnixSocket = ({ dockerHost }: EngineAddress): boolean => dockerHost?.startsWith('unix:') ?? true

const isGone = (error: unknown): boolean => error instanceof RuntimeError && error.fault === 'not-found'

const says = (error: unknown, words: RegExp): boolean => error instanceof RuntimeError && words.test(error.message)
