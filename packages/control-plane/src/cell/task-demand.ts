import type * as ecs from '@aws-sdk/client-ecs'
import { type Demand, NO_DEMAND, type PortClaim } from '../scheduler/demand.ts'
import { resourcesAskedBy } from './custom-resources.ts'
import type { ClaimRecord, PortGrant, TaskDefinitionRecord, TaskRecord } from './records.ts'

export type NetworkMode = 'awsvpc' | 'bridge' | 'host' | 'none'
export type LaunchType = TaskRecord['launchType']
export type StoredDefinition = TaskDefinitionRecord['definition']

/**
 * The network mode that a task runs in. A definition without one means `bridge` on EC2, as in ECS, and `awsvpc` on
 * FARGATE, which has no other (decision record `fargate-without-compatibilities`).
 */
export const networkModeOf = (definition: StoredDefinition, launchType: LaunchType): NetworkMode =>
  definition.networkMode ?? (launchType === 'FARGATE' ? 'awsvpc' : 'bridge')

/** A container as one task has it: its definition with that task's overrides laid over. */
export interface EffectiveContainer extends Omit<ecs.ContainerDefinition, 'name' | 'image'> {
  readonly name: string
  readonly image: string
}

/**
 * The containers of a task: command, limits and resource requirements of an override stand in for those of the definition,
 * environment variables are added to them.
 */
export function effectiveContainers(definition: StoredDefinition, overrides: ecs.TaskOverride): EffectiveContainer[] {
  return (definition.containerDefinitions ?? []).map((container) => {
    const override = overrides.containerOverrides?.find(({ name }) => name === container.name)
    const named = { ...container, name: container.name ?? '', image: container.image ?? '' }
    return override === undefined ? named : overridden(named, override)
  })
}

function overridden(container: EffectiveContainer, override: ecs.ContainerOverride): EffectiveContainer {
  const { command, cpu, memory, memoryReservation, resourceRequirements, environment, environmentFiles } = override
  return {
    ...container,
    ...(command !== undefined && command.length > 0 && { command }),
    ...(cpu !== undefined && { cpu }),
    ...(memory !== undefined && { memory }),
    ...(memoryReservation !== undefined && { memoryReservation }),
    ...(resourceRequirements !== undefined && resourceRequirements.length > 0 && { resourceRequirements }),
    ...(environment !== undefined && { environment: mergedEnvironment(container.environment ?? [], environment) }),
    ...(environmentFiles !== undefined &&
      environmentFiles.length > 0 && {
        environmentFiles: [...(container.environmentFiles ?? []), ...environmentFiles],
      }),
  }
}

function mergedEnvironment(base: readonly ecs.KeyValuePair[], added: readonly ecs.KeyValuePair[]): ecs.KeyValuePair[] {
  const byName = new Map(base.map((pair) => [pair.name, pair]))
  for (const pair of added) byName.set(pair.name, pair)
  return [...byName.values()]
}

/** How many GPUs a container asks for. */
export function gpusOf({ resourceRequirements = [] }: Pick<EffectiveContainer, 'resourceRequirements'>): number {
  const asked = resourceRequirements.find(({ type }) => type === 'GPU')?.value
  return asked === undefined ? 0 : Number.parseInt(asked, 10) || 0
}

/** CPU units and MiB of a whole task: what task level says, else the sum over its containers. */
export interface TaskSize {
  readonly cpu: number
  readonly memoryMib: number
}

/** The size of a task. Of containers `memoryReservation` counts where there is one, as in ECS's own placement. */
export function taskSize(definition: StoredDefinition, overrides: ecs.TaskOverride): TaskSize {
  const containers = effectiveContainers(definition, overrides)
  const sum = (amount: (container: EffectiveContainer) => number) =>
    containers.reduce((total, container) => total + amount(container), 0)
  return {
    cpu: integer(overrides.cpu ?? definition.cpu) ?? sum(({ cpu }) => cpu ?? 0),
    memoryMib:
      integer(overrides.memory ?? definition.memory) ??
      sum(({ memory, memoryReservation }) => memoryReservation ?? memory ?? 0),
  }
}

/** Definitions and overrides are stored in units and MiB, so that only digits are left to read. */
const integer = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

/** A port of a container that something may be bound to, with ranges taken apart. */
interface ContainerPort {
  readonly container: string
  readonly containerPort: number
  readonly hostPort: number
  readonly protocol: 'tcp' | 'udp'
  readonly name?: string
}

function containerPorts(definition: StoredDefinition): ContainerPort[] {
  return (definition.containerDefinitions ?? []).flatMap((container) =>
    (container.portMappings ?? []).flatMap((mapping) =>
      portsOf(mapping).map((containerPort) => ({
        container: container.name ?? '',
        containerPort,
        hostPort: mapping.hostPort ?? 0,
        protocol: mapping.protocol ?? 'tcp',
        ...(mapping.name !== undefined && { name: mapping.name }),
      })),
    ),
  )
}

function portsOf({ containerPort, containerPortRange }: ecs.PortMapping): number[] {
  if (containerPortRange === undefined) return containerPort === undefined ? [] : [containerPort]
  const [first = 0, last = first] = containerPortRange.split('-').map(Number)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, offset) => first + offset)
}

/** The host port a mapping asks for by network mode: `dynamic` is for the cell to pick, `none` binds nothing on the host. */
function wantedHostPort({ hostPort, containerPort }: ContainerPort, mode: NetworkMode): number | 'dynamic' | 'none' {
  if (mode === 'host') return hostPort === 0 ? containerPort : hostPort
  if (mode === 'bridge') return hostPort === 0 ? 'dynamic' : hostPort
  return 'none'
}

/** What one task takes from its host. */
export function taskDemand(definition: StoredDefinition, overrides: ecs.TaskOverride, mode: NetworkMode): Demand {
  const { cpu, memoryMib } = taskSize(definition, overrides)
  const ports: PortClaim[] = []
  let dynamicPorts = 0
  for (const port of containerPorts(definition)) {
    const wanted = wantedHostPort(port, mode)
    if (wanted === 'dynamic') dynamicPorts++
    else if (wanted !== 'none') ports.push({ port: wanted, protocol: port.protocol })
  }
  const gpus = effectiveContainers(definition, overrides).reduce((total, container) => total + gpusOf(container), 0)
  const custom = resourcesAskedBy(
    (definition.containerDefinitions ?? []).flatMap(({ dockerLabels = {} }) => Object.entries(dockerLabels)),
  )
  return {
    ...NO_DEMAND,
    cpu,
    memory: memoryMib,
    gpus,
    enis: mode === 'awsvpc' ? 1 : 0,
    ports,
    dynamicPorts,
    ...(custom !== undefined && { custom: new Map(Object.entries(custom)) }),
  }
}

/** The claim of a task that was given `dynamicPorts`. */
export const claimFor = (demand: Demand, dynamicPorts: readonly number[]): ClaimRecord => ({
  cpu: demand.cpu,
  memoryMib: demand.memory,
  gpus: demand.gpus,
  networkInterfaces: demand.enis,
  ...(demand.custom !== undefined && { custom: Object.fromEntries(demand.custom) }),
  ports: demand.ports.map(({ port, protocol }) => ({ port, protocol })),
  dynamicPorts,
})

/** The host ports of a task by container, `dynamicPorts` handed out in the order of the mappings. */
export function grantPorts(
  definition: StoredDefinition,
  mode: NetworkMode,
  dynamicPorts: readonly number[],
): ReadonlyMap<string, readonly PortGrant[]> {
  const left = [...dynamicPorts]
  const grants = new Map<string, PortGrant[]>()
  for (const port of containerPorts(definition)) {
    const { container, containerPort, protocol, name } = port
    const wanted = wantedHostPort(port, mode)
    const hostPort = wanted === 'none' ? 0 : wanted === 'dynamic' ? (left.shift() ?? 0) : wanted
    const grant = { containerPort, hostPort, protocol, ...(name !== undefined && { name }) }
    grants.set(container, [...(grants.get(container) ?? []), grant])
  }
  return grants
}
