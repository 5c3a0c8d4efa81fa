import {
  type ContainerRuntime,
  type PulledImage,
  type PullRequest,
  RuntimeError,
  type RuntimeInfo,
} from '../container-runtime.ts'
import { type FakeContainer, snapshotOf } from './fake-container.ts'
import { type FakeWorld, unavailable } from './fake-world.ts'

const pauseImage = 'berth-pause'

/**
 * A runtime that only plays: containers of `world` that belong to `hostId`. What was asked for happens also when the one who
 * asked is gone by then, as with a real engine.
 */
export function fakeRuntime(world: FakeWorld, hostId: string): ContainerRuntime {
  const callers = new Callers()
  const find = (runtimeId: string): FakeContainer | undefined => {
    const container = world.containers.get(runtimeId)
    return container?.hostId === hostId ? container : undefined
  }
  const existing = (runtimeId: string): FakeContainer => {
    const container = find(runtimeId)
    if (!container) throw new RuntimeError('not-found', `No such container: ${runtimeId}`)
    return container
  }
  /** What a call does: it reaches the engine or not, and its caller waits for the answer or goes away. */
  const call = <T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> => {
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    if (world.faults.away) return Promise.reject(unavailable())
    return callers.wait(world.faults.hung ? world.hang() : world.deliver(asking(ask)), signal)
  }
  const look = <T>(signal: AbortSignal, read: () => T): Promise<T> => call(signal, () => world.perform(0, read))

  return {
    info: (signal) => look(signal, () => infoOf(world)),
    pull: (request, signal) => call(signal, () => pull(world, request)),
    create: (wanted, signal) =>
      call(signal, () => world.perform(world.createMs(wanted), () => world.create(wanted, hostId))),
    start: (runtimeId, signal) => call(signal, () => world.start(existing(runtimeId))),
    async stop(runtimeId, timeoutMs, signal) {
      await call(signal, async () => {
        const container = find(runtimeId)
        if (container) await world.stop(container, timeoutMs)
        await world.perform(0, () => undefined)
      })
    },
    kill: (runtimeId, signal) => look(signal, () => world.kill(find(runtimeId)?.runtimeId ?? '')),
    remove: (runtimeId, signal) =>
      look(signal, () => {
        const container = find(runtimeId)
        if (container) world.remove(container)
      }),
    inspect: (runtimeId, signal) =>
      look(signal, () => {
        const container = find(runtimeId)
        return container && snapshotOf(container)
      }),
    list: (signal) =>
      look(signal, () => [...world.containers.values()].filter((each) => each.hostId === hostId).map(snapshotOf)),
    watch(onEvent, onGap, signal) {
      const watcher = { hostId, onEvent, onGap }
      world.watchers.add(watcher)
      return new Promise((_resolve, reject) => {
        const end = () => {
          world.watchers.delete(watcher)
          reject(signal.reason as Error)
        }
        if (signal.aborted) return end()
        signal.addEventListener('abort', end, { once: true })
        if (!world.faults.away && !world.faults.hung) onGap()
      })
    },
    async createVolume(volume, signal) {
      await look(signal, () => world.volumes.add(volume.name))
    },
    async removeVolume(name, signal) {
      await look(signal, () => world.volumes.delete(name))
    },
    preparePause: (signal) => look(signal, () => world.imageOf(pauseImage)),
    async removeImage(imageId, signal) {
      await look(signal, () => {
        const present = world.presentImage(imageId)
        if (present) world.images.delete(present.reference)
      })
    },
  }
}

async function pull(world: FakeWorld, { image, behavior }: PullRequest): Promise<PulledImage> {
  const present = world.presentImage(image)
  const mayUseCache = behavior === 'once' || behavior === 'prefer-cached' || present?.image.imageId === image
  if (present && mayUseCache) return world.perform(0, () => present.image)
  let pullMs: number
  try {
    pullMs = world.pullMs(image)
  } catch (error) {
    // As ECS's agent: the default is to pull, and to take the cached image when that fails.
    if (present && behavior === 'default') return present.image
    throw error
  }
  return world.perform(pullMs, () => world.imageOf(image))
}

const infoOf = (world: FakeWorld): RuntimeInfo => ({
  version: '0.0.0-fake',
  liveRestore: true,
  operatingSystem: 'fake',
  architecture: 'x86_64',
  cpus: world.cpus,
  memoryMib: world.memoryMib,
  logDrivers: ['json-file', 'none'],
  volumeDrivers: ['local'],
})

function asking<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return ask()
  } catch (error) {
    return Promise.reject(error)
  }
}

/**
 * Those who wait for an answer and may go away before it. All who go with the same signal share one listener: a host has as
 * many calls under way as it has tasks, and a signal goes through its listeners one by one.
 */
class Callers {
  readonly #bySignal = new WeakMap<AbortSignal, Set<(reason: Error) => void>>()

  /** The answer, or the signal's reason once it aborts. */
  wait<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
    const waiting = this.#of(signal)
    return new Promise((resolve, reject) => {
      waiting.add(reject)
      answer.then(
        (value) => {
          waiting.delete(reject)
          return resolve(value)
        },
        (error: unknown) => {
          waiting.delete(reject)
          reject(error)
        },
      )
    })
  }

  #of(signal: AbortSignal): Set<(reason: Error) => void> {
    const known = this.#bySignal.get(signal)
    if (known) return known
    const waiting = new Set<(reason: Error) => void>()
    this.#bySignal.set(signal, waiting)
    const leave = () => {
      for (const reject of waiting) reject(signal.reason as Error)
    }
    signal.addEventListener('abort', leave, { once: true })
    return waiting
  }
}
