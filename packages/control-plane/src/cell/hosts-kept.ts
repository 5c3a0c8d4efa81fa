import { compileAssessment } from '../scheduler/assessment.ts'
import type { HostFleet } from '../scheduler/host-fleet.ts'
import { place } from '../scheduler/placement.ts'
import type { PlacementRequest } from '../scheduler/placement-request.ts'
import type { Random } from '@berth/shared/random.ts'

/**
 * The hosts to keep for `count` equal tasks that wait together and do not fit: those that can have them once everything but services has ended
 * there. None where they would not fit even then.
 *
 * A single task gets the host that is nearest to having room for it. Since nothing that waits behind it is started there, that host only comes
 * nearer, until it has room. A gang gets the hosts that it would be placed on, whatever has to end there.
 *
 * @param lasting the fleet with the tasks of services only.
 */
export function hostsToKeep(
  fleet: HostFleet,
  lasting: HostFleet,
  request: PlacementRequest,
  count: number,
  random: Random,
): ReadonlySet<string> {
  if (count === 1) {
    const nearest = nearestHost(fleet, lasting, request)
    return new Set(nearest === undefined ? [] : [nearest])
  }
  // Not by lot: the next look is to find the same hosts.
  const strategy = request.strategy.filter(({ type }) => type !== 'random')
  const { placed, unplaced } = place(lasting, { ...request, strategy, count, unexplained: true }, random)
  return new Set(unplaced > 0 ? [] : placed.map(({ hostId }) => hostId))
}

function nearestHost(fleet: HostFleet, lasting: HostFleet, request: PlacementRequest): string | undefined {
  const assess = compileAssessment(fleet, request)
  const assessLasting = compileAssessment(lasting, request)
  const { slots } = lasting.pool(request.pool)
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (let at = 0; at < slots.size; at++) {
    const slot = slots.members[at] as number
    if (assessLasting(slot).first !== undefined) continue
    const { id } = lasting.hostAt(slot)
    const { distance } = assess(fleet.slotOf(id) as number)
    if (distance > least || (distance === least && nearest !== undefined && id > nearest)) continue
    nearest = id
    least = distance
  }
  return nearest
}
