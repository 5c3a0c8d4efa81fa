import type { HostFleet } from './host-fleet.ts'
import { binpackValue } from './host-score.ts'
import type { PlacementRequest } from './placement-request.ts'
import { place } from './placement.ts'
import type { SpreadField } from './strategy.ts'
import { type Random, seededRandom } from '@berth/shared/random.ts'

/** A task that may be moved: one that runs, is not protected, and belongs to no deployment that is under way. */
export interface MovableTask {
  readonly taskId: string
  /** What its service would ask of a new host for it; `count` is not looked at. */
  readonly request: PlacementRequest
}

/** What the moves are for: tasks of each group spread evenly by the field again, or as many empty hosts as can be had. */
export type RebalanceGoal = { readonly type: 'spread'; readonly by: SpreadField } | { readonly type: 'empty-hosts' }

/** A move: a new task on `toHost`, and when it is healthy, the end of `taskId` on `fromHost`. */
export interface Move {
  readonly taskId: string
  readonly fromHost: string
  readonly toHost: string
  readonly dynamicPorts: readonly number[]
  /**
   * `spread`: by how many tasks the two places come closer to each other, at least 2. `empty-hosts`: how many hosts are empty
   * once this move and those before it are done: 1 for the last move off a host, else 0.
   */
  readonly gain: number
}

/** Chance is never drawn from: tasks are moved by packing and spread alone. */
const NO_CHANCE: Random = seededRandom(0)

/**
 * Plans at most `budget` moves that serve the goal, in the order in which they are to be made. Each is possible with the old
 * task still in place, as long as those before it are done; each goes only where the task's own request allows, its constraints
 * included. Hosts are emptied whole or left alone, and never at the cost of a spread that the tasks' strategies ask for.
 * Deterministic; the fleet that is given is not changed.
 */
export function planRebalance(
  fleet: HostFleet,
  tasks: readonly MovableTask[],
  goal: RebalanceGoal,
  budget: number,
): Move[] {
  const known = tasks
    .filter(({ taskId }) => fleet.claimOf(taskId) !== undefined)
    .toSorted((a, b) => (a.taskId < b.taskId ? -1 : 1))
  const copy = fleet.fork()
  return goal.type === 'spread' ? planSpread(copy, known, goal.by, budget) : planEmptyHosts(copy, known, budget)
}

function planSpread(fleet: HostFleet, tasks: readonly MovableTask[], by: SpreadField, budget: number): Move[] {
  const moves: Move[] = []
  const left = new Set(tasks)
  while (moves.length < budget) {
    const move = bestSpread(fleet, [...left], by)
    if (move === undefined) return moves
    for (const task of left) if (task.taskId === move.taskId) left.delete(task)
    carryOut(fleet, move)
    moves.push(move)
  }
  return moves
}

/** The move that brings two places closest to each other; of equal ones the first by task. */
function bestSpread(fleet: HostFleet, tasks: readonly MovableTask[], by: SpreadField): Move | undefined {
  const counts = new Map<string, Map<string, number>>()
  const step = { type: 'spread', by } as const
  /** Tasks of one request on one host are alike: one of them is enough to know. */
  const tried = new Map<PlacementRequest, Set<string>>()
  let best: Move | undefined
  for (const task of tasks) {
    const { hostId, group } = claimOf(fleet, task)
    const from = placeOf(fleet, hostId, by)
    const inGroup = counts.get(group) ?? countPlaces(fleet, group, by)
    counts.set(group, inGroup)
    const most = inGroup.get(from) ?? 0
    const triedOn = tried.get(task.request) ?? new Set()
    if (most < 2 || triedOn.has(hostId)) continue
    tried.set(task.request, triedOn.add(hostId))
    const enough = (id: string) => most - (inGroup.get(placeOf(fleet, id, by)) ?? 0) >= 2
    const move = tryMove(fleet, { ...task, request: { ...task.request, strategy: [step] } }, enough)
    if (move === undefined) continue
    const gain = most - (inGroup.get(placeOf(fleet, move.toHost, by)) ?? 0)
    if (best === undefined || gain > best.gain) best = { ...move, gain }
  }
  return best
}

function planEmptyHosts(fleet: HostFleet, tasks: readonly MovableTask[], budget: number): Move[] {
  const moves: Move[] = []
  const byHost = new Map<string, MovableTask[]>()
  for (const task of tasks) {
    const { hostId } = claimOf(fleet, task)
    byHost.set(hostId, [...(byHost.get(hostId) ?? []), task])
  }
  const whole = [...byHost].filter(([hostId, its]) => fleet.tasksOn(hostId).length === its.length)
  whole.sort(
    ([a, of], [b, other]) => of.length - other.length || roomOf(fleet, b) - roomOf(fleet, a) || (a < b ? -1 : 1),
  )
  const received = new Set<string>()
  const emptied = new Set<string>()
  for (const [hostId, its] of whole) {
    if (received.has(hostId) || moves.length + its.length > budget) continue
    const away = emptyHost(fleet, hostId, its, (id) => !emptied.has(id))
    if (away === undefined) continue
    emptied.add(hostId)
    for (const { toHost } of away) received.add(toHost)
    moves.push(...away)
  }
  return moves
}

/** Moves all tasks off a host onto hosts that have some, largest first; nothing, and nothing changed, if one cannot go. */
function emptyHost(
  fleet: HostFleet,
  hostId: string,
  tasks: readonly MovableTask[],
  isAllowed: (hostId: string) => boolean,
): Move[] | undefined {
  const size = ({ request: { demand } }: MovableTask) => 2 * demand.cpu + demand.memory
  const done: { readonly move: Move; readonly undo: () => void }[] = []
  for (const task of tasks.toSorted((a, b) => size(b) - size(a) || (a.taskId < b.taskId ? -1 : 1))) {
    const used = (id: string) =>
      id !== hostId &&
      isAllowed(id) &&
      (fleet.roomOn(id)?.runningTasks ?? 0) > 0 &&
      keepsSpread(fleet, task, hostId, id)
    const move = tryMove(fleet, task, used)
    if (move === undefined) {
      for (const { undo } of done.toReversed()) undo()
      return undefined
    }
    done.push({ move, undo: carryOut(fleet, move) })
  }
  return done.map(({ move }, at) => (at === done.length - 1 ? { ...move, gain: 1 } : move))
}

/** Whether no spread of the task's own strategy becomes worse by the move: else the two goals would undo each other's work. */
function keepsSpread(fleet: HostFleet, { request }: MovableTask, fromHost: string, toHost: string): boolean {
  const from = fleet.slotOf(fromHost) as number
  const to = fleet.slotOf(toHost) as number
  return request.strategy.every((step) => {
    if (step.type !== 'spread') return true
    if (step.by.kind === 'host') return fleet.groupCount(request.group, to) < fleet.groupCount(request.group, from)
    const values = fleet.attributeValues(step.by.name)
    if (values.of(from) === values.of(to)) return true
    const counts = fleet.group(request.group)?.countsByValue(values)
    return (counts?.[values.of(to)] ?? 0) < (counts?.[values.of(from)] ?? 0)
  })
}

/** Where the task can go while it is still where it is. */
function tryMove(fleet: HostFleet, task: MovableTask, isAllowed: (hostId: string) => boolean): Move | undefined {
  const { hostId: fromHost } = claimOf(fleet, task)
  const asked = task.request.eligible
  const eligible = (id: string) => id !== fromHost && isAllowed(id) && (asked === undefined || asked(id))
  const strategy = task.request.strategy.filter(({ type }) => type !== 'random')
  const { placed } = place(fleet, { ...task.request, strategy, count: 1, eligible }, NO_CHANCE)
  const [to] = placed
  return to && { taskId: task.taskId, fromHost, toHost: to.hostId, dynamicPorts: to.dynamicPorts, gain: 0 }
}

/** Books the move; the function that is returned takes it back. */
function carryOut(fleet: HostFleet, { taskId, toHost, dynamicPorts }: Move): () => void {
  const held = fleet.release(taskId)
  if (held === undefined) throw new RangeError(`task ${taskId} holds nothing`)
  fleet.claim(toHost, taskId, held.demand, { group: held.group, dynamicPorts })
  return () => {
    fleet.release(taskId)
    fleet.claim(held.hostId, taskId, held.demand, held)
  }
}

function claimOf(fleet: HostFleet, { taskId }: MovableTask): { readonly hostId: string; readonly group: string } {
  const held = fleet.claimOf(taskId)
  if (held === undefined) throw new RangeError(`task ${taskId} holds nothing`)
  return held
}

const placeOf = (fleet: HostFleet, hostId: string, by: SpreadField): string =>
  by.kind === 'host' ? hostId : (fleet.hostNamed(hostId)?.attributes.get(by.name) ?? '')

function countPlaces(fleet: HostFleet, group: string, by: SpreadField): Map<string, number> {
  const counts = new Map<string, number>()
  const tasks = fleet.group(group)
  for (const host of fleet.hosts) {
    if (host === undefined) continue
    const slot = fleet.slotOf(host.id)
    const count = slot === undefined ? 0 : (tasks?.countOn(slot) ?? 0)
    const place = placeOf(fleet, host.id, by)
    counts.set(place, (counts.get(place) ?? 0) + count)
  }
  return counts
}

function roomOf(fleet: HostFleet, hostId: string): number {
  const slot = fleet.slotOf(hostId)
  return slot === undefined ? 0 : binpackValue(fleet, 'room', slot)
}
