import { type DeploymentRecord, type ServiceRecord, serviceKey } from '../cell/records.ts'
import type { ReadonlyTables } from '../cell/tables.ts'
import type { ServiceTask } from './service-plan.ts'

/** A move that may still come to its end: the old task and the new one both run, or are to. */
export interface TaskMovePair {
  readonly from: ServiceTask
  readonly to: ServiceTask
}

/**
 * The moves of a service that are under way, out of its judged tasks: both tasks are of the running deployment, and the old one has no
 * other reason to go.
 */
export function movesUnderWay(
  tables: ReadonlyTables,
  service: Pick<ServiceRecord, 'cluster' | 'name'>,
  primary: Pick<DeploymentRecord, 'id'>,
  tasks: readonly ServiceTask[],
): TaskMovePair[] {
  const moves = [...tables.tasks.by('serviceMoves', serviceKey(service.cluster, service.name))]
  if (moves.length === 0) return []
  const byId = new Map(tasks.map((each) => [each.task.id, each]))
  return moves.flatMap(({ id, move }): TaskMovePair[] => {
    const [from, to] = [byId.get(move?.replaces ?? ''), byId.get(id)]
    if (from === undefined || to === undefined || from.replace) return []
    return from.task.deploymentId === primary.id && to.task.deploymentId === primary.id ? [{ from, to }] : []
  })
}
