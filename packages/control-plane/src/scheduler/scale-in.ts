import { ZONE_ATTRIBUTE } from './host-description.ts'
import type { HostFleet } from './host-fleet.ts'
import { binpackValue } from './host-score.ts'
import type { StrategyStep } from './strategy.ts'

/** A task of a service that has more than it should. */
export interface ScaleInCandidate {
  readonly taskId: string
  /** Its host; absent while it has none, or when the host is not in the fleet any more. */
  readonly hostId?: string | undefined
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
 * is); then one from the host that has most of them (ECS developer guide, "Scale-in"), unless the chain packs; then one from
 * the host with the most room left, and of hosts with equal room the one that has already been chosen from, which is how
 * hosts become empty; then the youngest.
 */
export function chooseTasksToStop<Candidate extends ScaleInCandidate>(
  fleet: HostFleet,
  candidates: readonly Candidate[],
  count: number,
  strategy: readonly StrategyStep[],
): Candidate[] {
  const groups = groupEquals(fleet, candidates, strategy)
  const counts = (groups[0]?.places ?? []).map(() => new Map<string, number>())
  for (const group of groups)
    for (const [step, place] of group.places.entries()) change(counts[step], place, group.tasks.length)
  const freedOn = new Map<string, number>()
  const chosen: Candidate[] = []
  while (chosen.length < count) {
    const group = firstToGo(groups, counts, freedOn)
    const next = group?.tasks.pop()
    if (group === undefined || next === undefined) break
    chosen.push(next)
    for (const [step, place] of group.places.entries()) change(counts[step], place, -1)
    change(freedOn, group.host, 1)
  }
  return chosen
}

/** Tasks that only their age tells apart, the youngest last. */
interface Equals<Candidate> {
  readonly rank: number
  readonly host: string
  /** For each thing that tasks are spread over, where these are. */
  readonly places: readonly string[]
  /** What is left of their host before anything is stopped. */
  readonly room: number
  readonly tasks: Candidate[]
}

type Counts = Map<string, number>

/** Each choice changes what is left in its places, and so the next: one pass over these groups for each, not over all tasks. */
function groupEquals<Candidate extends ScaleInCandidate>(
  fleet: HostFleet,
  candidates: readonly Candidate[],
  strategy: readonly StrategyStep[],
): Equals<Candidate>[] {
  const field = strategy.find((step) => step.type === 'binpack')?.field ?? 'room'
  const spreads = spreadKeys(strategy)
  const groups = new Map<string, Equals<Candidate>>()
  for (const candidate of candidates) {
    const { hostId: host = '', rank } = candidate
    const key = `${rank} ${host}`
    const group = groups.get(key) ?? { rank, host, ...placedOn(fleet, host, spreads, field), tasks: [] }
    groups.set(key, group)
    group.tasks.push(candidate)
  }
  for (const { tasks } of groups.values()) tasks.sort(byAge)
  return [...groups.values()]
}

function placedOn(
  fleet: HostFleet,
  host: string,
  spreads: readonly (string | undefined)[],
  field: 'cpu' | 'memory' | 'room',
): Pick<Equals<unknown>, 'places' | 'room'> {
  const slot = fleet.slotOf(host)
  const attributes = slot === undefined ? undefined : fleet.hostAt(slot).attributes
  return {
    places: spreads.map((attribute) => (attribute === undefined ? host : (attributes?.get(attribute) ?? ''))),
    room: slot === undefined ? Number.MAX_SAFE_INTEGER : binpackValue(fleet, field, slot),
  }
}

/** What each spread counts by: an attribute's name, or nothing for the host itself. */
function spreadKeys(strategy: readonly StrategyStep[]): readonly (string | undefined)[] {
  const keys = strategy
    .filter((step) => step.type === 'spread')
    .map(({ by }) => (by.kind === 'attribute' ? by.name : undefined))
  const balanced = keys.some((key) => key !== undefined) ? keys : [ZONE_ATTRIBUTE, ...keys]
  const packs = strategy.some((step) => step.type === 'binpack')
  return packs || balanced.includes(undefined) ? balanced : [...balanced, undefined]
}

function firstToGo<Candidate extends ScaleInCandidate>(
  groups: readonly Equals<Candidate>[],
  counts: readonly Counts[],
  freedOn: Counts,
): Equals<Candidate> | undefined {
  let first: Equals<Candidate> | undefined
  for (const group of groups)
    if (group.tasks.length > 0 && (first === undefined || goesBefore(group, first, counts, freedOn))) first = group
  return first
}

/** Whether a task of `a` is to be stopped rather than one of `b`. */
function goesBefore<Candidate extends ScaleInCandidate>(
  a: Equals<Candidate>,
  b: Equals<Candidate>,
  counts: readonly Counts[],
  freedOn: Counts,
): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank
  for (const [step, tasks] of counts.entries()) {
    const more = (tasks.get(a.places[step] ?? '') ?? 0) - (tasks.get(b.places[step] ?? '') ?? 0)
    if (more !== 0) return more > 0
  }
  if (a.room !== b.room) return a.room > b.room
  const moreFreed = (freedOn.get(a.host) ?? 0) - (freedOn.get(b.host) ?? 0)
  if (moreFreed !== 0) return moreFreed > 0
  return byAge(a.tasks.at(-1) as Candidate, b.tasks.at(-1) as Candidate) > 0
}

const byAge = (a: ScaleInCandidate, b: ScaleInCandidate): number =>
  a.createdAt - b.createdAt || (a.taskId < b.taskId ? 1 : -1)

function change(counts: Counts | undefined, key: string, by: number): void {
  counts?.set(key, (counts.get(key) ?? 0) + by)
}
