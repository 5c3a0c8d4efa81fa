import { SortedList } from './sorted-list.ts'
import { holdsClaim, isWaiting, type TaskRecord, type WaitingTaskRecord } from './records.ts'
import type { Change } from './tables.ts'

/** What starts together: the tasks of a gang, or a single one. */
export interface WaitingUnit {
  /** Of the gang, or of the task. */
  readonly id: string
  readonly priority: number
  /** In ms since the epoch. */
  readonly since: number
  readonly taskIds: readonly string[]
}

/** Units that are equal to the scheduler: where one does not fit, none does. */
export interface WaitingLine {
  readonly key: string
  /** Tasks of each unit. */
  readonly unitSize: number
  readonly units: SortedList<WaitingUnit>
}

/** The order in which units have a right to room: higher priority first, then age. */
export const inQueueOrder = (a: WaitingUnit, b: WaitingUnit): number =>
  b.priority - a.priority || a.since - b.since || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

interface Gang {
  readonly tasks: Map<string, TaskRecord>
  unit?: WaitingUnit
  line?: WaitingLine
}

interface Deadline {
  readonly until: number
  readonly id: string
}

/**
 * The tasks that wait for room, in order, and by what they need: an index over their records, as the fleet is one over hosts and claims. 100,000
 * tasks of few kinds are few lines.
 */
export class WaitingTasks {
  readonly #lines = new Map<string, WaitingLine>()
  readonly #gangs = new Map<string, Gang>()
  /** Gangs that grew or shrank since lines were last looked at. */
  readonly #changedGangs = new Set<Gang>()
  readonly #deadlines = new SortedList<Deadline>(
    (a, b) => a.until - b.until || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  )
  #size = 0
  /** How many have a constraint that looks at the tasks of a host. */
  #lookingAtTasks = 0
  #roomVersion = 0

  /** How many tasks wait. */
  get size(): number {
    return this.#size
  }

  /** Another number whenever something may fit that did not before. */
  get roomVersion(): number {
    return this.#roomVersion
  }

  /** Takes a change of a record into account. Undoing a change is following its reverse. */
  follow(change: Change): void {
    if (this.#size > 0 && this.mayGiveRoom(change)) this.#roomVersion++
    if (change.table !== 'tasks') return
    const { before, after } = change
    const waited = before !== undefined && isWaiting(before)
    const waits = after !== undefined && isWaiting(after)
    if (waited && waits && before.queue === after.queue) return
    if (waited) this.#remove(before)
    if (waits) this.#add(after)
  }

  /**
   * Whether something that waits may fit after a change: a host came or changed, a task left its host or is to, somebody waits no more and so keeps no
   * hosts from others; for those whose constraints look at tasks, also that a task was placed.
   */
  mayGiveRoom(change: Change): boolean {
    if (change.table === 'hosts') return change.after !== undefined
    if (change.table !== 'tasks') return false
    const { before, after } = change
    const has = after !== undefined && holdsClaim(after)
    if (before === undefined) return has && this.#lookingAtTasks > 0
    if (isWaiting(before)) return has ? this.#lookingAtTasks > 0 : after === undefined || !isWaiting(after)
    return (holdsClaim(before) && !has) || before.desiredStatus !== after?.desiredStatus
  }

  /** All lines that have somebody in them. */
  lines(): Iterable<WaitingLine> {
    for (const gang of this.#changedGangs) this.#lineUp(gang)
    this.#changedGangs.clear()
    return this.#lines.values()
  }

  /** The unit that a waiting task is of, and its line. */
  placeOf(task: WaitingTaskRecord): { readonly unit: WaitingUnit; readonly line: WaitingLine } | undefined {
    this.lines()
    const gang = this.#gangs.get(task.queue.gang ?? '')
    if (gang?.unit !== undefined && gang.line !== undefined) return { unit: gang.unit, line: gang.line }
    const line = this.#lines.get(lineKey(task, 1))
    return line && { unit: unitOf(task), line }
  }

  /** How many tasks have a right to room before those of `unit`. */
  ahead(unit: WaitingUnit): number {
    let tasks = 0
    for (const { units, unitSize } of this.lines()) tasks += units.countBefore(unit) * unitSize
    return tasks
  }

  /** When the first of them has waited for as long as it was to, in ms since the epoch. */
  nextDeadline(): number | undefined {
    return this.#deadlines.first()?.until
  }

  /** Up to `atMost` tasks that have waited for as long as they were to. */
  overdue(now: number, atMost: number): string[] {
    return this.#deadlines
      .firstOnes(atMost)
      .filter(({ until }) => until <= now)
      .map(({ id }) => id)
  }

  #add(task: WaitingTaskRecord): void {
    this.#size++
    if (task.queue.looksAtTasks) this.#lookingAtTasks++
    if (task.queue.until !== undefined) this.#deadlines.add({ until: task.queue.until, id: task.id })
    if (task.queue.gang === undefined) return this.#lineOf(task, 1).units.add(unitOf(task))
    const gang = this.#gangs.get(task.queue.gang) ?? { tasks: new Map<string, TaskRecord>() }
    this.#gangs.set(task.queue.gang, gang)
    gang.tasks.set(task.id, task)
    this.#changedGangs.add(gang)
  }

  #remove(task: WaitingTaskRecord): void {
    this.#size--
    if (task.queue.looksAtTasks) this.#lookingAtTasks--
    if (task.queue.until !== undefined) this.#deadlines.remove({ until: task.queue.until, id: task.id })
    if (task.queue.gang === undefined) return this.#leave(this.#lineOf(task, 1), unitOf(task))
    const gang = this.#gangs.get(task.queue.gang)
    if (gang === undefined) return
    gang.tasks.delete(task.id)
    this.#changedGangs.add(gang)
    if (gang.tasks.size > 0) return
    this.#gangs.delete(task.queue.gang)
    this.#lineUp(gang)
  }

  /** Puts a gang into the line of its size. */
  #lineUp(gang: Gang): void {
    if (gang.line !== undefined && gang.unit !== undefined) this.#leave(gang.line, gang.unit)
    delete gang.line
    delete gang.unit
    const [first] = gang.tasks.values()
    if (first === undefined || !isWaiting(first)) return
    gang.unit = { ...unitOf(first), id: first.queue.gang ?? first.id, taskIds: [...gang.tasks.keys()] }
    gang.line = this.#lineOf(first, gang.tasks.size)
    gang.line.units.add(gang.unit)
  }

  #leave(line: WaitingLine, unit: WaitingUnit): void {
    line.units.remove(unit)
    if (line.units.size === 0) this.#lines.delete(line.key)
  }

  #lineOf(task: WaitingTaskRecord, unitSize: number): WaitingLine {
    const key = lineKey(task, unitSize)
    let line = this.#lines.get(key)
    if (line === undefined) {
      line = { key, unitSize, units: new SortedList(inQueueOrder) }
      this.#lines.set(key, line)
    }
    return line
  }
}

const unitOf = ({ id, queue, createdAt }: WaitingTaskRecord): WaitingUnit => ({
  id,
  priority: queue.priority,
  since: createdAt,
  taskIds: [id],
})

/** All that a placement depends on. */
const lineKey = (task: WaitingTaskRecord, unitSize: number): string =>
  JSON.stringify([
    unitSize,
    task.launchType,
    task.cluster,
    task.taskDefinitionArn,
    task.group,
    task.claim.cpu,
    task.claim.memoryMib,
    task.claim.gpus,
    task.queue.placementConstraints,
    task.queue.placementStrategy,
  ])
