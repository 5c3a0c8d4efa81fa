import type { HostFleet } from './host-fleet.ts'
import { binpackValue } from './host-score.ts'
import type { PlacementRequest } from './placement-request.ts'
import { place } from './placement.ts'
import { MAX_STRATEGY_STEPS, type SpreadField } from './strategy.ts'
import { type Random, seededRandom } from '@berth/shared/random.ts'

/** A task that may be moved: one that runs, is not protected, and belongs to no deployment that is under way. */
export interface MovableTask {
  readonly taskId: string
  /** What its service would ask of a new host for it; `count` is not looked at. Tasks that ask the same share one object. */
  readonly request: PlacementRequest
}

/**
 * What the moves are for: tasks of each group spread evenly again, by the field or (`own`) by each spread of their own strategy in its
 * order, or as many empty hosts as can be had.
 */
export type RebalanceGoal =
  | { readonly type: 'spread'; readonly by: SpreadField | 'own' }
  | {
      readonly type: 'empty-hosts' /** Tasks that leave with their host and keep none from being empty: daemons. */
      readonly daemons?: ReadonlySet<string>
    }

/** How far a plan goes. */
export interface PlanLimits {
  /** Moves at most. */
  readonly moves: number
  /** Hosts that are emptied at most. */
  readonly hosts?: number
  /** Hosts that are looked at for whether they can be emptied, those with the fewest tasks first. */
  readonly tried?: number
}

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
 * Plans the moves that serve the goal, in the order in which they are to be made. Each is possible with the old task still in place, as
 * long as those before it are done; each goes only where the task's own request allows, its constraints included. Hosts are emptied
 * whole or left alone. No move is made at the cost of a spread that comes before its goal: of the task's strategy, those before the one
 * that is served, and all of them where hosts are emptied. So plan after plan comes to an end, whatever the goals are: the unevenness of
 * the spreads in their order, then the number of hosts in use, only ever goes down.
 *
 * Without chance. The fleet is changed while this runs and is as before when it returns.
 */
export function planRebalance(
  fleet: HostFleet,
  tasks: readonly MovableTask[],
  goal: RebalanceGoal,
  limits: PlanLimits,
): Move[] {
  const known = tasks
    .filter(({ taskId }) => fleet.claimOf(taskId) !== undefined)
    .toSorted((a, b) => (a.taskId < b.taskId ? -1 : 1))
  const booked: Booked[] = []
  try {
    if (goal.type === 'spread') planSpread(fleet, known, goal.by, limits, booked)
    else planEmptyHosts(fleet, known, goal.daemons ?? new Set(), limits, booked)
    return booked.map(({ move }) => move)
  } finally {
    undoAll(booked)
  }
}

/** A move that the fleet has as if it were done, and how that is taken back. */
interface Booked {
  readonly move: Move
  readonly undo: () => void
}

const undoAll = (booked: readonly Booked[]): void => {
  for (const { undo } of booked.toReversed()) undo()
}

function planSpread(
  fleet: HostFleet,
  tasks: readonly MovableTask[],
  by: SpreadField | 'own',
  { moves: most }: PlanLimits,
  booked: Booked[],
): void {
  const left = new Map(tasks.map((task) => [task.taskId, task]))
  for (let level = 0; level < (by === 'own' ? MAX_STRATEGY_STEPS : 1); level++) {
    while (booked.length < most) {
      const move = bestSpread(fleet, left.values(), by, level)
      if (move === undefined) break
      left.delete(move.taskId)
      booked.push({ move, undo: carryOut(fleet, move) })
    }
  }
}

/** A task that could serve a spread, and how many of its group are where it is. */
interface Candidate {
  readonly task: MovableTask
  readonly by: SpreadField
  readonly counts: ReadonlyMap<string, number>
  readonly most: number
}

/** The move that brings two places closest to each other; of equal ones the first by task. */
function bestSpread(
  fleet: HostFleet,
  tasks: Iterable<MovableTask>,
  by: SpreadField | 'own',
  level: number,
): Move | undefined {
  const candidates = spreadCandidates(fleet, tasks, by, level).sort((a, b) => b.most - a.most)
  /** Tasks of one request that come from the same places can go to the same ones: the first of them is enough to know. */
  const tried = new Map<PlacementRequest, Set<string>>()
  let best: Move | undefined
  for (const { task, by: field, counts, most } of candidates) {
    if (best !== undefined && best.gain >= most) return best
    const hostId = claimOf(fleet, task).hostId
    const earlier = spreadsBefore(task, field)
    const key = JSON.stringify(earlier.map((each) => placeOf(fleet, hostId, each)))
    const known = tried.get(task.request) ?? new Set()
    if (known.has(key)) continue
    tried.set(task.request, known.add(key))
    const gainOf = (id: string) => most - (counts.get(placeOf(fleet, id, field)) ?? 0)
    const serves = (id: string) => gainOf(id) >= 2 && keepsSpread(fleet, task, earlier, hostId, id)
    const strategy = [{ type: 'spread', by: field } as const, ...task.request.strategy]
    const move = tryMove(fleet, task, strategy, serves)
    if (move === undefined) continue
    const gain = gainOf(move.toHost)
    if (best === undefined || gain > best.gain) best = { ...move, gain }
  }
  return best
}

function spreadCandidates(
  fleet: HostFleet,
  tasks: Iterable<MovableTask>,
  by: SpreadField | 'own',
  level: number,
): Candidate[] {
  const countsOf = new Map<string, Map<string, number>>()
  const candidates: Candidate[] = []
  for (const task of tasks) {
    const field = by === 'own' ? spreadsOf(task)[level] : by
    if (field === undefined) continue
    const { hostId, group } = claimOf(fleet, task)
    const key = JSON.stringify([field, group])
    let counts = countsOf.get(key)
    if (counts === undefined) countsOf.set(key, (counts = countPlaces(fleet, group, field)))
    const most = counts.get(placeOf(fleet, hostId, field)) ?? 0
    if (most >= 2) candidates.push({ task, by: field, counts, most })
  }
  return candidates
}

const spreadsOf = ({ request }: MovableTask): SpreadField[] =>
  request.strategy.flatMap((step) => (step.type === 'spread' ? [step.by] : []))

/** The spreads of a task's strategy that come before the one by `field`: none where it has no such one. */
function spreadsBefore(task: MovableTask, field: SpreadField): SpreadField[] {
  const spreads = spreadsOf(task)
  const at = spreads.findIndex((each) => sameField(each, field))
  return at < 0 ? [] : spreads.slice(0, at)
}

const sameField = (a: SpreadField, b: SpreadField): boolean =>
  a.kind === 'host' ? b.kind === 'host' : b.kind === 'attribute' && a.name === b.name

function planEmptyHosts(
  fleet: HostFleet,
  tasks: readonly MovableTask[],
  daemons: ReadonlySet<string>,
  { moves: most, hosts = Number.MAX_SAFE_INTEGER, tried = Number.MAX_SAFE_INTEGER }: PlanLimits,
  booked: Booked[],
): void {
  const byHost = Map.groupBy(tasks, (task) => claimOf(fleet, task).hostId)
  const others = (hostId: string) => fleet.tasksOn(hostId).filter((id) => !daemons.has(id)).length
  const whole = [...byHost].filter(([hostId, its]) => others(hostId) === its.length)
  whole.sort(
    ([a, of], [b, other]) => of.length - other.length || roomOf(fleet, b) - roomOf(fleet, a) || (a < b ? -1 : 1),
  )
  const received = new Set<string>()
  const emptied = new Set<string>()
  for (const [hostId, its] of whole.slice(0, tried)) {
    if (emptied.size >= hosts) return
    if (received.has(hostId) || booked.length + its.length > most) continue
    const away = emptyHost(fleet, hostId, its, (id) => !emptied.has(id) && others(id) > 0)
    if (away === undefined) continue
    emptied.add(hostId)
    for (const { move } of away) received.add(move.toHost)
    booked.push(...away)
  }
}

/** Moves all tasks off a host onto hosts that are in use, largest first, equal ones as they come; nothing, and nothing changed, if one cannot go. */
function emptyHost(
  fleet: HostFleet,
  hostId: string,
  tasks: readonly MovableTask[],
  isAllowed: (hostId: string) => boolean,
): Booked[] | undefined {
  const size = ({ request: { demand } }: MovableTask) => 2 * demand.cpu + demand.memory
  const done: Booked[] = []
  for (const task of tasks.toSorted((a, b) => size(b) - size(a))) {
    const spreads = spreadsOf(task)
    const serves = (id: string) => isAllowed(id) && keepsSpread(fleet, task, spreads, hostId, id)
    const move = tryMove(fleet, task, task.request.strategy, serves)
    if (move === undefined) {
      undoAll(done)
      return undefined
    }
    const gain = done.length === tasks.length - 1 ? 1 : 0
    done.push({ move: { ...move, gain }, undo: carryOut(fleet, move) })
  }
  return done
}

/** Whether none of the spreads becomes worse by the move. */
function keepsSpread(
  fleet: HostFleet,
  { request }: MovableTask,
  spreads: readonly SpreadField[],
  fromHost: string,
  toHost: string,
): boolean {
  const from = fleet.slotOf(fromHost) as number
  const to = fleet.slotOf(toHost) as number
  return spreads.every((by) => {
    if (by.kind === 'host') return fleet.groupCount(request.group, to) < fleet.groupCount(request.group, from)
    const values = fleet.attributeValues(by.name)
    if (values.of(from) === values.of(to)) return true
    const counts = fleet.group(request.group)?.countsByValue(values)
    return (counts?.[values.of(to)] ?? 0) < (counts?.[values.of(from)] ?? 0)
  })
}

/** Where the task can go while it is still where it is. */
function tryMove(
  fleet: HostFleet,
  task: MovableTask,
  preferred: PlacementRequest['strategy'],
  serves: (hostId: string) => boolean,
): Move | undefined {
  const { hostId: fromHost } = claimOf(fleet, task)
  const asked = task.request.eligible
  const eligible = (id: string) => id !== fromHost && serves(id) && (asked === undefined || asked(id))
  const strategy = preferred.filter(({ type }) => type !== 'random')
  const { placed } = place(fleet, { ...task.request, strategy, count: 1, eligible, unexplained: true }, NO_CHANCE)
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

/** How many tasks of the group are where; places without any are absent. */
function countPlaces(fleet: HostFleet, group: string, by: SpreadField): Map<string, number> {
  const counts = new Map<string, number>()
  for (const [slot, count] of fleet.group(group)?.countsBySlot() ?? []) {
    const place = placeOf(fleet, fleet.hostAt(slot).id, by)
    counts.set(place, (counts.get(place) ?? 0) + count)
  }
  return counts
}

function roomOf(fleet: HostFleet, hostId: string): number {
  const slot = fleet.slotOf(hostId)
  return slot === undefined ? 0 : binpackValue(fleet, 'room', slot)
}
