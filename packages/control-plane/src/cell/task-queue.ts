import { newId } from '@berth/shared/ids.ts'
import type { HostFleet } from '../scheduler/host-fleet.ts'
import { explain } from '../scheduler/explain.ts'
import { place } from '../scheduler/placement.ts'
import type { PlacementRequest } from '../scheduler/placement-request.ts'
import type { Transaction } from './cell.ts'
import { hostsToKeep } from './hosts-kept.ts'
import { summarizeFailure } from './placement-failures.ts'
import { isWaiting, type TaskQueueRecord, type TaskRecord, type WaitingTaskRecord } from './records.ts'
import { taskDefinitionOfArn } from './service-launch.ts'
import type { ReadonlyTables } from './tables.ts'
import { endTask } from './task-changes.ts'
import { giveBerth, type LaunchDeps, newTask } from './new-task.ts'
import { type TaskBlueprint, taskBlueprint, type TaskLaunch } from './task-blueprint.ts'
import { berthsOf, launchTasks } from './task-launch.ts'
import { inQueueOrder, type WaitingLine, type WaitingTasks, type WaitingUnit } from './waiting-tasks.ts'

/** Tasks that are started, and tasks that are given up, in one transaction: some 10 ms of work. */
const perPass = 1000

/** For how long hosts are kept for the same unit before it is asked again which are best, in ms. */
const choiceStaysMs = 10_000

/** How tasks are to wait if they do not fit. */
export interface QueueChoice {
  readonly priority: number
  /** Whether all of them start together. */
  readonly gang: boolean
  /** 0: for ever. */
  readonly timeoutMs: number
}

/** Starts tasks where there is room that nobody before them has a right to, and lets the others wait. Returns all of them. */
export function launchOrQueue(
  tx: Transaction,
  deps: LaunchDeps,
  launches: readonly (readonly [TaskLaunch, number])[],
  choice: QueueChoice,
): readonly TaskRecord[] {
  const gang = choice.gang ? newId(deps.random) : undefined
  const nobodyWaits = tx.waiting.size === 0
  const tasks = launches.flatMap(([launch, count]) => {
    const { tasks, unplaced } =
      nobodyWaits && gang === undefined ? launchTasks(tx, deps, launch, count) : { tasks: [], unplaced: count }
    return [...tasks, ...queueTasks(tx, deps, launch, unplaced, choice, gang)]
  })
  if (!nobodyWaits || gang !== undefined) startWaiting(tx, deps)
  return tasks.map((task) => tx.tables.tasks.get(task.id) ?? task)
}

function queueTasks(
  tx: Transaction,
  deps: LaunchDeps,
  launch: TaskLaunch,
  count: number,
  { priority, timeoutMs }: QueueChoice,
  gang: string | undefined,
): readonly TaskRecord[] {
  if (count === 0) return []
  const blueprint = taskBlueprint(tx.tables, launch)
  const { placementConstraints, placementStrategy } = launch
  const looksAtTasks = blueprint.request.constraints.some(
    (constraint) => constraint.type === 'memberOf' && constraint.scope === 'tasks',
  )
  const queue: TaskQueueRecord = {
    priority,
    ...(gang !== undefined && { gang }),
    ...(timeoutMs > 0 && { until: deps.clock.now() + timeoutMs }),
    ...(placementConstraints.length > 0 && { placementConstraints }),
    ...(placementStrategy.length > 0 && { placementStrategy }),
    ...(looksAtTasks && { looksAtTasks }),
  }
  return Array.from({ length: count }, () => {
    const task = { ...newTask(deps, blueprint), queue }
    tx.put('tasks', task.id, task)
    return task
  })
}

export interface PassOutcome {
  readonly started: number
  /** Whether there may be more to do at once: it was left for others to have their turn in between. */
  readonly more: boolean
  /** When to look again if nothing happens before, in ms since the epoch: hosts were kept by a choice that was made earlier and may be outdated. */
  readonly lookAgainAt: number | undefined
}

/**
 * Goes through what waits in its order, starts what fits, and gives up what has waited for long enough.
 *
 * Somebody may pass others before him, but not take a place on the hosts that are kept for the first of each pool who does not fit and could
 * once tasks have ended. So the first always gets his turn, and those behind him lose no more than these hosts.
 */
export function startWaiting(tx: Transaction, deps: LaunchDeps): PassOutcome {
  const gaveUp = giveUpOverdue(tx, deps)
  const memory = memoryOf(tx.waiting)
  const pass = new Pass(tx, deps, memory)
  const started = pass.run(perPass)
  const more = gaveUp >= perPass || started >= perPass
  memory.keptHosts = pass.kept.hosts
  return { started, more, lookAgainAt: pass.lookAgainAt }
}

/** Whether the last pass kept the host for somebody. A service that takes room there changes what may be kept. */
export const isKept = (waiting: WaitingTasks, hostId: string): boolean =>
  memories.get(waiting)?.keptHosts.has(hostId) === true

/** What the tasks of a line ask of the scheduler, were they to start now. */
export function waitingRequest(tables: ReadonlyTables, task: WaitingTaskRecord): PlacementRequest | undefined {
  return waitingBlueprint(tables, task)?.request
}

function waitingBlueprint(tables: ReadonlyTables, task: WaitingTaskRecord): TaskBlueprint | undefined {
  const definition = taskDefinitionOfArn(tables, task.taskDefinitionArn)
  if (definition === undefined) return undefined
  const { cluster, launchType, group, overrides, enableExecuteCommand, tags } = task
  const { placementConstraints = [], placementStrategy = [] } = task.queue
  const asked = { placementConstraints, placementStrategy, overrides, enableExecuteCommand, tags }
  return taskBlueprint(tables, { cluster, definition, launchType, group, ...asked })
}

function giveUpOverdue(tx: Transaction, { clock }: LaunchDeps): number {
  const now = clock.now()
  const overdue = tx.waiting.overdue(now, perPass)
  for (const id of overdue) {
    const task = tx.tables.tasks.get(id)
    if (task === undefined || !isWaiting(task)) continue
    const request = waitingRequest(tx.tables, task)
    const why = request === undefined ? '' : `: ${summarizeFailure(explain(tx.fleet.hosts, request))}`
    const waited = Math.round((now - task.createdAt) / 1000)
    const reason = `The task waited for room for ${waited} s, as long as it was to${why}`
    tx.put('tasks', id, endTask(task, { code: 'TaskFailedToStart', reason }, now))
  }
  return overdue.length
}

/** Hosts that are kept for the first of each pool. */
interface Kept {
  readonly pools: Set<string>
  readonly hosts: Set<string>
}

/**
 * What is known from the pass before, so that a pass that finds nothing new is cheap: a hint only, gone with the leadership.
 */
class QueueMemory {
  /** Lines of which nothing fits as long as no room comes, and which hosts were kept from them. */
  readonly #refused = new Map<string, string>()
  /** Which hosts were kept for whom, by line. */
  readonly choices = new Map<string, Choice>()
  keptHosts: ReadonlySet<string> = new Set()
  #roomVersion = -1

  begin(roomVersion: number): void {
    if (this.#roomVersion !== roomVersion) this.#refused.clear()
    this.#roomVersion = roomVersion
  }

  refuse({ key }: WaitingLine, { hosts }: Kept): void {
    this.#refused.set(key, [...hosts].join())
  }

  isRefused({ key }: WaitingLine, { hosts }: Kept): boolean {
    return this.#refused.get(key) === [...hosts].join()
  }
}

interface Choice {
  readonly unitId: string
  readonly hosts: ReadonlySet<string>
  /** In ms since the epoch. */
  readonly at: number
}

const memories = new WeakMap<WaitingTasks, QueueMemory>()

function memoryOf(waiting: WaitingTasks): QueueMemory {
  const memory = memories.get(waiting) ?? new QueueMemory()
  memories.set(waiting, memory)
  memory.begin(waiting.roomVersion)
  return memory
}

class Pass {
  /** Grows, and never else changes, so that what was refused once in a pass stays so. */
  readonly kept: Kept = { pools: new Set(), hosts: new Set() }
  lookAgainAt: number | undefined
  readonly #tx: Transaction
  readonly #deps: LaunchDeps
  readonly #memory: QueueMemory
  readonly #blueprints = new Map<WaitingLine, TaskBlueprint | undefined>()
  #lasting: HostFleet | undefined

  constructor(tx: Transaction, deps: LaunchDeps, memory: QueueMemory) {
    this.#tx = tx
    this.#deps = deps
    this.#memory = memory
  }

  /** Starts up to about `atMost` tasks, and returns how many. */
  run(atMost: number): number {
    const open = new Set(this.#tx.waiting.lines())
    let started = 0
    while (open.size > 0 && started < atMost) {
      const { line, next } = frontLine(open)
      const blueprint = this.#blueprintOf(line)
      if (blueprint !== undefined && !this.#memory.isRefused(line, this.kept)) {
        const units = unitsBefore(line, next, line.unitSize === 1 ? atMost - started : 1)
        const tasks = this.#start(
          units.flatMap(({ taskIds }) => taskIds),
          line,
          blueprint,
        )
        started += tasks
        if (tasks < units.length * line.unitSize) this.#memory.refuse(line, this.kept)
        else if (line.units.size > 0) continue
      }
      if (blueprint !== undefined) this.#keepHostsFor(line, blueprint)
      open.delete(line)
    }
    return started
  }

  /** Starts as many of the tasks as fit; of a gang all or none. */
  #start(taskIds: readonly string[], { unitSize }: WaitingLine, blueprint: TaskBlueprint): number {
    const fleet = this.#tx.fleet.hosts
    const request = this.#withoutKept({ ...blueprint.request, count: taskIds.length, unexplained: true })
    const { placed, unplaced } = place(fleet, request, this.#deps.random)
    if (unitSize > 1 && unplaced > 0) return 0
    const first = this.#tx.tables.tasks.get(taskIds[0] ?? '')
    const berthAt = berthsOf(fleet, request)
    for (const [index, berth] of placed.entries()) {
      const task = this.#tx.tables.tasks.get(taskIds[index] as string) as WaitingTaskRecord
      const own = task.overrides === first?.overrides ? blueprint : waitingBlueprint(this.#tx.tables, task)
      const { priority, gang, until } = task.queue
      this.#tx.put('tasks', task.id, {
        ...giveBerth(this.#tx, own ?? blueprint, task, berthAt(berth)),
        queue: { priority, ...(gang !== undefined && { gang }), ...(until !== undefined && { until }) },
        placedAt: this.#deps.clock.now(),
        version: task.version + 1,
      })
    }
    return placed.length
  }

  /** Nobody who comes after the first of a pool may have the hosts that are kept for him. */
  #keepHostsFor(line: WaitingLine, { request }: TaskBlueprint): void {
    const unit = line.units.first()
    if (unit === undefined || this.kept.pools.has(request.pool)) return
    const hosts = this.#choice(line, unit, request)
    if (hosts.size === 0) return
    this.kept.pools.add(request.pool)
    for (const id of hosts) this.kept.hosts.add(id)
  }

  #choice(line: WaitingLine, unit: WaitingUnit, request: PlacementRequest): ReadonlySet<string> {
    const now = this.#deps.clock.now()
    const fleet = this.#tx.fleet.hosts
    const { choices } = this.#memory
    const known = choices.get(line.key)
    const isUsable = (id: string) => fleet.placeable[fleet.slotOf(id) ?? -1] === 1 && !this.kept.hosts.has(id)
    if (
      known !== undefined &&
      now - known.at < choiceStaysMs &&
      (known.hosts.size === 0 || known.unitId === unit.id) &&
      [...known.hosts].every(isUsable)
    ) {
      if (known.hosts.size > 0) this.lookAgainAt = Math.min(this.lookAgainAt ?? Infinity, known.at + choiceStaysMs)
      return known.hosts
    }
    this.#lasting ??= fleet.fork((id) => this.#tx.tables.tasks.get(id)?.serviceName !== undefined)
    const hosts = hostsToKeep(fleet, this.#lasting, this.#withoutKept(request), line.unitSize, this.#deps.random)
    if (choices.size > 1000) choices.clear()
    choices.set(line.key, { unitId: unit.id, hosts, at: now })
    return hosts
  }

  #withoutKept(request: PlacementRequest): PlacementRequest {
    const { hosts } = this.kept
    return hosts.size === 0 ? request : { ...request, eligible: (id) => !hosts.has(id) }
  }

  #blueprintOf(line: WaitingLine): TaskBlueprint | undefined {
    if (this.#blueprints.has(line)) return this.#blueprints.get(line)
    const task = this.#tx.tables.tasks.get(line.units.first()?.taskIds[0] ?? '')
    const blueprint = task !== undefined && isWaiting(task) ? waitingBlueprint(this.#tx.tables, task) : undefined
    this.#blueprints.set(line, blueprint)
    return blueprint
  }
}

/** The line whose first unit comes before those of the others, and the first unit among the others. */
function frontLine(lines: Iterable<WaitingLine>): {
  readonly line: WaitingLine
  readonly next: WaitingUnit | undefined
} {
  let front: WaitingLine | undefined
  let first: WaitingUnit | undefined
  let next: WaitingUnit | undefined
  for (const line of lines) {
    const unit = line.units.first()
    if (unit === undefined) continue
    if (first === undefined || inQueueOrder(unit, first) < 0) {
      next = first
      first = unit
      front = line
    } else if (next === undefined || inQueueOrder(unit, next) < 0) next = unit
  }
  if (front === undefined) throw new Error('nobody waits in these lines')
  return { line: front, next }
}

/** The first units of a line, as many as come before `next`. */
function unitsBefore({ units }: WaitingLine, next: WaitingUnit | undefined, atMost: number): readonly WaitingUnit[] {
  const first = units.firstOnes(atMost)
  if (next === undefined) return first
  const end = first.findIndex((unit) => inQueueOrder(unit, next) > 0)
  return end < 0 ? first : first.slice(0, end)
}
