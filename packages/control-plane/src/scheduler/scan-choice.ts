import type { Random } from '@berth/shared/random.ts'
import type { HostCheck } from './eligibility.ts'
import type { HostFleet } from './host-fleet.ts'
import { type HostScore, completeStrategy, scoreOf } from './host-score.ts'
import type { PlacementRequest } from './placement-request.ts'

/**
 * The best host for one task, found by looking at every host of the pool; -1 when none can take it. Works for any chain of
 * steps, and is what small pools and rare chains use.
 */
export function chooseByScan(
  fleet: HostFleet,
  request: PlacementRequest,
  check: HostCheck | undefined,
  random: Random,
): number {
  const { cpu, memory } = request.demand
  const { slots } = fleet.pool(request.pool)
  const scores = completeStrategy(request.strategy).map((step) => scoreOf(fleet, step, request, random))
  let best = -1
  let bestScores: readonly number[] = []
  for (let at = 0; at < slots.size; at++) {
    const slot = slots.members[at] as number
    if (fleet.placeable[slot] === 0) continue
    if ((fleet.cpuFree[slot] as number) < cpu || (fleet.memoryFree[slot] as number) < memory) continue
    if (check !== undefined && !check(slot)) continue
    const better = best < 0 ? scores.map((score) => score(slot)) : betterScores(scores, slot, bestScores)
    if (better === undefined) continue
    best = slot
    bestScores = better
  }
  return best
}

/** The host's scores when they come before `best` in order, else nothing. */
function betterScores(
  scores: readonly HostScore[],
  slot: number,
  best: readonly number[],
): readonly number[] | undefined {
  for (let step = 0; step < scores.length; step++) {
    const value = (scores[step] as HostScore)(slot)
    const bestValue = best[step] as number
    if (value > bestValue) return undefined
    if (value < bestValue) {
      return [...best.slice(0, step), value, ...scores.slice(step + 1).map((score) => score(slot))]
    }
  }
  return undefined
}
