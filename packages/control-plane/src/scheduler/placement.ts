import type { Random } from '@berth/shared/random.ts'
import { type HostCheck, compileChecks, dynamicPortsFor } from './eligibility.ts'
import { TENTATIVE, explain, explainWin } from './explain.ts'
import { canFillHosts, fillHosts } from './group-fill.ts'
import type { HostFleet } from './host-fleet.ts'
import { chooseByIndex, planIndexed } from './indexed-choice.ts'
import type { PlacedTask, PlacementOutcome, PlacementRequest } from './placement-request.ts'
import { chooseByScan } from './scan-choice.ts'

/**
 * Decides where `request.count` equal tasks go: each to a host that its strategy prefers above all others that can take it,
 * as if the ones before it were claimed. The fleet is as before when this returns; the caller claims what it takes up.
 *
 * Pure but for what it draws from `random`, and that only for the `random` strategy.
 */
export function place(fleet: HostFleet, request: PlacementRequest, random: Random): PlacementOutcome {
  const check = compileChecks(fleet, request)
  const before = request.explainPlaced === true ? explain(fleet, request) : undefined
  const choose = chooser(fleet, request, check, random)
  const tentative: string[] = []
  const claimFor = (to: PlacedTask) => {
    const taskId = `${TENTATIVE} ${tentative.length}`
    fleet.claim(to.hostId, taskId, request.demand, { group: request.group, dynamicPorts: to.dynamicPorts })
    tentative.push(taskId)
  }

  const placed = choose.all?.() ?? []
  while (choose.all === undefined && placed.length < request.count) {
    const slot = choose.one()
    if (slot < 0) break
    const task = { hostId: fleet.hostAt(slot).id, dynamicPorts: dynamicPortsFor(fleet, slot, request.demand) }
    placed.push(task)
    if (placed.length < request.count) claimFor(task)
  }

  const unplaced = request.count - placed.length
  if (unplaced > 0 && tentative.length < placed.length)
    for (const task of placed.slice(tentative.length)) claimFor(task)
  const after = unplaced > 0 ? explain(fleet, request) : undefined
  for (const taskId of tentative.reverse()) fleet.release(taskId)
  const [first] = placed
  const won = before && first && explainWin(fleet, request, first.hostId)
  const explanation = after ?? before
  return { placed, unplaced, explanation: explanation && won ? { ...explanation, won } : explanation }
}

interface Chooser {
  /** Decides the whole group at once, where that ends as one by one would. */
  readonly all: (() => PlacedTask[]) | undefined
  /** The host for the next task, in the fleet as it is; -1 for none. */
  readonly one: () => number
}

function chooser(fleet: HostFleet, request: PlacementRequest, check: HostCheck | undefined, random: Random): Chooser {
  const scan = () => chooseByScan(fleet, request, check, random)
  const plan = planIndexed(fleet, request)
  if (plan === undefined) return { all: undefined, one: scan }
  const all = canFillHosts(request, plan) ? () => fillHosts(fleet, request, check, plan) : undefined
  const one = () => {
    const slot = chooseByIndex(fleet, request, check, plan)
    return slot === 'unsure' ? scan() : slot
  }
  return { all, one }
}
