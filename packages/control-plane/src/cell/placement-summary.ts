import { compileAssessment } from '../scheduler/assessment.ts'
import type { Rule, Win } from '../scheduler/explanation.ts'
import type { HostFleet } from '../scheduler/host-fleet.ts'
import type { PlacementRequest } from '../scheduler/placement-request.ts'

/** How the hosts of a pool stood to a request: each is suitable, or counted for the first rule that it failed. */
export interface RuleTally {
  readonly suitable: number
  readonly removed: Partial<Record<Rule, number>>
}

/** What a step of the strategy saw in the host that it chose: step, value, and for a spread by attribute what the host has for it. */
export type SeenByStep = readonly [step: string, value: number, among?: string]

/**
 * What is kept with a task about its placement: numbers only, some 150 bytes, since there may be a million tasks. The words are made
 * when somebody asks.
 */
export interface PlacementSummary {
  /** Hosts that were considered; 1 where the host was named. */
  readonly hosts: number
  /** Who named the host, where nothing was chosen: the user of StartTask, a service that has one task on each host, or a plan of moves. */
  readonly namedBy?: 'user' | 'service' | 'rebalancing'
  /** Tasks of one launch share it. Absent where it was not counted: see `RuleTallies`. */
  readonly tally?: RuleTally
  readonly seen?: readonly SeenByStep[]
}

/** The summary of a choice. */
export const summarizeWin = (hosts: number, win: Win | undefined, tally: RuleTally | undefined): PlacementSummary => ({
  hosts,
  ...(tally !== undefined && { tally }),
  seen: (win?.steps ?? []).map(({ step, value, among }) =>
    among === undefined ? [step, value] : [step, value, among],
  ),
})

/** Counts the hosts of the request's pool by what removes them. Looks at each host once. */
export function tallyRules(fleet: HostFleet, request: PlacementRequest): RuleTally {
  const { slots } = fleet.pool(request.pool)
  const assess = compileAssessment(fleet, request)
  const removed: Partial<Record<Rule, number>> = {}
  let suitable = 0
  for (let at = 0; at < slots.size; at++) {
    const { first } = assess(slots.members[at] as number)
    if (first === undefined) suitable++
    else removed[first] = (removed[first] ?? 0) + 1
  }
  return { suitable, removed }
}
