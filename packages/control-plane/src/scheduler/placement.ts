import type { Random } from '@berth/shared/random.ts'
import { compileChecks, dynamicPortsFor } from './eligibility.ts'
import { explain } from './explain.ts'
import type { HostFleet } from './host-fleet.ts'
import { type HostScore, completeStrategy, scoreOf } from './host-score.ts'
import type { PlacedTask, PlacementOutcome, PlacementRequest } from './placement-request.ts'

/**
 * Decides where `request.count` equal tasks go: each to a host that its strategy prefers above all others that can take it,
 * as if the ones before it were claimed. The fleet is as before when this returns; the caller claims what it takes up.
 *
 * Pure but for what it draws from `random`, and that only for the `random` strategy.
 */
export function place(fleet: HostFleet, request: PlacementRequest, random: Random): PlacementOutcome {
  const placed: PlacedTask[] = []
  const tentative: string[] = []
  const choose = scanChooser(fleet, request, random)
  const before = request.explainPlaced === true ? explain(fleet, request) : undefined
  while (placed.length < request.count) {
    const slot = choose()
    if (slot < 0) break
    const hostId = fleet.hostAt(slot).id
    const dynamicPorts = dynamicPortsFor(fleet, slot, request.demand)
    placed.push({ hostId, dynamicPorts })
    if (placed.length === request.count) break
    const taskId = `tentative ${placed.length}`
    fleet.claim(hostId, taskId, request.demand, { group: request.group, dynamicPorts })
    tentative.push(taskId)
  }
  const unplaced = request.count - placed.length
  const explanation = unplaced > 0 ? explain(fleet, request) : before
  for (const taskId of tentative.reverse()) fleet.release(taskId)
  return { placed, unplaced, explanation }
}

/** Finds the best host by looking at all: for any chain of steps. */
function scanChooser(fleet: HostFleet, request: PlacementRequest, random: Random): () => number {
  const { cpu, memory } = request.demand
  const slots = fleet.pool(request.pool).slots
  const check = compileChecks(fleet, request)
  const scores = completeStrategy(request.strategy).map((step) => scoreOf(fleet, step, request.group, random))
  return () => {
    let best = -1
    let bestScores: number[] = []
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
}

/** The host's scores when they come before `best` in order, else nothing. */
function betterScores(scores: readonly HostScore[], slot: number, best: readonly number[]): number[] | undefined {
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
