import { chooseCapacityProviders } from '../cell/capacity-provider-choice.ts'
import type { TaskDefinitionRecord } from '../cell/records.ts'
import { serviceLaunch } from '../cell/service-launch.ts'
import { type LaunchOutcome, launchTasks } from '../cell/task-launch.ts'
import type { Controller } from './controller.ts'
import { scaleInOrder } from './scale-in-order.ts'
import { type ServiceControllerDeps, serviceLoop } from './service-loop.ts'
import { planService, type ServiceTask } from './service-plan.ts'
import type { ServiceScheduling, ServiceSituation } from './service-step.ts'

/** Brings REPLICA services to their desired count. */
export const serviceController = (deps: ServiceControllerDeps): Controller =>
  serviceLoop(deps, 'services', replicaScheduling)

const replicaScheduling: ServiceScheduling = {
  strategy: 'REPLICA',
  alsoConcerned: () => [],
  moves(situation) {
    const { tx, service, primary, tasks } = situation
    const desiredCount = service.status === 'DRAINING' ? 0 : service.desiredCount
    const plan = planService(
      {
        desiredCount,
        primaryDeploymentId: primary.id,
        minimumHealthyPercent: service.deploymentConfiguration.minimumHealthyPercent ?? 100,
        maximumPercent: service.deploymentConfiguration.maximumPercent ?? 200,
        halted: primary.rolloutState === 'FAILED',
      },
      service.status === 'DRAINING' ? tasks.map(unprotected) : tasks,
      scaleInOrder(service, tx.fleet),
    )
    return {
      ...plan,
      desiredCount,
      launch: (definition) => launchAcrossProviders(situation, definition, plan.start),
    }
  },
}

/** A service that is deleted stops its tasks whatever protects them. */
const unprotected = (task: ServiceTask): ServiceTask => ({ ...task, protected: false })

/** With a strategy of capacity providers each gets its share; without one all tasks are of one kind. */
function launchAcrossProviders(
  { tx, service, primary, tasks, deps }: ServiceSituation,
  definition: TaskDefinitionRecord,
  count: number,
): LaunchOutcome {
  const strategy = primary.capacityProviderStrategy
  if (strategy.length === 0) return launchTasks(tx, deps, serviceLaunch(service, primary, definition), count)
  const existing = countByProvider(
    tasks.filter(({ task }) => task.deploymentId === primary.id && isWanted(tx, task.id)),
  )
  const shares = new Map<string, number>()
  for (const provider of chooseCapacityProviders(strategy, count, existing))
    shares.set(provider, (shares.get(provider) ?? 0) + 1)
  const outcomes = Array.from(shares, ([provider, share]) =>
    launchTasks(tx, deps, serviceLaunch(service, primary, definition, provider), share),
  )
  const explanation = outcomes.find(({ unplaced }) => unplaced > 0)?.explanation
  return {
    tasks: outcomes.flatMap((outcome) => outcome.tasks),
    unplaced: outcomes.reduce((sum, { unplaced }) => sum + unplaced, 0),
    ...(explanation && { explanation }),
  }
}

/** Whether a task was not stopped by this very step. */
const isWanted = ({ tables }: ServiceSituation['tx'], id: string): boolean =>
  tables.tasks.get(id)?.desiredStatus === 'RUNNING'

function countByProvider(tasks: readonly ServiceTask[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { task } of tasks) {
    const provider = task.capacityProviderName ?? ''
    counts.set(provider, (counts.get(provider) ?? 0) + 1)
  }
  return counts
}
