import type { Controller } from './controller.ts'
import { launchAcrossProviders } from './provider-shares.ts'
import { scaleInOrder } from './scale-in-order.ts'
import { type ServiceControllerDeps, serviceLoop } from './service-loop.ts'
import { planService, type ServiceTask } from './service-plan.ts'
import { scheduledBy, type ServiceScheduling, type ServiceSituation } from './service-step.ts'
import { unprotected } from './service-task.ts'
import { movesUnderWay } from './task-moves.ts'

/** Brings REPLICA services to their desired count. */
export const serviceController = (deps: ServiceControllerDeps): Controller =>
  serviceLoop(deps, 'services', scheduledBy(replicaScheduling))

const replicaScheduling: ServiceScheduling = {
  strategy: 'REPLICA',
  alsoConcerned: () => [],
  moves(situation) {
    const { tx, service, primary, halted } = situation
    const desiredCount = service.status === 'DRAINING' ? 0 : service.desiredCount
    const tasks = service.status === 'DRAINING' ? situation.tasks : withoutMoves(situation, desiredCount)
    const plan = planService(
      {
        desiredCount,
        primaryDeploymentId: primary.id,
        minimumHealthyPercent: service.deploymentConfiguration.minimumHealthyPercent ?? 100,
        maximumPercent: service.deploymentConfiguration.maximumPercent ?? 200,
        halted,
      },
      service.status === 'DRAINING' ? tasks.map(unprotected) : tasks,
      scaleInOrder(service, tx.fleet),
    )
    return {
      ...plan,
      desiredCount,
      launch: (definition) => launchAcrossProviders({ ...situation, source: primary }, definition, plan.start),
    }
  },
}

/**
 * The tasks without the new ones of moves, whose controller sees to them: they are more than what is desired. Where a task is missing,
 * such a new one stands in for it.
 */
function withoutMoves({ tx, service, primary, tasks }: ServiceSituation, desiredCount: number): readonly ServiceTask[] {
  const moves = movesUnderWay(tx.tables, service, primary, tasks)
  if (moves.length === 0) return tasks
  const staying = tasks.filter(({ task, replace }) => task.deploymentId === primary.id && !replace).length
  const failing = moves.filter(({ to }) => to.replace)
  const well = moves.filter(({ to }) => !to.replace)
  const aside = new Set([...failing, ...well.slice(0, Math.max(0, staying - desiredCount))].map(({ to }) => to))
  return tasks.filter((each) => !aside.has(each))
}
