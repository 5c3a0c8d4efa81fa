import type { Controller } from './controller.ts'
import { launchAcrossProviders } from './provider-shares.ts'
import { scaleInOrder } from './scale-in-order.ts'
import { type ServiceControllerDeps, serviceLoop } from './service-loop.ts'
import { planService } from './service-plan.ts'
import { scheduledBy, type ServiceScheduling } from './service-step.ts'
import { unprotected } from './service-task.ts'

/** Brings REPLICA services to their desired count. */
export const serviceController = (deps: ServiceControllerDeps): Controller =>
  serviceLoop(deps, 'services', scheduledBy(replicaScheduling))

const replicaScheduling: ServiceScheduling = {
  strategy: 'REPLICA',
  alsoConcerned: () => [],
  moves(situation) {
    const { tx, service, primary, halted, tasks } = situation
    const desiredCount = service.status === 'DRAINING' ? 0 : service.desiredCount
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
