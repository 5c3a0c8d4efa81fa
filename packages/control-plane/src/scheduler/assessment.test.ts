import { describe, expect, it } from 'vitest'
import { compileAssessment } from './assessment.ts'
import { type ConstraintInput, compileConstraints } from './constraint.ts'
import { type Demand, NO_DEMAND } from './demand.ts'
import type { Rule } from './explanation.ts'
import { ZONE_ATTRIBUTE } from './host-description.ts'
import { HostFleet } from './host-fleet.ts'
import type { PlacementRequest } from './placement-request.ts'
import { RUNNING, describeHost } from './test-hosts.ts'

function constraints(...items: ConstraintInput[]) {
  const compiled = compileConstraints(items)
  if (!compiled.ok) throw new Error(compiled.message)
  return compiled.constraints
}

const REQUEST: PlacementRequest = {
  demand: NO_DEMAND,
  constraints: [],
  strategy: [],
  requiredAttributes: [],
  group: 'g',
  count: 1,
  pool: 'main',
}

const needs = (demand: Partial<Demand>) => ({ demand: { ...NO_DEMAND, ...demand } })
const tcp = (port: number) => ({ port, protocol: 'tcp' }) as const

describe('how far a host is off', () => {
  const fleet = new HostFleet()
  const dynamicPortRange = { first: 50_000, last: 50_003 }
  const custom = new Map([['fpga', 2]])
  const host = describeHost({ id: 'h', cpu: 100, memory: 200, gpus: 2, enis: 4, custom, dynamicPortRange })
  fleet.putHost(host, RUNNING)
  fleet.claim('h', 't', { ...NO_DEMAND, ports: [tcp(80), tcp(81)] }, { group: 'g', dynamicPorts: [] })
  fleet.putHost(describeHost({ id: 'gone' }), { agentConnected: false, status: 'ACTIVE' })
  fleet.putHost(describeHost({ id: 'leaving' }), { agentConnected: true, status: 'DRAINING' })
  fleet.putHost(describeHost({ id: 'shrunk', cpu: 0, memory: 0 }), RUNNING)
  fleet.claim('shrunk', 't2', { ...NO_DEMAND, cpu: 3, gpus: 1, enis: 11 }, { group: 'other', dynamicPorts: [] })
  const distinct = constraints({ type: 'distinctInstance' })
  const elsewhere = constraints({ type: 'memberOf', expression: 'attribute:ecs.availability-zone == x' })

  it.each<[string, string, Partial<PlacementRequest>, Rule | undefined, number]>([
    ['fits', 'h', needs({ cpu: 100, memory: 200, gpus: 2, enis: 4, custom, dynamicPorts: 4 }), undefined, 0],
    ['lacks half of the CPU', 'h', needs({ cpu: 200 }), 'cpu', 1.5],
    ['lacks a fifth of the memory', 'h', needs({ memory: 250 }), 'memory', 1.2],
    ['lacks one of four GPUs', 'h', needs({ gpus: 4 }), 'gpu', 1.5],
    ['lacks one of five network interfaces', 'h', needs({ enis: 5 }), 'eni', 1.2],
    ['lacks three of five FPGAs', 'h', needs({ custom: new Map([['fpga', 5]]) }), 'custom', 1.6],
    ['lacks a resource that it never had', 'h', needs({ custom: new Map([['tape', 1]]) }), 'custom', 2],
    ['lacks a dynamic port of five', 'h', needs({ dynamicPorts: 5 }), 'ports', 1.2],
    ['has two ports taken', 'h', needs({ ports: [tcp(80), tcp(81), tcp(82)] }), 'ports', 2],
    ['runs a task of the group', 'h', { constraints: distinct }, 'distinctInstance', 1],
    ['runs none of the group', 'h', { constraints: distinct, group: 'other' }, undefined, 0],
    ['is elsewhere', 'h', { constraints: elsewhere }, 'memberOf', 100],
    ['is of the wrong kind', 'h', { requiredAttributes: [{ name: 'ssd' }] }, 'attribute', 100],
    [
      'has one of two attributes',
      'h',
      { requiredAttributes: [{ name: ZONE_ATTRIBUTE }, { name: 'ssd' }] },
      'attribute',
      100,
    ],
    ['is not eligible', 'h', { eligible: () => false }, 'eligible', 1000],
    ['is eligible', 'h', { eligible: (id) => id === 'h' }, undefined, 0],
    ['is not connected', 'gone', {}, 'agent', 1000],
    ['is draining', 'leaving', {}, 'status', 1000],
    ['is draining, and elsewhere', 'leaving', { constraints: elsewhere }, 'status', 1100],
    ['lacks CPU, and a port', 'h', needs({ cpu: 200, ports: [tcp(80)] }), 'cpu', 2.5],
    ['has promised more than it has', 'shrunk', {}, 'cpu', 4],
  ])('that %s', (_, id, asked, first, distance) => {
    const assess = compileAssessment(fleet, { ...REQUEST, ...asked })
    assess(fleet.slotOf('gone') ?? -1)
    expect(assess(fleet.slotOf(id) ?? -1)).toEqual({ first, distance })
  })
})
