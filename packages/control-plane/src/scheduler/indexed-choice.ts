import type { HostCheck } from './eligibility.ts'
import type { FitOrder } from './fit-index.ts'
import type { HostFleet } from './host-fleet.ts'
import { completeStrategy, leastValue, overdraws, valueFor } from './host-score.ts'
import type { PlacementRequest } from './placement-request.ts'
import { type PoolIndex, indexOf } from './pool-index.ts'
import type { BinpackField, StrategyStep } from './strategy.ts'

/** A chain that an index can answer: `[spread(attribute)] [spread(instanceId)] binpack [binpack]`. */
interface IndexedChain {
  readonly field: BinpackField
  /** The attribute that is spread by, if any: the index has a part for each of its values. */
  readonly attribute: string | undefined
  readonly spreadsHosts: boolean
  /** What the index is called in its pool. */
  readonly indexName: string
}

/** How a request is answered from an index. */
export interface IndexedPlan extends IndexedChain {
  readonly index: PoolIndex
}

/** Chains are compiled once: a service, or the default, hands in the same one over and over. */
const chains = new WeakMap<readonly StrategyStep[], IndexedChain | 'none'>()

/** How to answer the request from an index; nothing when its chain, or its pool, is better looked through. */
export function planIndexed(fleet: HostFleet, request: PlacementRequest): IndexedPlan | undefined {
  let chain = chains.get(request.strategy)
  if (chain === undefined) {
    chain = compileChain(request.strategy) ?? 'none'
    chains.set(request.strategy, chain)
  }
  if (chain === 'none') return undefined
  const { field, attribute, spreadsHosts, indexName } = chain
  const index = indexOf(fleet, request.pool, indexName, field, attribute)
  return index && { index, field, attribute, spreadsHosts, indexName }
}

function compileChain(strategy: readonly StrategyStep[]): IndexedChain | undefined {
  const steps = [...completeStrategy(strategy)]
  const attribute = takeAttribute(steps)
  const spreadsHosts = takeHostSpread(steps)
  const [binpack, tieBreak, ...rest] = steps
  if (binpack?.type !== 'binpack' || rest.length > 0) return undefined
  const { field } = binpack
  if (tieBreak !== undefined && !isOrderedByIndex(field, tieBreak)) return undefined
  return { field, attribute, spreadsHosts, indexName: attribute === undefined ? field : `${field} by ${attribute}` }
}

function takeAttribute(steps: StrategyStep[]): string | undefined {
  const [first] = steps
  if (first?.type !== 'spread' || first.by.kind !== 'attribute') return undefined
  steps.shift()
  return first.by.name
}

function takeHostSpread(steps: StrategyStep[]): boolean {
  const [first] = steps
  if (first?.type !== 'spread' || first.by.kind !== 'host') return false
  steps.shift()
  return true
}

/** Among hosts of equal key an index goes by CPU, then memory: the order of `binpack(memory), binpack(cpu)` and its mirror. */
const isOrderedByIndex = (field: BinpackField, next: StrategyStep): boolean =>
  field !== 'room' && next.type === 'binpack' && next.field !== 'room'

/** The chosen host; -1 when none can take the task, or `'unsure'` when only a look at every host can tell. */
export function chooseByIndex(
  fleet: HostFleet,
  request: PlacementRequest,
  check: HostCheck | undefined,
  plan: IndexedPlan,
): number | 'unsure' {
  const orders = plan.index.current()
  const counts =
    plan.attribute === undefined
      ? undefined
      : fleet.group(request.group)?.countsByValue(fleet.attributeValues(plan.attribute))
  const passes = plan.spreadsHosts ? onlyWithoutGroup(fleet, request, check) : check
  for (let level = nextLevel(orders, counts, -1); level >= 0; level = nextLevel(orders, counts, level)) {
    let best = -1
    let bestKey = 0
    for (let part = 0; part < orders.length; part++) {
      const order = orders[part]
      if (order === undefined || (counts?.[part] ?? 0) !== level) continue
      const slot = firstFit(fleet, order, request, plan.field, passes)
      if (slot < 0) continue
      const key = valueFor(fleet, plan.field, request.demand, slot)
      if (best >= 0 && key >= bestKey) continue
      best = slot
      bestKey = key
    }
    if (best >= 0) return best
    if (plan.spreadsHosts) return 'unsure'
  }
  return -1
}

/** The smallest count of tasks above `level` that any part has; -1 when there is none. */
export function nextLevel(
  orders: readonly (FitOrder | undefined)[],
  counts: Int32Array | undefined,
  level: number,
): number {
  if (counts === undefined) return level < 0 ? 0 : -1
  let next = -1
  for (let part = 0; part < orders.length; part++) {
    const count = counts[part] ?? 0
    if (orders[part] !== undefined && count > level && (next < 0 || count < next)) next = count
  }
  return next
}

/** The first host in the order with room that passes and that the task does not overdraw; if there is none, the first that it does. */
function firstFit(
  fleet: HostFleet,
  order: FitOrder,
  { demand }: PlacementRequest,
  field: BinpackField,
  check: HostCheck | undefined,
): number {
  const cursor = order.walkFrom(leastValue(field, demand))
  let firstOverdrawn = -1
  for (;;) {
    const slot = order.next(cursor, demand.cpu, demand.memory)
    if (slot < 0) return firstOverdrawn
    const isOverdrawn = overdraws(fleet, field, demand, slot)
    if (isOverdrawn && firstOverdrawn >= 0) continue
    if (check !== undefined && !check(slot)) continue
    if (!isOverdrawn) return slot
    firstOverdrawn = slot
  }
}

function onlyWithoutGroup(fleet: HostFleet, { group }: PlacementRequest, check: HostCheck | undefined): HostCheck {
  return (slot) => fleet.groupCount(group, slot) === 0 && (check === undefined || check(slot))
}
