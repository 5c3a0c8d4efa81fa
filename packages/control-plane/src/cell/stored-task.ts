import type { ClaimRecord, TaskContainerRecord, TaskRecord } from './records.ts'

/** A container as it was stored when records held whole ARNs. */
type StoredContainer = TaskContainerRecord & { readonly arn?: string }
type StoredTask = Omit<TaskRecord, 'containers'> & {
  readonly arn?: string
  readonly containers: readonly StoredContainer[]
}

const nothing: readonly never[] = []

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
    const { arn: _, ...task } = JSON.parse(text) as StoredTask
    return { ...task, claim: shared(task.claim), containers: task.containers.map(storedContainer) }
  }
}

const storedContainer = ({ arn, ...container }: StoredContainer): TaskContainerRecord => ({
  ...container,
  id: container.id ?? arn?.split('/').at(-1) ?? '',
  portGrants: orNothing(container.portGrants),
  networkBindings: orNothing(container.networkBindings),
  gpuIds: orNothing(container.gpuIds),
})

const orNothing = <T>(list: readonly T[]): readonly T[] => (list.length === 0 ? nothing : list)
