import { shortName } from '@berth/shared/arn.ts'
import { type DeploymentRecord, type ServiceRecord, taskDefinitionKey, type TaskDefinitionRecord } from './records.ts'
import type { ReadonlyTables } from './tables.ts'
import type { TaskLaunch } from './task-blueprint.ts'
import { serviceTaskTags } from './task-tags.ts'

/** The group of a service's tasks: what spreads and `distinctInstance` count. */
export const serviceGroup = (name: string): string => `service:${name}`

/** The task definition of an ARN that the cell made. A definition stays for as long as a service or task needs it. */
export function taskDefinitionOfArn(tables: ReadonlyTables, arn: string): TaskDefinitionRecord | undefined {
  const [family = '', revision] = shortName(arn).split(':')
  return tables.taskDefinitions.get(taskDefinitionKey(family, Number(revision)))
}

/** What a service launches tasks for: one of its deployments, or a task set. */
export type LaunchSource = Pick<
  DeploymentRecord,
  'id' | 'taskDefinitionArn' | 'launchType' | 'capacityProviderStrategy' | 'platformVersion' | 'networkConfiguration'
>

/** What a service launches for one of its deployments or task sets. `capacityProviderName` comes from `chooseCapacityProviders` where there is a strategy. */
export function serviceLaunch(
  service: ServiceRecord,
  deployment: LaunchSource,
  definition: TaskDefinitionRecord,
  capacityProviderName?: string,
): TaskLaunch {
  const networkConfiguration = deployment.networkConfiguration ?? service.networkConfiguration
  return {
    cluster: service.cluster,
    definition,
    launchType: deployment.launchType,
    ...(capacityProviderName !== undefined && { capacityProviderName }),
    group: serviceGroup(service.name),
    startedBy: deployment.id,
    serviceName: service.name,
    deploymentId: deployment.id,
    overrides: {},
    ...(networkConfiguration !== undefined && { networkConfiguration }),
    placementConstraints: service.placementConstraints,
    placementStrategy: service.placementStrategy,
    ...(deployment.platformVersion !== undefined && { platformVersion: deployment.platformVersion }),
    enableExecuteCommand: service.enableExecuteCommand,
    tags: serviceTaskTags(service, definition),
  }
}
