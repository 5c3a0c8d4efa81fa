import type { Revision, TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { HostIdentity, JournalRecord, TaskResult } from './journal-record.ts'

/** What the journal knows of one task. */
export interface JournaledTask {
  readonly assignment: TaskAssignment
  readonly result?: TaskResult
  /** The cell needs no more word of it: it was removed from the assignments, or a full set came without it. */
  readonly released: boolean
}

/** All that the records so far amount to. */
export interface JournalState {
  readonly identity: HostIdentity | undefined
  readonly held: Revision
  readonly tasks: ReadonlyMap<string, JournaledTask>
}

/** The state of a journal while it is being written: records are folded into it in their order. */
export class JournalFold implements JournalState {
  identity: HostIdentity | undefined
  held: Revision = { epoch: 0, number: 0 }
  readonly tasks = new Map<string, JournaledTask>()

  add(record: JournalRecord): void {
    switch (record.kind) {
      case 'identity':
        this.identity = record.identity
        return
      case 'assignments':
        this.#assign(record)
        return
      case 'result': {
        const task = this.tasks.get(record.result.taskArn)
        if (task) this.tasks.set(record.result.taskArn, { ...task, result: record.result })
        return
      }
      case 'dropped':
        this.tasks.delete(record.taskArn)
    }
  }

  #assign(record: Extract<JournalRecord, { kind: 'assignments' }>): void {
    this.held = record.revision
    const put = new Set<string>()
    for (const assignment of record.put) {
      put.add(assignment.taskArn)
      const before = this.tasks.get(assignment.taskArn)
      this.tasks.set(assignment.taskArn, {
        ...before,
        assignment: before ? withoutRevival(before.assignment, assignment) : assignment,
        released: false,
      })
    }
    const released = record.full ? [...this.tasks.keys()].filter((taskArn) => !put.has(taskArn)) : record.removeTaskArns
    for (const taskArn of released) {
      const task = this.tasks.get(taskArn)
      if (task)
        this.tasks.set(taskArn, { ...task, assignment: { ...task.assignment, shouldRun: false }, released: true })
    }
  }
}

/** The newer assignment of a task; one that was to stop is not to run again, and keeps the reason that it was given first. */
export function withoutRevival(before: TaskAssignment, after: TaskAssignment): TaskAssignment {
  return before.shouldRun ? after : { ...after, shouldRun: false, stopReason: before.stopReason || after.stopReason }
}

/** The fewest records that amount to the same state: what a journal is compacted to. */
export function snapshotRecords(state: JournalState): JournalRecord[] {
  const tasks = [...state.tasks.values()]
  const assignments = { kind: 'assignments', revision: state.held } as const
  const released = tasks.filter((task) => task.released).map((task) => task.assignment.taskArn)
  return [
    ...(state.identity ? [{ kind: 'identity' as const, identity: state.identity }] : []),
    { ...assignments, full: true, put: tasks.map((task) => task.assignment), removeTaskArns: [] },
    ...(released.length > 0 ? [{ ...assignments, full: false, put: [], removeTaskArns: released }] : []),
    ...tasks.flatMap(({ result }) => (result ? [{ kind: 'result' as const, result }] : [])),
  ]
}
