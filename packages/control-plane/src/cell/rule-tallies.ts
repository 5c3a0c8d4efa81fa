import type { HostFleet } from '../scheduler/host-fleet.ts'
import type { PlacementRequest } from '../scheduler/placement-request.ts'
import { type RuleTally, tallyRules } from './placement-summary.ts'

/** Pools of up to so many hosts are counted for each launch: it takes less than the launch itself, some 50 us. */
const countedAlways = 500

/**
 * The least time between two counts of larger pools, in ms. Counting 10,000 hosts takes about 1.2 ms, hundreds of times what it takes to
 * find a place among them, so that this bounds it to about one hundredth of a core.
 */
const betweenCountsMs = 100

/** For how long a count of a larger pool speaks for further launches of the same definition, in ms. */
const countStaysMs = 10_000

interface Count {
  readonly tally: RuleTally
  readonly request: PlacementRequest
  readonly at: number
}

/** How many hosts each rule removes, counted as often as that can be afforded. */
export class RuleTallies {
  /** By what launches of the same tasks share: the record of their task definition. */
  readonly #counts = new WeakMap<object, Count>()
  #lastCountAt = Number.NEGATIVE_INFINITY

  /** The count for a launch that is about to be decided; nothing when the pool is large and was counted for others just now. */
  countFor(fleet: HostFleet, request: PlacementRequest, sharedBy: object, now: number): RuleTally | undefined {
    const { size } = fleet.pool(request.pool).slots
    if (size <= countedAlways) return tallyRules(fleet, request)
    const known = this.#counts.get(sharedBy)
    if (known !== undefined && now - known.at < countStaysMs && isAlike(known.request, request)) return known.tally
    if (now - this.#lastCountAt < betweenCountsMs) return undefined
    this.#lastCountAt = now
    const tally = tallyRules(fleet, request)
    this.#counts.set(sharedBy, { tally, request, at: now })
    return tally
  }
}

/** Whether two launches of one definition are judged by the same rules. */
const isAlike = (a: PlacementRequest, b: PlacementRequest): boolean =>
  a.pool === b.pool &&
  a.group === b.group &&
  a.eligible === b.eligible &&
  a.demand.cpu === b.demand.cpu &&
  a.demand.memory === b.demand.memory &&
  a.constraints.length === b.constraints.length &&
  a.constraints.every((constraint, index) => constraint === b.constraints[index])
