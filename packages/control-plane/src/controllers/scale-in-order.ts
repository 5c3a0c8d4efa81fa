import type { HostFleetAccounting } from '../cell/host-fleet-accounting.ts'
import { compiledStrategy } from '../cell/placement-rules.ts'
import type { ServiceRecord } from '../cell/records.ts'
import { chooseTasksToStop } from '../scheduler/scale-in.ts'
import type { StopOrder } from './service-plan.ts'

/** Which tasks of a service go first when some must: those that do not serve yet, then what `scheduler/scale-in.ts` says of their hosts. */
export function scaleInOrder(
  { placementStrategy }: Pick<ServiceRecord, 'placementStrategy'>,
  { hosts }: Pick<HostFleetAccounting, 'hosts'>,
): StopOrder {
  const strategy = placementStrategy.length === 0 ? [] : compiledStrategy(placementStrategy, true)
  return (candidates, count) => {
    if (count <= 0 || count >= candidates.length) return count <= 0 ? [] : candidates
    const tasks = candidates.map((each) => ({
      each,
      taskId: each.task.id,
      hostId: each.task.hostId,
      rank: each.healthy ? 1 : 0,
      createdAt: each.task.createdAt,
    }))
    return chooseTasksToStop(hosts, tasks, count, strategy).map(({ each }) => each)
  }
}
