import type { Log } from '@berth/shared/log.ts'
import type { ContainerRuntime, ContainerSnapshot } from '../runtime/container-runtime.ts'
import type { EngineOptions } from './engine-deps.ts'
import { pauseContainerName } from './task-state.ts'

interface StrangersDeps {
  readonly runtime: ContainerRuntime
  readonly options: EngineOptions
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Containers on this host whose task is not in its journal, as when the journal was lost. They are let be until the control
 * plane has sent everything that this host is to run, and their task was not in it.
 */
export class Strangers {
  readonly #deps: StrangersDeps
  readonly #removing = new Set<string>()
  #byTask = new Map<string, readonly ContainerSnapshot[]>()
  #mayBeRemoved = false

  constructor(deps: StrangersDeps) {
    this.#deps = deps
  }

  /** The newest list of everything. */
  seen(byTask: ReadonlyMap<string, readonly ContainerSnapshot[]>): void {
    this.#byTask = new Map(byTask)
  }

  /** Takes a task's containers out: they belong to somebody now. */
  adopt(taskArn: string): readonly ContainerSnapshot[] {
    const snapshots = this.#byTask.get(taskArn) ?? []
    this.#byTask.delete(taskArn)
    return snapshots
  }

  /** The control plane has sent a full set. */
  mayBeRemoved(): void {
    this.#mayBeRemoved = true
  }

  /** Stops and removes what belongs to no task, if that is known by now. What fails is tried again with the next list. */
  remove(isKnown: (taskArn: string) => boolean): void {
    if (!this.#mayBeRemoved) return
    for (const [taskArn, snapshots] of this.#byTask) {
      if (isKnown(taskArn) || this.#removing.has(taskArn)) continue
      this.#deps.log.warn('Removing the containers of a task that the cluster does not know.', { taskArn })
      this.#removing.add(taskArn)
      void this.#removeTask(taskArn, snapshots)
    }
    this.#byTask.clear()
  }

  async #removeTask(taskArn: string, snapshots: readonly ContainerSnapshot[]): Promise<void> {
    const { runtime, options, signal, log } = this.#deps
    const holdsNetwork = (snapshot: ContainerSnapshot) => snapshot.containerName === pauseContainerName
    const removeOne = async ({ runtimeId, state }: ContainerSnapshot) => {
      if (state === 'running') await runtime.stop(runtimeId, options.stopTimeoutMs, signal)
      await runtime.remove(runtimeId, signal)
    }
    try {
      await Promise.all(snapshots.filter((each) => !holdsNetwork(each)).map(removeOne))
      await Promise.all(snapshots.filter(holdsNetwork).map(removeOne))
    } catch (error) {
      if (!signal.aborted) log.warn('The containers of an unknown task could not be removed yet.', { taskArn, error })
    } finally {
      this.#removing.delete(taskArn)
    }
  }
}
