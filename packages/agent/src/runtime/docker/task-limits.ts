import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { type ContainerCreate, RuntimeError } from '../container-runtime.ts'
import type { EngineConnection } from './engine-connection.ts'
import { type CgroupDriver, taskCgroups, type TaskCgroups } from './task-cgroups.ts'

export interface TaskLimitDeps {
  readonly connection: EngineConnection
  readonly clock: Clock
  readonly log: Log
  /** Whether the engine is on this machine, whose cgroups it makes. */
  readonly isLocal: boolean
  /** BERTH_CGROUP_PARENT. */
  readonly cgroupParent?: string | undefined
}

/** A cgroup gets its first container within the time that the engine may take to create one: 4 minutes, and some to spare. */
const abandonedAfterMs = 10 * 60_000

/**
 * Has the containers of a task that has limits of its own share a cgroup with these limits, and removes it with the last of
 * them. Where that cannot be done it is said once: the limits then bound each of the containers by itself.
 */
export class TaskLimiter {
  readonly #deps: TaskLimitDeps
  readonly #make: (driver: CgroupDriver) => TaskCgroups
  /** The cgroup of each container that is in one. */
  readonly #parents = new Map<string, string>()
  #cgroups: Promise<TaskCgroups | undefined> | undefined
  #warned = false

  constructor(deps: TaskLimitDeps, make = (driver: CgroupDriver) => taskCgroups(driver, deps.cgroupParent)) {
    this.#deps = deps
    this.#make = make
  }

  /** What a container is to have for its cgroup's parent; `undefined` for the engine's own. @throws the signal's reason. */
  async parentFor({ identity, taskLimits }: ContainerCreate, signal: AbortSignal): Promise<string | undefined> {
    if (taskLimits === undefined) return undefined
    const cgroups = await this.#known(signal)
    try {
      return await cgroups?.make(identity.taskArn.split('/').at(-1) ?? '', taskLimits)
    } catch (error) {
      this.#cannot('it cannot be made', error)
      return undefined
    }
  }

  /** A container is there whose cgroup has this parent. */
  async saw(runtimeId: string, parent: string, signal: AbortSignal): Promise<void> {
    if (parent === '' || this.#parents.has(runtimeId)) return
    if ((await this.#known(signal))?.has(parent)) this.#parents.set(runtimeId, parent)
  }

  /** Whether a container shares the limits of its task with others. */
  shares(runtimeId: string): boolean {
    return this.#parents.has(runtimeId)
  }

  /** A container is gone. */
  async removed(runtimeId: string, signal: AbortSignal): Promise<void> {
    const parent = this.#parents.get(runtimeId)
    this.#parents.delete(runtimeId)
    if (parent !== undefined) await this.abandoned(parent, signal)
  }

  /** Removes the cgroup if no container is known that has it. */
  async abandoned(parent: string, signal: AbortSignal): Promise<void> {
    if ([...this.#parents.values()].includes(parent)) return
    const cgroups = await this.#known(signal)
    await cgroups?.remove(parent).catch((error: unknown) => {
      this.#deps.log.warn('The cgroup of a task could not be removed.', { parent, error })
    })
  }

  async #known(signal: AbortSignal): Promise<TaskCgroups | undefined> {
    this.#cgroups ??= this.#find(signal)
    try {
      return await this.#cgroups
    } catch (error) {
      this.#cgroups = undefined
      if (error instanceof RuntimeError) return undefined
      throw error
    }
  }

  async #find(signal: AbortSignal): Promise<TaskCgroups | undefined> {
    if (!this.#deps.isLocal) return this.#cannot('the engine is on another machine')
    const info = await this.#deps.connection.call({ operation: 'info', method: 'GET', path: '/info' }, signal)
    const { CgroupDriver: driver = '', CgroupVersion: version = '1' } = info as {
      readonly CgroupDriver?: string
      readonly CgroupVersion?: string
    }
    if (driver !== 'cgroupfs' && driver !== 'systemd') return this.#cannot(`the engine's cgroup driver is '${driver}'`)
    const cgroups = this.#make({ driver, version: version === '2' ? '2' : '1' })
    await cgroups.sweep(this.#deps.clock.now() - abandonedAfterMs).catch(() => {})
    return cgroups
  }

  #cannot(why: string, error?: unknown): undefined {
    if (!this.#warned)
      this.#deps.log.warn(
        'Tasks have no cgroup of their own here: their CPU and memory bound each container, not all together.',
        { why, ...(error !== undefined && { error }) },
      )
    this.#warned = true
  }
}
