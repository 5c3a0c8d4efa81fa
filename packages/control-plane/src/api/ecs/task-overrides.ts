import type { ContainerOverride, TaskOverride } from '@aws-sdk/client-ecs'
import { effectiveContainers, type LaunchType, type StoredDefinition } from '../../cell/task-demand.ts'
import { clientException, invalidParameter } from '../errors.ts'
import { environmentFilesProblem } from './environment-validation.ts'
import { isFargateSize, parseTaskCpu, parseTaskMemory } from './task-size.ts'

/** ECS's own limit on the overrides of one request, in characters of their JSON. */
const overridesAtMost = 8192

/** GiB of ephemeral storage that a FARGATE task may ask for. */
const ephemeralStorageGib = { min: 20, max: 200 } as const

/**
 * The overrides of a task as they are kept: an entry for each container, as ECS answers them, and sizes in CPU units and MiB.
 *
 * @throws InvalidParameterException for a container that the definition does not have, and whatever else ECS refuses;
 *   ClientException for a size that does not exist, and for what Berth cannot honour.
 */
export function overridesFor(
  definition: StoredDefinition,
  launchType: LaunchType,
  given: TaskOverride | undefined,
): TaskOverride {
  const { containerOverrides = [], cpu, memory, ...rest } = given ?? {}
  if (given !== undefined && JSON.stringify(given).length > overridesAtMost)
    throw invalidParameter(`Container Overrides length must be at most ${overridesAtMost}`)
  assertStorage(launchType, rest.ephemeralStorage?.sizeInGiB)
  const overrides: TaskOverride = {
    ...rest,
    ...(cpu !== undefined && { cpu: String(parseTaskCpu(cpu)) }),
    ...(memory !== undefined && { memory: String(parseTaskMemory(memory)) }),
    containerOverrides: completeContainerOverrides(definition, containerOverrides),
    inferenceAcceleratorOverrides: [],
  }
  assertSizes(definition, launchType, overrides)
  return overrides
}

function completeContainerOverrides(
  definition: StoredDefinition,
  given: readonly ContainerOverride[],
): ContainerOverride[] {
  const names = (definition.containerDefinitions ?? []).map(({ name = '' }) => name)
  const byName = new Map<string, ContainerOverride>()
  for (const override of given) {
    const { name } = override
    if (name === undefined || name === '') throw invalidParameter('Container override name can not be empty.')
    if (!names.includes(name))
      throw invalidParameter(`Override for container named ${name} is not a container in the TaskDefinition.`)
    if (byName.has(name)) throw invalidParameter(`Container named ${name} is overridden more than once.`)
    assertContainerOverride(name, override)
    byName.set(name, override)
  }
  return names.map((name) => byName.get(name) ?? { name })
}

function assertContainerOverride(name: string, override: ContainerOverride): void {
  const {
    cpu,
    memory,
    memoryReservation,
    resourceRequirements = [],
    environment = [],
    environmentFiles = [],
  } = override
  if (cpu !== undefined && cpu < 0) throw invalidParameter(`Invalid 'cpu' override for container '${name}'.`)
  for (const [field, amount] of Object.entries({ memory, memoryReservation }))
    if (amount !== undefined && amount < leastMemoryMib)
      throw invalidParameter(
        `Invalid '${field}' override for container '${name}': the minimum is ${leastMemoryMib} MiB.`,
      )
  if (environment.some((variable) => variable.name === undefined || variable.name === ''))
    throw invalidParameter(`Environment variable names of container '${name}' can not be empty.`)
  const problem = environmentFilesProblem(environmentFiles)
  if (problem !== undefined)
    throw invalidParameter(`Invalid 'environmentFiles' override for container '${name}'. ${problem}`)
  for (const { value } of resourceRequirements)
    if (!/^[1-9]\d{0,2}$/.test(value ?? ''))
      throw invalidParameter(`Invalid GPU resource requirement '${value}' for container '${name}'.`)
}

/** Docker's own least memory of a container, in MiB. */
const leastMemoryMib = 6

function assertStorage(launchType: LaunchType, sizeInGiB: number | undefined): void {
  if (sizeInGiB === undefined) return
  if (launchType !== 'FARGATE')
    throw invalidParameter(`Ephemeral storage overrides are not supported for launch type ${launchType}.`)
  const { min, max } = ephemeralStorageGib
  if (sizeInGiB < min || sizeInGiB > max)
    throw invalidParameter(`Ephemeral storage must be between ${min} and ${max} GiB.`)
}

/** Sizes must still be sizes once overridden: of the task on FARGATE, and of each container against its task. */
function assertSizes(definition: StoredDefinition, launchType: LaunchType, overrides: TaskOverride): void {
  const cpu = overrides.cpu ?? definition.cpu
  const memory = overrides.memory ?? definition.memory
  const overridesSize = overrides.cpu !== undefined || overrides.memory !== undefined
  if (launchType === 'FARGATE' && overridesSize && !isFargateSize(Number(cpu ?? 0), Number(memory ?? 0)))
    throw clientException('No Fargate configuration exists for given values.')
  for (const container of effectiveContainers(definition, overrides)) {
    const { name, memory: hard, memoryReservation: soft } = container
    if (hard !== undefined && soft !== undefined && soft > hard)
      throw clientException(
        `Invalid setting for container '${name}'. The setting for 'memoryReservation' must be less than or equal to the setting for 'memory'.`,
      )
    if (memory !== undefined && (hard ?? soft ?? 0) > Number(memory))
      throw clientException(`Invalid setting for container '${name}'. 'memory' must not be more than the task's.`)
    if (cpu !== undefined && (container.cpu ?? 0) > Number(cpu))
      throw clientException(`Invalid setting for container '${name}'. 'cpu' must not be more than the task's.`)
  }
}
