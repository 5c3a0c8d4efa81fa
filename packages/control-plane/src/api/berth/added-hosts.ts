import { z } from 'zod'
import { type HostDescription, ZONE_ATTRIBUTE } from '../../scheduler/host-description.ts'
import type { HostFleet } from '../../scheduler/host-fleet.ts'

/** A host that a plan adds. CPU units and MiB are what is left for tasks. */
export const addedHostInput = z.strictObject({
  cpu: z.int().min(1).max(2_048_000),
  memory: z.int().min(1).max(2_147_483_647),
  /** Equal hosts. */
  count: z.int().min(1).max(10_000).default(1),
  zone: z.string().min(1).optional(),
  gpus: z.int().min(0).max(1024).default(0),
  networkInterfaces: z.int().min(0).max(100_000).optional(),
  attributes: z.record(z.string().min(1), z.string()).default({}),
})
export type AddedHost = z.output<typeof addedHostInput>

interface Surroundings {
  readonly fleet: HostFleet
  /** The pool whose hosts the new ones are like. */
  readonly pool: string
  readonly pools: readonly string[]
  /** Attributes that a new host has where there is no other to be like. */
  readonly usual: readonly { readonly name: string; readonly value?: string }[]
  readonly now: number
}

/** What a host offers to awsvpc tasks where none tells. */
const usualNetworkInterfaces = 250

/**
 * The hosts that a plan adds, called `new-1`, `new-2`, ... They have the attributes that all hosts of the pool have in common, and are
 * in the zone of theirs with the fewest hosts where no zone was said.
 */
export function describeAddedHosts(
  added: readonly AddedHost[],
  { fleet, pool, pools, usual, now }: Surroundings,
): HostDescription[] {
  const present = hostsOf(fleet, pool)
  const inCommon = present.length === 0 ? attributeMap(usual) : commonAttributes(present)
  const zones = zoneCounts(present)
  const networkInterfaces = present.reduce((most, { enis }) => Math.max(most, enis), 0) || usualNetworkInterfaces
  return added
    .flatMap((host) => Array.from({ length: host.count }, () => host))
    .map((host, index) => ({
      id: `new-${index + 1}`,
      cpu: host.cpu,
      memory: host.memory,
      gpus: host.gpus,
      enis: host.networkInterfaces ?? networkInterfaces,
      reservedPorts: [],
      attributes: new Map([...inCommon, ...zoneAttribute(zones, host.zone), ...Object.entries(host.attributes)]),
      ec2InstanceId: `i-new-${index + 1}`,
      agentVersion: present[0]?.agentVersion ?? '1.0.0',
      registeredAt: now,
      pools,
    }))
}

function hostsOf(fleet: HostFleet, pool: string): HostDescription[] {
  const { slots } = fleet.pool(pool)
  return Array.from({ length: slots.size }, (_, at) => fleet.hostAt(slots.members[at] as number))
}

const attributeMap = (attributes: Surroundings['usual']): Map<string, string | null> =>
  new Map(attributes.map(({ name, value }) => [name, value ?? null]))

function commonAttributes([first, ...others]: readonly HostDescription[]): Map<string, string | null> {
  const common = new Map(first?.attributes)
  common.delete(ZONE_ATTRIBUTE)
  for (const { attributes } of others)
    for (const [name, value] of common) if (attributes.get(name) !== value) common.delete(name)
  return common
}

function zoneCounts(hosts: readonly HostDescription[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { attributes } of hosts) {
    const zone = attributes.get(ZONE_ATTRIBUTE) ?? undefined
    if (zone !== undefined) counts.set(zone, (counts.get(zone) ?? 0) + 1)
  }
  return counts
}

/** The zone that was said, else the one with the fewest hosts, of which there is then one more. */
function zoneAttribute(zones: Map<string, number>, said: string | undefined): [string, string][] {
  const zone = said ?? [...zones].toSorted(([a, m], [b, n]) => m - n || a.localeCompare(b))[0]?.[0]
  if (zone === undefined) return []
  zones.set(zone, (zones.get(zone) ?? 0) + 1)
  return [[ZONE_ATTRIBUTE, zone]]
}
