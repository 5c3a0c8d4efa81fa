import type { Revision, TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { HostSession } from './host-session.ts'

/**
 * Sets that may be on their way to a host without its word that they are durable there, and tasks in each.
 *
 * Small ones: a TLS connection keeps buffers as large as the most that was ever written to it at once. After one set of 60 KB it was 61 KiB a host,
 * after the same in pieces of 12 KB 17 KiB (measured with Node 24 and OpenSSL 3), which with ten thousand hosts is 440 MiB.
 */
const unacknowledgedSets = 2
const tasksPerSet = 16

/**
 * What one connected host is told: one full set, then deltas chained by revision. What changes while the host is slow to
 * acknowledge is kept as the newest word per task, so that a slow host costs a bounded amount of memory.
 */
export class AssignmentChain {
  readonly #session: HostSession
  readonly #epoch: number
  #number = 0
  /** Until the full set is out, deltas gather. */
  #open = false
  readonly #unacknowledged: number[] = []
  readonly #put = new Map<string, TaskAssignment>()
  readonly #removed = new Set<string>()

  constructor(session: HostSession, epoch: number) {
    this.#session = session
    this.#epoch = epoch
  }

  /** Sends everything that the host must run, and begins the chain anew. */
  sendFull(tasks: readonly TaskAssignment[]): void {
    this.#open = true
    this.#unacknowledged.length = 0
    this.#session.assign({ revision: this.#next(), put: tasks, removeTaskArns: [] })
    this.flush()
  }

  /** A task is new, or what is wanted of it changed. */
  put(task: TaskAssignment): void {
    this.#removed.delete(task.taskArn)
    this.#put.set(task.taskArn, task)
  }

  /** The cell needs no more word of a task. */
  remove(taskArn: string): void {
    this.#put.delete(taskArn)
    this.#removed.add(taskArn)
  }

  /** Holds deltas back until the next full set. */
  hold(): void {
    this.#open = false
  }

  /** The host has a set on disk. */
  acknowledge(revision: Revision): void {
    if (revision.epoch !== this.#epoch) return
    while (this.#unacknowledged[0] !== undefined && this.#unacknowledged[0] <= revision.number)
      this.#unacknowledged.shift()
    this.flush()
  }

  /** Sends what gathered, as far as the host keeps up. */
  flush(): void {
    while (this.#open && this.#unacknowledged.length < unacknowledgedSets && this.#put.size + this.#removed.size > 0) {
      const previous = { epoch: this.#epoch, number: this.#number }
      const put = take(this.#put.values(), tasksPerSet)
      for (const { taskArn } of put) this.#put.delete(taskArn)
      const removeTaskArns = take(this.#removed.values(), tasksPerSet * 10)
      for (const taskArn of removeTaskArns) this.#removed.delete(taskArn)
      this.#session.assign({ revision: this.#next(), previous, put, removeTaskArns })
    }
  }

  #next(): Revision {
    this.#unacknowledged.push(++this.#number)
    return { epoch: this.#epoch, number: this.#number }
  }
}

function take<T>(values: Iterable<T>, count: number): T[] {
  const taken: T[] = []
  for (const value of values) {
    if (taken.length === count) break
    taken.push(value)
  }
  return taken
}
