import type { HostFleetAccounting } from '../cell/host-fleet-accounting.ts'
import type { ReadonlyTables } from '../cell/tables.ts'
import type { ServiceTask, StopOrder } from './service-plan.ts'

/**
 * Which task of a service goes first when some must: those that do not run yet, then from the zone that has the most of them, then from the
 * host that has the most of them, then from the host with the most room; of equals the youngest (ECS developer guide, "Scale-in").
 */
export function stopOrder(_tables: ReadonlyTables, fleet: HostFleetAccounting): StopOrder {
  return (candidates) => {
    const left = [...candidates]
    const ordered: ServiceTask[] = []
    while (left.length > 0) {
      const zones = countBy(left, ({ task }) => task.availabilityZone ?? '')
      const hosts = countBy(left, ({ task }) => task.hostId ?? '')
      const rank = ({ healthy, task }: ServiceTask): readonly number[] => [
        healthy ? 0 : 1,
        zones.get(task.availabilityZone ?? '') ?? 0,
        hosts.get(task.hostId ?? '') ?? 0,
        fleet.hosts.roomOn(task.hostId ?? '')?.memory ?? 0,
        task.createdAt,
      ]
      let first = 0
      for (let i = 1; i < left.length; i++)
        if (isGreater(rank(left[i] as ServiceTask), rank(left[first] as ServiceTask))) first = i
      ordered.push(...left.splice(first, 1))
    }
    return ordered
  }
}

function countBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(keyOf(value), (counts.get(keyOf(value)) ?? 0) + 1)
  return counts
}

function isGreater(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, index) => value !== b[index])
  return at >= 0 && (a[at] as number) > (b[at] as number)
}
