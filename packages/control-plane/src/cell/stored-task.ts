import { type ClaimRecord, emptyList, type TaskContainerRecord, type TaskRecord } from './records.ts'

/** What was read is nobody else's yet. */
type Fresh<R> = { -readonly [Member in keyof R]: R[Member] }
type FreshContainer = Fresh<TaskContainerRecord>
type FreshTask = Omit<Fresh<TaskRecord>, 'containers'> & { readonly containers: FreshContainer[] }

/** As tasks were stored when their records held whole ARNs. */
interface TaskWithArns extends FreshTask {
  readonly arn?: string
  readonly containers: (FreshContainer & { readonly arn?: string })[]
}

/**
 * Reads tasks as the store has them. What the tasks of one launch shared when they were made, they share again, since a million of them are
 * read when a leader begins; and what was stored when records held whole ARNs is brought into the form of today.
 */
export function storedTasks(): (text: string) => TaskRecord {
  const claims = new Map<string, ClaimRecord>()
  const shared = (claim: ClaimRecord): ClaimRecord => {
    if (claim.dynamicPorts.length > 0) return claim
    const key = JSON.stringify(claim)
    const known = claims.get(key)
    if (known === undefined) claims.set(key, claim)
    return known ?? claim
  }
  return (text) => {
    const stored = JSON.parse(text) as TaskWithArns
    const task = stored.arn === undefined ? stored : withoutArns(stored)
    task.claim = shared(task.claim)
    for (const container of task.containers) {
      container.portGrants = orEmpty(container.portGrants)
      container.networkBindings = orEmpty(container.networkBindings)
      container.gpuIds = orEmpty(container.gpuIds)
    }
    return task
  }
}

function withoutArns(stored: TaskWithArns): FreshTask {
  const { arn: _, ...task } = stored
  return {
    ...task,
    containers: task.containers.map(({ arn = '', ...container }) => ({
      ...container,
      id: arn.slice(arn.lastIndexOf('/') + 1),
    })),
  }
}

const orEmpty = <T>(list: readonly T[]): readonly T[] => (list.length === 0 ? emptyList : list)
