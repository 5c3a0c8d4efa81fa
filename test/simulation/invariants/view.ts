import type { TaskRecord } from '@berth/control-plane/cell/records.ts'
import type { FakeContainer } from '@berth/agent/runtime/fake/fake-container.ts'
import type { DurableRecords } from '../durable-records.ts'
import type { Ledger } from '../ledger.ts'
import type { SimulatedHost } from '../simulated-host.ts'

/** All that invariants look at: what the store holds, what runs, and what callers were promised. */
export interface View {
  readonly records: DurableRecords['tables']
  readonly hosts: readonly SimulatedHost[]
  readonly ledger: Ledger
  /** Tasks that the store ever had, by id. */
  readonly everStored: ReadonlySet<string>
  /** Virtual wall-clock time, ms since the epoch. */
  readonly now: number
}

/** What must hold. Returns what is wrong, in one sentence; nothing while it holds. */
export type Invariant = (view: View) => string | undefined

/** The first of `problems` that there is. */
export function firstOf(problems: Iterable<string | undefined>): string | undefined {
  for (const problem of problems) if (problem !== undefined) return problem
  return undefined
}

/** Whether a task takes something of a host: said here anew, so that the cell's own rule is held against something. */
export const holdsRoom = (task: TaskRecord): boolean => task.hostId !== undefined && task.lastStatus !== 'STOPPED'

/** Whether a task was ended without its host's word: the host may still run it, until it is told. */
export const wasGivenUp = (task: TaskRecord): boolean =>
  task.lastStatus === 'STOPPED' && task.connectivity === 'DISCONNECTED'

export const taskIdOf = (taskArn: string): string => taskArn.slice(taskArn.lastIndexOf('/') + 1)

/** Whether a container that runs is of a task that is over, in a way that no host can help; it is on its way out, and not counted. */
export function isLeftover({ records }: View, { wanted }: FakeContainer): boolean {
  const task = records.tasks.get(taskIdOf(wanted.identity.taskArn))
  return task !== undefined && wasGivenUp(task)
}

/** Every container of every engine. */
export function* containersOf(view: View): Generator<FakeContainer> {
  for (const host of view.hosts) yield* host.world.containers.values()
}
