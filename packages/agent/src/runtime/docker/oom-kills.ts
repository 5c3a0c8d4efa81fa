import { type Clock, sleep } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { ContainerSnapshot } from '../container-runtime.ts'
import { KernelLog } from './kernel-log.ts'

/** A process that was killed ends with 128 + SIGKILL. */
const killedCode = 137

/**
 * How long after the end the engine's event is waited for where the kernel's log cannot be read, in ms: the two are told apart,
 * in either order.
 */
const lateBy = 250
const lookEvery = 25

/** Containers that are remembered: far more than a host has that ended and were not looked at yet. */
const remembered = 1000

type EndedContainer = Pick<ContainerSnapshot, 'runtimeId' | 'exitCode' | 'finishedAt' | 'oomKilled'>

/**
 * Which containers were killed for want of memory. Docker watches a container's memory only from a moment after its start, and
 * tells of the kill and of the end apart: one that ends soon, or on a busy machine, is shown as killed by nobody. So three are
 * asked: Docker's inspection, its events, and the kernel's log.
 */
export class OomKills {
  readonly #told = new Set<string>()
  readonly #clock: Clock
  readonly #kernelLog: KernelLog | undefined

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }, path?: string) {
    this.#clock = clock
    try {
      this.#kernelLog = new KernelLog(path)
    } catch (error) {
      log.info("The kernel's log cannot be read: Docker alone says which containers ran out of memory.", { error })
    }
  }

  /** The engine says that a process of the container was killed for want of memory. */
  told(runtimeId: string): void {
    this.#told.add(runtimeId)
    const [oldest] = this.#told
    if (this.#told.size > remembered && oldest !== undefined) this.#told.delete(oldest)
  }

  /** The container is about to run, perhaps not for the first time. */
  starts(runtimeId: string): void {
    this.#told.delete(runtimeId)
    this.#kernelLog?.forget(runtimeId)
  }

  /**
   * Whether a container that ended so did for want of memory.
   *
   * @param sharesLimit whether its memory is bounded together with that of others. Docker then takes each of them for the one
   *   that was killed, and only the kernel's log knows better.
   * @throws the signal's reason.
   */
  async ended(container: EndedContainer, sharesLimit: boolean, signal: AbortSignal): Promise<boolean> {
    const { runtimeId, exitCode, finishedAt = 0 } = container
    if (sharesLimit && this.#kernelLog && exitCode === killedCode) return this.#kernelLog.killed(runtimeId)
    if (container.oomKilled || exitCode !== killedCode) return container.oomKilled
    if (this.#kernelLog) return this.#told.has(runtimeId) || this.#kernelLog.killed(runtimeId)
    while (!this.#told.has(runtimeId) && this.#clock.now() < finishedAt + lateBy)
      await sleep(this.#clock, lookEvery, signal)
    return this.#told.has(runtimeId)
  }
}
