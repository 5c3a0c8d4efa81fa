import { type HostCheck, constraintCheck, dynamicPortsFor, requiredAttributesCheck } from './eligibility.ts'
import type { Rule } from './explanation.ts'
import type { HostFleet } from './host-fleet.ts'
import type { PlacementRequest } from './placement-request.ts'

/** How a host stands to a request: the first rule it fails, and how far it is from fitting (0: it fits). */
export interface Assessment {
  first: Rule | undefined
  distance: number
}

/**
 * How far a host is off for each rule it fails, beside the part of an amount that is missing. A host that only lacks what
 * stopping tasks would free comes before one of the wrong kind, and that before one that is not to be had at all.
 */
const DISTANCE = { notToBeHad: 1000, wrongKind: 100, full: 1 } as const

/** One rule on one host: 0 when it holds, else how far the host is off. */
type Measure = (slot: number) => number

/** A function that assesses one host after another; its answer is one object, filled anew each time. */
export function compileAssessment(fleet: HostFleet, request: PlacementRequest): (slot: number) => Assessment {
  const measures = measuresOf(fleet, request)
  const assessment: Assessment = { first: undefined, distance: 0 }
  return (slot) => {
    assessment.first = undefined
    assessment.distance = 0
    for (const { rule, measure } of measures) {
      const distance = measure(slot)
      if (distance === 0) continue
      assessment.first ??= rule
      assessment.distance += distance
    }
    return assessment
  }
}

/** The measures in the order of `RULES`. */
function measuresOf(fleet: HostFleet, request: PlacementRequest): { readonly rule: Rule; readonly measure: Measure }[] {
  const { demand, eligible, constraints, group } = request
  const { custom } = demand
  const measures: { rule: Rule; measure: Measure }[] = []
  const fails = (rule: Rule, distance: number, holds: HostCheck | undefined) => {
    if (holds !== undefined) measures.push({ rule, measure: (slot) => (holds(slot) ? 0 : distance) })
  }
  const lacks = (rule: Rule, needs: number, has: (slot: number) => number) => {
    const measure: Measure = (slot) => missing(needs, has(slot))
    measures.push({ rule, measure })
  }
  fails('status', DISTANCE.notToBeHad, (slot) => fleet.stateAt(slot).status === 'ACTIVE')
  fails('agent', DISTANCE.notToBeHad, (slot) => fleet.stateAt(slot).agentConnected)
  fails('eligible', DISTANCE.notToBeHad, eligible && ((slot) => eligible(fleet.hostAt(slot).id)))
  fails('attribute', DISTANCE.wrongKind, requiredAttributesCheck(fleet, request))
  for (const constraint of constraints) {
    if (constraint.type === 'memberOf') fails('memberOf', DISTANCE.wrongKind, constraintCheck(fleet, constraint, group))
  }
  const distinct = constraints.find(({ type }) => type === 'distinctInstance')
  fails('distinctInstance', DISTANCE.full, distinct && constraintCheck(fleet, distinct, group))
  lacks('cpu', demand.cpu, (slot) => fleet.cpuFree[slot] as number)
  lacks('memory', demand.memory, (slot) => fleet.memoryFree[slot] as number)
  for (const claim of demand.ports) {
    fails('ports', DISTANCE.full, (slot) => fleet.ports[slot]?.holderAgainst(claim) === undefined)
  }
  lacks('ports', demand.dynamicPorts, (slot) => dynamicPortsFor(fleet, slot, demand).length)
  if (demand.gpus > 0) lacks('gpu', demand.gpus, (slot) => fleet.gpusFree[slot] as number)
  if (demand.enis > 0) lacks('eni', demand.enis, (slot) => fleet.enisFree[slot] as number)
  for (const [name, needs] of custom ?? []) lacks('custom', needs, (slot) => fleet.customFree[slot]?.get(name) ?? 0)
  return measures
}

const missing = (needs: number, has: number): number =>
  has >= needs ? 0 : DISTANCE.full + (needs - has) / Math.max(1, needs)
