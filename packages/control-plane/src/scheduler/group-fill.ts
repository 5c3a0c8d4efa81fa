import type { Demand } from './demand.ts'
import { type HostCheck, dynamicPortsFor } from './eligibility.ts'
import type { FitCursor, FitOrder } from './fit-index.ts'
import type { HostFleet } from './host-fleet.ts'
import { binpackValue, customRoom, gpuRank, leastValue, mayOverdraw, overdraws, valueLeft } from './host-score.ts'
import type { IndexedPlan } from './indexed-choice.ts'
import type { PlacedTask, PlacementRequest } from './placement-request.ts'

/**
 * Whether a group can be placed host by host instead of task by task: packing makes the host that was just chosen the best
 * one again for as long as it has room, and a host that was refused stays refused, if no constraint looks at the tasks. Nor does
 * it change whether the tasks overdraw a host.
 */
export function canFillHosts({ count, constraints }: PlacementRequest, plan: IndexedPlan): boolean {
  if (count === 1 || plan.spreadsHosts) return false
  return constraints.every((constraint) => constraint.type === 'distinctInstance' || constraint.scope !== 'tasks')
}

/** One part of the index, and the host in it that is being filled. */
interface Filling {
  readonly order: FitOrder
  cursor: FitCursor
  /** Whether the walk through the order is the second: through the hosts that the tasks overdraw. */
  overdraws: boolean
  /** Tasks of the group in this part. */
  count: number
  slot: number
  /** How many more tasks the host can take, and how many it was given. */
  room: number
  given: number
  key: number
  ports: readonly number[]
  task: PlacedTask
}

/** Places the whole group in one walk through each part of the index. The fleet is not touched. */
export function fillHosts(
  fleet: HostFleet,
  request: PlacementRequest,
  check: HostCheck | undefined,
  plan: IndexedPlan,
): PlacedTask[] {
  const context = { fleet, request, check, plan }
  const open = openParts(context)
  const placed: PlacedTask[] = []
  while (open.length > 0 && placed.length < request.count) {
    const part = open.length === 1 ? (open[0] as Filling) : best(open)
    const batch = open.length === 1 ? Math.min(part.room, request.count - placed.length) : 1
    for (let i = 0; i < batch; i++) placed.push(taskOn(part, request.demand))
    part.count += batch
    part.room -= batch
    if (part.room > 0) noteUse(context, part, batch)
    else if (!moveOn(context, part)) open.splice(open.indexOf(part), 1)
  }
  return placed
}

interface Context {
  readonly fleet: HostFleet
  readonly request: PlacementRequest
  readonly check: HostCheck | undefined
  readonly plan: IndexedPlan
}

function openParts(context: Context): Filling[] {
  const { fleet, request, plan } = context
  const orders = plan.index.current()
  const counts = plan.attribute && fleet.group(request.group)?.countsByValue(fleet.attributeValues(plan.attribute))
  const open: Filling[] = []
  for (let id = 0; id < orders.length; id++) {
    const order = orders[id]
    if (order === undefined) continue
    const part: Filling = {
      order,
      cursor: order.walkFrom(leastValue(plan.field, request.demand)),
      overdraws: false,
      count: (counts && counts[id]) || 0,
      slot: -1,
      room: 0,
      given: 0,
      key: 0,
      ports: [],
      task: { hostId: '', slot: -1, dynamicPorts: [] },
    }
    if (moveOn(context, part)) open.push(part)
  }
  return open
}

/** The part with the fewest tasks of the group; among equals one whose host is not overdrawn, and then the one whose host is fullest. */
function best(open: readonly Filling[]): Filling {
  let best = open[0] as Filling
  for (let at = 1; at < open.length; at++) {
    const part = open[at] as Filling
    const order = part.count - best.count || Number(part.overdraws) - Number(best.overdraws) || part.key - best.key
    if (order < 0) best = part
  }
  return best
}

/** Goes to the next host of the part that can take a task; false when there is none. */
function moveOn({ fleet, request, check, plan }: Context, part: Filling): boolean {
  const { demand } = request
  for (;;) {
    const slot = part.order.next(part.cursor, demand.cpu, demand.memory)
    if (slot < 0) {
      if (part.overdraws || !mayOverdraw(plan.field, demand)) return false
      part.overdraws = true
      part.cursor = part.order.walkFrom(leastValue(plan.field, demand))
      continue
    }
    if (overdraws(fleet, plan.field, demand, slot) !== part.overdraws) continue
    if (check !== undefined && !check(slot)) continue
    part.slot = slot
    part.room = roomFor(fleet, request, slot)
    part.given = 0
    part.key = binpackValue(fleet, plan.field, slot)
    part.ports = dynamicPortsFor(fleet, slot, demand, part.room)
    part.task = { hostId: fleet.hostAt(slot).id, slot, dynamicPorts: [] }
    return true
  }
}

function noteUse({ fleet, request, plan }: Context, part: Filling, tasks: number): void {
  const { cpu, memory, gpus, custom } = request.demand
  const { slot } = part
  part.given += tasks
  part.key = valueLeft(
    plan.field,
    (fleet.cpuFree[slot] as number) - cpu * part.given,
    (fleet.memoryFree[slot] as number) - memory * part.given,
    gpuRank(fleet.gpusTotal[slot] as number, (fleet.gpusFree[slot] as number) - gpus * part.given),
    plan.field === 'room' ? customRoom(fleet, slot, custom, part.given) : 0,
  )
}

/** The next task on the part's host, with the dynamic ports that are its own. Tasks without such share one object. */
function taskOn(part: Filling, { dynamicPorts }: Demand): PlacedTask {
  if (dynamicPorts === 0) return part.task
  const ports = part.ports.slice(0, dynamicPorts)
  part.ports = part.ports.slice(dynamicPorts)
  return { ...part.task, dynamicPorts: ports }
}

/** How many tasks of the demand the host can take, at least 1, at most the whole group: it has passed all checks for one. */
function roomFor(fleet: HostFleet, { demand, constraints, count }: PlacementRequest, slot: number): number {
  if (demand.ports.length > 0 || constraints.some(({ type }) => type === 'distinctInstance')) return 1
  const into = (free: number | undefined, each: number) => (each === 0 ? count : Math.floor((free ?? 0) / each))
  const room = Math.min(
    count,
    into(fleet.cpuFree[slot], demand.cpu),
    into(fleet.memoryFree[slot], demand.memory),
    into(fleet.gpusFree[slot], demand.gpus),
    into(fleet.enisFree[slot], demand.enis),
  )
  const custom = [...(demand.custom ?? [])].map(([name, each]) => into(fleet.customFree[slot]?.get(name), each))
  const byAll = Math.min(room, ...custom)
  if (demand.dynamicPorts === 0) return byAll
  return Math.min(byAll, into(dynamicPortsFor(fleet, slot, demand, byAll).length, demand.dynamicPorts))
}
