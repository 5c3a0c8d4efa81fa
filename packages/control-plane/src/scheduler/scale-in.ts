import { ZONE_ATTRIBUTE } from './host-description.ts'
import type { HostFleet } from './host-fleet.ts'
import { binpackValue } from './host-score.ts'
import type { StrategyStep } from './strategy.ts'

/** A task of a service that has more than it should. */
export interface ScaleInCandidate {
  readonly taskId: string
  /** Its host; absent while it has none, or when the host is not in the fleet any more. */
  readonly hostId?: string
  /** Tasks of a lower rank are stopped before any of a higher: unhealthy and pending ones before those that serve. */
  readonly rank: number
  /** Ms since the epoch; among equals the youngest is stopped. */
  readonly createdAt: number
}

/**
 * Which tasks to stop, first to last, so that what stays is spread and packed as the strategy wants it.
 *
 * Of the lowest rank, the next to go is always one from where most tasks of the service still are, for each `spread` of the
 * chain in turn (across availability zones when the chain has none by attribute: ECS keeps that balance whatever the chain
 * is); then one from the host with the most room left, and of hosts with equal room the one that has already been chosen
 * from, which is how hosts become empty; then the youngest.
 */
export function chooseTasksToStop(
  fleet: HostFleet,
  candidates: readonly ScaleInCandidate[],
  count: number,
  strategy: readonly StrategyStep[],
): string[] {
  const field = strategy.find((step) => step.type === 'binpack')?.field ?? 'room'
  const spreads = spreadKeys(strategy)
  const left = candidates.map((candidate) => remember(fleet, candidate, spreads, field))
  const counts = spreads.map(() => new Map<string, number>())
  for (const task of left) for (const [at, place] of task.places.entries()) change(counts[at], place, 1)
  const freedOn = new Map<string, number>()
  const chosen: string[] = []
  while (chosen.length < count && left.length > 0) {
    const at = firstToGo(left, counts, freedOn)
    const [task] = left.splice(at, 1)
    if (task === undefined) break
    chosen.push(task.taskId)
    for (const [step, place] of task.places.entries()) change(counts[step], place, -1)
    change(freedOn, task.host, 1)
  }
  return chosen
}

interface Remembered {
  readonly taskId: string
  readonly host: string
  readonly rank: number
  readonly createdAt: number
  /** For each spread, the place that the task counts for. */
  readonly places: readonly string[]
  /** What is left of its host before anything is stopped. */
  readonly room: number
}

type Counts = Map<string, number>

/** What each spread counts by: an attribute's name, or nothing for the host itself. */
function spreadKeys(strategy: readonly StrategyStep[]): readonly (string | undefined)[] {
  const keys = strategy
    .filter((step) => step.type === 'spread')
    .map(({ by }) => (by.kind === 'attribute' ? by.name : undefined))
  return keys.some((key) => key !== undefined) ? keys : [ZONE_ATTRIBUTE, ...keys]
}

function remember(
  fleet: HostFleet,
  { taskId, hostId = '', rank, createdAt }: ScaleInCandidate,
  spreads: readonly (string | undefined)[],
  field: 'cpu' | 'memory' | 'room',
): Remembered {
  const slot = fleet.slotOf(hostId)
  const attributes = slot === undefined ? undefined : fleet.hostAt(slot).attributes
  const places = spreads.map((attribute) => (attribute === undefined ? hostId : (attributes?.get(attribute) ?? '')))
  const room = slot === undefined ? Number.MAX_SAFE_INTEGER : binpackValue(fleet, field, slot)
  return { taskId, host: hostId, rank, createdAt, places, room }
}

function firstToGo(left: readonly Remembered[], counts: readonly Counts[], freedOn: Counts): number {
  let best = 0
  for (let at = 1; at < left.length; at++) {
    if (goesBefore(left[at] as Remembered, left[best] as Remembered, counts, freedOn)) best = at
  }
  return best
}

/** Whether `a` is to be stopped rather than `b`. */
function goesBefore(a: Remembered, b: Remembered, counts: readonly Counts[], freedOn: Counts): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank
  for (const [step, tasks] of counts.entries()) {
    const more = (tasks.get(a.places[step] ?? '') ?? 0) - (tasks.get(b.places[step] ?? '') ?? 0)
    if (more !== 0) return more > 0
  }
  if (a.host !== b.host) {
    if (a.room !== b.room) return a.room > b.room
    const moreFreed = (freedOn.get(a.host) ?? 0) - (freedOn.get(b.host) ?? 0)
    if (moreFreed !== 0) return moreFreed > 0
  }
  return a.createdAt !== b.createdAt ? a.createdAt > b.createdAt : a.taskId < b.taskId
}

function change(counts: Counts | undefined, key: string, by: 1 | -1): void {
  counts?.set(key, (counts.get(key) ?? 0) + by)
}
