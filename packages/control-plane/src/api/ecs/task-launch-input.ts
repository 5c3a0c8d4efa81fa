import type { NetworkConfiguration, Tag, TaskOverride } from '@aws-sdk/client-ecs'
import type { ClusterRecord, TagRecord, TaskDefinitionRecord } from '../../cell/records.ts'
import { type LaunchType, networkModeOf } from '../../cell/task-demand.ts'
import type { TaskLaunch } from '../../cell/task-blueprint.ts'
import { managedTags } from '../../cell/task-tags.ts'
import { invalidParameter } from '../errors.ts'
import { networkConfigurationFor } from './network-configuration.ts'
import { tagRecordOf, tagsPerResource } from './tag-set.ts'
import { overridesFor } from './task-overrides.ts'

/** What RunTask and StartTask have in common. */
export interface TaskLaunchInput {
  readonly enableECSManagedTags?: boolean | undefined
  readonly enableExecuteCommand?: boolean | undefined
  readonly group?: string | undefined
  readonly networkConfiguration?: NetworkConfiguration | undefined
  readonly overrides?: TaskOverride | undefined
  readonly propagateTags?: 'NONE' | 'SERVICE' | 'TASK_DEFINITION' | undefined
  readonly referenceId?: string | undefined
  readonly startedBy?: string | undefined
  readonly tags?: readonly Tag[] | undefined
}

/** ECS's own limits, in characters. */
const startedByAtMost = 128
const referenceIdAtMost = 1024

/** The prefix of the groups of services, which their own tasks alone may have. */
const servicePrefix = 'service:'

/**
 * A launch of tasks by a user, checked. Placement is not in it: RunTask has its own, StartTask none.
 *
 * @throws InvalidParameterException and ClientException in ECS's words.
 */
export function taskLaunchOf(
  cluster: ClusterRecord,
  definition: TaskDefinitionRecord,
  launchType: LaunchType,
  input: TaskLaunchInput,
): TaskLaunch {
  const { startedBy, group, referenceId } = input
  if ((startedBy?.length ?? 0) > startedByAtMost)
    throw invalidParameter(`startedBy can have at most ${startedByAtMost} characters.`)
  if ((referenceId?.length ?? 0) > referenceIdAtMost)
    throw invalidParameter(`referenceId can have at most ${referenceIdAtMost} characters.`)
  if (group?.startsWith(servicePrefix) === true)
    throw invalidParameter(`The task group name can not begin with '${servicePrefix}'.`)
  const mode = networkModeOf(definition.definition, launchType)
  const networkConfiguration = networkConfigurationFor(mode, launchType, input.networkConfiguration)
  return {
    cluster: cluster.name,
    definition,
    launchType,
    group: group === undefined || group === '' ? `family:${definition.family}` : group,
    ...(startedBy !== undefined && startedBy !== '' && { startedBy }),
    overrides: overridesFor(definition.definition, launchType, input.overrides),
    ...(networkConfiguration !== undefined && { networkConfiguration }),
    placementConstraints: [],
    placementStrategy: [],
    enableExecuteCommand: input.enableExecuteCommand ?? false,
    tags: tagsOf(cluster, definition, input),
  }
}

function tagsOf(cluster: ClusterRecord, definition: TaskDefinitionRecord, input: TaskLaunchInput): TagRecord {
  if (input.propagateTags === 'SERVICE')
    throw invalidParameter('propagateTags can not be SERVICE: the task is not of a service.')
  const tags = {
    ...(input.propagateTags === 'TASK_DEFINITION' && definition.tags),
    ...tagRecordOf(input.tags),
  }
  if (Object.keys(tags).length > tagsPerResource)
    throw invalidParameter(`Too many tags: a resource can have at most ${tagsPerResource}.`)
  return { ...tags, ...(input.enableECSManagedTags === true && managedTags(cluster.name)) }
}
