import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import type { EcsHandlers } from '../operation.ts'
import { accountSettingHandlers } from './account-settings.ts'
import { attributeHandlers } from './attributes.ts'
import { capacityProviderHandlers } from './capacity-providers.ts'
import { clusterHandlers } from './clusters.ts'
import { containerInstanceHandlers } from './container-instances.ts'
import { serviceDeploymentHandlers } from './service-deployments.ts'
import { serviceHandlers } from './services.ts'
import { tagHandlers } from './tags.ts'
import { taskDefinitionHandlers } from './task-definitions.ts'
import { taskProtectionHandlers } from './task-protection.ts'
import { taskSetHandlers } from './task-sets.ts'
import { taskHandlers } from './tasks.ts'

/** All ECS operations that Berth honours. */
export const ecsHandlers = (deps: ControlPlaneDeps) =>
  ({
    ...accountSettingHandlers(deps),
    ...attributeHandlers(deps),
    ...capacityProviderHandlers(deps),
    ...clusterHandlers(deps),
    ...containerInstanceHandlers(deps),
    ...serviceDeploymentHandlers(deps),
    ...serviceHandlers(deps),
    ...tagHandlers(deps),
    ...taskDefinitionHandlers(deps),
    ...taskHandlers(deps),
    ...taskProtectionHandlers(deps),
    ...taskSetHandlers(deps),
  }) satisfies EcsHandlers
