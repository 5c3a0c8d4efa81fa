import type { HostFleetAccounting } from '../cell/host-fleet-accounting.ts'
import type { ReadonlyTables } from '../cell/tables.ts'
import type { ServiceTask, StopOrder } from './service-plan.ts'

/**
 * Which tasks of a service go first when some must: those that do not run yet, then from the zone that has the most of them, then from the
 * host that has the most of them, then from the host with the most room; of equals the youngest (ECS developer guide, "Scale-in").
 */
export function stopOrder(_tables: ReadonlyTables, fleet: HostFleetAccounting): StopOrder {
  return (candidates, count) => {
    if (count <= 0) return []
    if (count >= candidates.length) return candidates
    return chooseOneByOne(candidates, count, (hostId) => fleet.hosts.roomOn(hostId)?.memory ?? 0)
  }
}

/** Tasks that only their age tells apart, the youngest last. */
interface Equals {
  readonly healthy: boolean
  readonly zone: string
  readonly host: string
  readonly room: number
  readonly tasks: { readonly each: ServiceTask; readonly index: number }[]
}

/** Each choice changes what is left in its zone and on its host, and so the next choice: one pass over the hosts for each. */
function chooseOneByOne(
  candidates: readonly ServiceTask[],
  count: number,
  roomOn: (hostId: string) => number,
): ServiceTask[] {
  const groups = groupEquals(candidates, roomOn)
  const inZone = countBy(candidates, zoneOf)
  const onHost = countBy(candidates, hostOf)
  const chosen: ServiceTask[] = []
  while (chosen.length < count) {
    let first: Equals | undefined
    for (const group of groups)
      if (group.tasks.length > 0 && (!first || goesBefore(group, first, inZone, onHost))) first = group
    const next = first?.tasks.pop()
    if (!first || !next) break
    chosen.push(next.each)
    inZone.set(first.zone, (inZone.get(first.zone) ?? 0) - 1)
    onHost.set(first.host, (onHost.get(first.host) ?? 0) - 1)
  }
  return chosen
}

function groupEquals(candidates: readonly ServiceTask[], roomOn: (hostId: string) => number): Equals[] {
  const groups = new Map<string, Equals>()
  for (const [index, each] of candidates.entries()) {
    const { healthy } = each
    const [zone, host] = [zoneOf(each), hostOf(each)]
    const key = `${healthy} ${host} ${zone}`
    const group = groups.get(key) ?? { healthy, zone, host, room: roomOn(host), tasks: [] }
    groups.set(key, group)
    group.tasks.push({ each, index })
  }
  for (const { tasks } of groups.values())
    tasks.sort((a, b) => a.each.task.createdAt - b.each.task.createdAt || b.index - a.index)
  return [...groups.values()]
}

function goesBefore(
  a: Equals,
  b: Equals,
  inZone: ReadonlyMap<string, number>,
  onHost: ReadonlyMap<string, number>,
): boolean {
  if (a.healthy !== b.healthy) return b.healthy
  const byZone = (inZone.get(a.zone) ?? 0) - (inZone.get(b.zone) ?? 0)
  if (byZone !== 0) return byZone > 0
  const byHost = (onHost.get(a.host) ?? 0) - (onHost.get(b.host) ?? 0)
  if (byHost !== 0) return byHost > 0
  if (a.room !== b.room) return a.room > b.room
  const [one, other] = [a.tasks.at(-1), b.tasks.at(-1)]
  const byAge = (one?.each.task.createdAt ?? 0) - (other?.each.task.createdAt ?? 0)
  return byAge === 0 ? (one?.index ?? 0) < (other?.index ?? 0) : byAge > 0
}

const zoneOf = ({ task }: ServiceTask): string => task.availabilityZone ?? ''
const hostOf = ({ task }: ServiceTask): string => task.hostId ?? ''

function countBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(keyOf(value), (counts.get(keyOf(value)) ?? 0) + 1)
  return counts
}
