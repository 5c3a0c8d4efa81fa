import type { Controller } from './controller.ts'
import { type ServiceControllerDeps, serviceLoop } from './service-loop.ts'
import { stepTaskSets } from './task-set-step.ts'

/** Brings the task sets of services that an external controller deploys to their share of the desired count. */
export const taskSetController = (deps: ServiceControllerDeps): Controller =>
  serviceLoop(deps, 'task sets', {
    owns: ({ deploymentController }) => deploymentController === 'EXTERNAL',
    alsoConcerned: () => [],
    step: stepTaskSets,
  })
