import type { ContainerDefinition, PortMapping, TaskDefinition, Volume } from '@aws-sdk/client-ecs'
import type { EcsInput } from '../operation.ts'
import { parseTaskCpu, parseTaskMemory } from './task-size.ts'

/** The network mode of a definition that names none. */
export const defaultNetworkMode = 'bridge'

/** What RegisterTaskDefinition keeps, before what Berth works out of it. */
export type NormalizedDefinition = Omit<EcsInput<'RegisterTaskDefinition'>, 'tags'> & {
  readonly volumes: Volume[]
  readonly placementConstraints: NonNullable<TaskDefinition['placementConstraints']>
}

/**
 * The definition as ECS answers it: its defaults filled in, and nothing else, so that what was given comes back and a
 * second `terraform plan` is empty. Task-level `cpu` and `memory` are turned into units and MiB.
 *
 * @throws ClientException when `cpu` or `memory` is no size.
 */
export function withDefaults(input: Omit<EcsInput<'RegisterTaskDefinition'>, 'tags'>): NormalizedDefinition {
  return {
    ...input,
    containerDefinitions: input.containerDefinitions.map((container) =>
      containerWithDefaults(container, input.networkMode ?? defaultNetworkMode),
    ),
    volumes: (input.volumes ?? []).map(volumeWithDefaults),
    placementConstraints: input.placementConstraints ?? [],
    ...(input.cpu === undefined ? {} : { cpu: String(parseTaskCpu(input.cpu)) }),
    ...(input.memory === undefined ? {} : { memory: String(parseTaskMemory(input.memory)) }),
  }
}

function containerWithDefaults(container: ContainerDefinition, networkMode: string): ContainerDefinition {
  return {
    ...container,
    cpu: container.cpu ?? 0,
    essential: container.essential ?? true,
    portMappings: (container.portMappings ?? []).map((mapping) => portMappingWithDefaults(mapping, networkMode)),
    environment: container.environment ?? [],
    mountPoints: container.mountPoints ?? [],
    volumesFrom: container.volumesFrom ?? [],
    systemControls: container.systemControls ?? [],
  }
}

/** Where the container has the host's ports or an address of its own, they are the container's; in a bridge 0 is chosen at start. */
function portMappingWithDefaults(mapping: PortMapping, networkMode: string): PortMapping {
  const hostPort =
    networkMode === defaultNetworkMode && mapping.containerPortRange === undefined ? 0 : mapping.containerPort
  return {
    ...mapping,
    protocol: mapping.protocol ?? 'tcp',
    ...(mapping.hostPort === undefined && hostPort !== undefined ? { hostPort } : {}),
  }
}

/** A volume that says nothing is a fresh directory; one of Docker lives as long as its task. */
function volumeWithDefaults(volume: Volume): Volume {
  const { dockerVolumeConfiguration: docker } = volume
  if (docker !== undefined)
    return {
      ...volume,
      dockerVolumeConfiguration: { ...docker, scope: docker.scope ?? 'task', driver: docker.driver ?? 'local' },
    }
  return { ...volume, host: volume.host ?? {} }
}
