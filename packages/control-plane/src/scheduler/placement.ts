import type { Random } from '@berth/shared/random.ts'
import { type HostCheck, compileChecks, dynamicPortsFor } from './eligibility.ts'
import { TENTATIVE, compileWin, explain } from './explain.ts'
import type { Explanation } from './explanation.ts'
import { canFillHosts, fillHosts } from './group-fill.ts'
import type { HostFleet } from './host-fleet.ts'
import { type IndexedPlan, chooseByIndex, planIndexed } from './indexed-choice.ts'
import type { PlacedTask, PlacementOutcome, PlacementRequest } from './placement-request.ts'
import { chooseByScan } from './scan-choice.ts'

/**
 * Decides where `request.count` equal tasks go: each to a host that its strategy prefers above all others that can take it,
 * as if the ones before it were claimed. The fleet is as before when this returns; the caller claims what it takes up.
 *
 * Pure but for what it draws from `random`, and that only for the `random` strategy.
 */
export function place(fleet: HostFleet, request: PlacementRequest, random: Random): PlacementOutcome {
  const before = request.explainPlaced === true ? explain(fleet, request) : undefined
  const check = compileChecks(fleet, request)
  const plan = planIndexed(fleet, request)
  const placed =
    plan !== undefined && canFillHosts(request, plan)
      ? fillHosts(fleet, request, check, plan)
      : placeOneByOne(fleet, request, check, plan, random)
  const unplaced = request.count - placed.length
  if (request.unexplained === true) return { placed, unplaced, explanation: undefined }
  if (unplaced > 0) return { placed, unplaced, explanation: explainWith(fleet, request, placed) }
  return { placed, unplaced, explanation: before && withWin(fleet, request, before, placed[0]) }
}

function placeOneByOne(
  fleet: HostFleet,
  request: PlacementRequest,
  check: HostCheck | undefined,
  plan: IndexedPlan | undefined,
  random: Random,
): PlacedTask[] {
  const placed: PlacedTask[] = []
  const tentative: number[] = []
  while (placed.length < request.count) {
    const slot = chooseOne(fleet, request, check, plan, random)
    if (slot < 0) break
    const task = { hostId: fleet.hostAt(slot).id, slot, dynamicPorts: dynamicPortsFor(fleet, slot, request.demand) }
    placed.push(task)
    if (placed.length < request.count) tentative.push(hold(fleet, request, task))
  }
  letGoAll(fleet, tentative)
  return placed
}

function chooseOne(
  fleet: HostFleet,
  request: PlacementRequest,
  check: HostCheck | undefined,
  plan: IndexedPlan | undefined,
  random: Random,
): number {
  const slot = plan === undefined ? 'unsure' : chooseByIndex(fleet, request, check, plan)
  return slot === 'unsure' ? chooseByScan(fleet, request, check, random) : slot
}

/** Why the task behind the placed ones found no host. */
function explainWith(fleet: HostFleet, request: PlacementRequest, placed: readonly PlacedTask[]): Explanation {
  const tentative = placed.map((task) => hold(fleet, request, task))
  const explanation = explain(fleet, request)
  letGoAll(fleet, tentative)
  return explanation
}

function withWin(
  fleet: HostFleet,
  request: PlacementRequest,
  explanation: Explanation,
  first: PlacedTask | undefined,
): Explanation {
  const won = first && compileWin(fleet, request)(first.hostId)
  return won === undefined ? explanation : { ...explanation, won }
}

const hold = (fleet: HostFleet, { demand, group }: PlacementRequest, { slot, dynamicPorts }: PlacedTask): number =>
  fleet.hold(slot, TENTATIVE, demand, group, dynamicPorts)

/** Gives back in the opposite order, so that everything is as it was before. */
function letGoAll(fleet: HostFleet, claims: readonly number[]): void {
  for (let at = claims.length - 1; at >= 0; at--) fleet.letGo(claims[at] as number)
}
