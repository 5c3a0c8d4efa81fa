import type { CompiledConstraint } from './constraint.ts'
import type { Demand, PortClaim } from './demand.ts'
import type { HostDescription } from './host-description.ts'
import type { HostFleet } from './host-fleet.ts'
import type { PlacementRequest } from './placement-request.ts'
import { type QueriedHost, evaluate } from './query/evaluate.ts'

/** Whether a host may have one more task, whatever CPU and memory it has left. */
export type HostCheck = (slot: number) => boolean

/** The request's required attributes, as one predicate over host classes. */
export function requiredAttributesCheck(fleet: HostFleet, request: PlacementRequest): HostCheck | undefined {
  const required = request.requiredAttributes
  if (required.length === 0) return undefined
  const verdict = fleet.classVerdicts(JSON.stringify(required), (example) =>
    required.every((attribute) => hasAttribute(example, attribute)),
  )
  return (slot) => verdict(fleet.classOf[slot] as number)
}

/** Whether the host has the attribute, with the value if one is asked for. */
export function hasAttribute(
  host: HostDescription,
  { name, value }: { readonly name: string; readonly value?: string },
): boolean {
  const has = host.attributes.get(name)
  return has !== undefined && (value === undefined || value === has)
}

/** One constraint as a check on hosts; verdicts that only need the host's class are remembered by class. */
export function constraintCheck(fleet: HostFleet, constraint: CompiledConstraint, group: string): HostCheck {
  if (constraint.type === 'distinctInstance') {
    return (slot) => fleet.groupCount(group, slot) === 0
  }
  const { expression, text, scope } = constraint
  if (scope !== 'class') return (slot) => evaluate(expression, queriedHost(fleet, slot))
  const verdict = fleet.classVerdicts(text, (example) => evaluate(expression, asQueried(example)))
  return (slot) => verdict(fleet.classOf[slot] as number)
}

/** A host of the fleet as the query language sees it. */
export function queriedHost(fleet: HostFleet, slot: number): QueriedHost {
  const host = fleet.hostAt(slot)
  return {
    attributes: host.attributes,
    ec2InstanceId: host.ec2InstanceId,
    agentVersion: host.agentVersion,
    registeredAt: host.registeredAt,
    agentConnected: fleet.stateAt(slot).agentConnected,
    runningTasksCount: fleet.runningTasks[slot] as number,
    taskGroups: () => fleet.groupsOn(slot),
  }
}

/** A class's example, for expressions that ask for nothing beyond the class. */
const asQueried = (example: HostDescription): QueriedHost => ({
  ...example,
  agentConnected: true,
  runningTasksCount: 0,
  taskGroups: () => [],
})

/**
 * All that the request asks of a host beside CPU, memory and being placeable, cheapest first; `undefined` when it asks
 * for nothing. Reads the fleet as it is at each call.
 */
export function compileChecks(fleet: HostFleet, request: PlacementRequest): HostCheck | undefined {
  const checks: HostCheck[] = []
  const required = requiredAttributesCheck(fleet, request)
  if (required !== undefined) checks.push(required)
  for (const constraint of request.constraints) checks.push(constraintCheck(fleet, constraint, request.group))
  addResourceChecks(checks, fleet, request)
  if (checks.length < 2) return checks[0]
  return (slot) => {
    for (let at = 0; at < checks.length; at++) if (!(checks[at] as HostCheck)(slot)) return false
    return true
  }
}

function addResourceChecks(checks: HostCheck[], fleet: HostFleet, { demand, eligible }: PlacementRequest): void {
  const { gpus, enis, ports, dynamicPorts, custom } = demand
  if (eligible !== undefined) checks.push((slot) => eligible(fleet.hostAt(slot).id))
  if (gpus > 0) checks.push((slot) => (fleet.gpusFree[slot] as number) >= gpus)
  if (enis > 0) checks.push((slot) => (fleet.enisFree[slot] as number) >= enis)
  if (custom !== undefined) checks.push((slot) => hasCustom(fleet, slot, custom))
  if (ports.length > 0) checks.push((slot) => hasPorts(fleet, slot, ports))
  if (dynamicPorts > 0) checks.push((slot) => dynamicPortsFor(fleet, slot, demand).length === dynamicPorts)
}

function hasCustom(fleet: HostFleet, slot: number, custom: ReadonlyMap<string, number>): boolean {
  const free = fleet.customFree[slot]
  for (const [name, amount] of custom) if ((free?.get(name) ?? 0) < amount) return false
  return true
}

function hasPorts(fleet: HostFleet, slot: number, ports: readonly PortClaim[]): boolean {
  const taken = fleet.ports[slot]
  return taken === undefined || !ports.some((claim) => taken.holderAgainst(claim) !== undefined)
}

/** The dynamic ports that the next tasks of this demand would get: fewer than they need when the host has no more. */
export function dynamicPortsFor(fleet: HostFleet, slot: number, demand: Demand, tasks = 1): number[] {
  if (demand.dynamicPorts === 0) return []
  return fleet.freeDynamicPorts(slot, demand.dynamicPorts * tasks, new Set(demand.ports.map((claim) => claim.port)))
}
