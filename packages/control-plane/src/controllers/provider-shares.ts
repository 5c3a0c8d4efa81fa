import { chooseCapacityProviders } from '../cell/capacity-provider-choice.ts'
import type { Transaction } from '../cell/cell.ts'
import type { ServiceRecord, TaskDefinitionRecord } from '../cell/records.ts'
import { type LaunchSource, serviceLaunch } from '../cell/service-launch.ts'
import type { LaunchDeps } from '../cell/new-task.ts'
import { type LaunchOutcome, launchTasks } from '../cell/task-launch.ts'
import type { ServiceTask } from './service-plan.ts'

/** What tasks are to be launched for, and which tasks of the service there are. */
export interface SharedLaunch {
  readonly tx: Transaction
  readonly deps: LaunchDeps
  readonly service: ServiceRecord
  readonly source: LaunchSource
  readonly tasks: readonly ServiceTask[]
}

/** With a strategy of capacity providers each gets its share; without one all tasks are of one kind. */
export function launchAcrossProviders(
  { tx, deps, service, source, tasks }: SharedLaunch,
  definition: TaskDefinitionRecord,
  count: number,
): LaunchOutcome {
  const strategy = source.capacityProviderStrategy
  if (strategy.length === 0) return launchTasks(tx, deps, serviceLaunch(service, source, definition), count)
  const existing = countByProvider(tasks.filter(({ task }) => task.deploymentId === source.id && isWanted(tx, task.id)))
  const shares = new Map<string, number>()
  for (const provider of chooseCapacityProviders(strategy, count, existing))
    shares.set(provider, (shares.get(provider) ?? 0) + 1)
  const outcomes = Array.from(shares, ([provider, share]) =>
    launchTasks(tx, deps, serviceLaunch(service, source, definition, provider), share),
  )
  const explanation = outcomes.find(({ unplaced }) => unplaced > 0)?.explanation
  return {
    tasks: outcomes.flatMap((outcome) => outcome.tasks),
    unplaced: outcomes.reduce((sum, { unplaced }) => sum + unplaced, 0),
    ...(explanation && { explanation }),
  }
}

/** Whether a task was not stopped by this very step. */
const isWanted = ({ tables }: Transaction, id: string): boolean => tables.tasks.get(id)?.desiredStatus === 'RUNNING'

function countByProvider(tasks: readonly ServiceTask[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { task } of tasks) {
    const provider = task.capacityProviderName ?? ''
    counts.set(provider, (counts.get(provider) ?? 0) + 1)
  }
  return counts
}
