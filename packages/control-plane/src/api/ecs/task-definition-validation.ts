import { placementConstraintsProblem } from '../../cell/placement-rules.ts'
import { clientException } from '../errors.ts'
import { validateContainerReferences } from './container-references.ts'
import { validateContainer } from './container-validation.ts'
import { assertRequiredCompatibilities } from './fargate-compatibility.ts'
import { validatePortMappings } from './port-mapping-validation.ts'
import { defaultNetworkMode, type NormalizedDefinition } from './task-definition-defaults.ts'
import { validateVolumes } from './volume-validation.ts'

const containersPerDefinition = 10

/** Bytes of JSON, ECS's own limit. */
const largestDefinition = 65_536

/** Of one task definition and what RunTask adds to it together. */
const placementConstraintsPerTask = 10

/** FARGATE's own limits, in GiB. */
const ephemeralStorageGib = { min: 21, max: 200 } as const

/**
 * Refuses a definition that ECS would refuse, with ECS's text where it is known. The order is: the whole, each container by
 * itself, what containers say of each other, where it must run.
 *
 * @throws ClientException
 */
export function validateTaskDefinition(definition: NormalizedDefinition): void {
  validateFamily(definition.family)
  validateContainerList(definition)
  validateLength(definition)
  for (const container of definition.containerDefinitions) validateContainer(container)
  validateContainerNames(definition)
  validateTaskSize(definition)
  validateNetworkMode(definition)
  validatePortMappings(definition)
  validateVolumes(definition)
  validateContainerReferences(definition)
  validatePlacementConstraints(definition)
  validateEphemeralStorage(definition)
  assertRequiredCompatibilities(definition)
}

function validateFamily(family: string): void {
  if (family === '') throw clientException('Family should not be null or empty.')
  if (!/^[a-zA-Z0-9_-]{1,255}$/.test(family))
    throw clientException(
      'Invalid family name. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.',
    )
}

function validateContainerList({ containerDefinitions }: NormalizedDefinition): void {
  if (containerDefinitions.length === 0) throw clientException('Container list cannot be empty.')
  if (containerDefinitions.length > containersPerDefinition)
    throw clientException(`A task definition can have at most ${containersPerDefinition} containers.`)
}

function validateLength(definition: NormalizedDefinition): void {
  const length = Buffer.byteLength(JSON.stringify(definition))
  if (length > largestDefinition)
    throw clientException(`Actual length: '${length}'. Max allowed length is '${largestDefinition}' bytes.`)
}

function validateContainerNames({ containerDefinitions }: NormalizedDefinition): void {
  const names = new Set<string | undefined>()
  for (const { name } of containerDefinitions) {
    if (names.has(name)) throw clientException(`Container.name must be unique: '${name}' is used more than once.`)
    names.add(name)
  }
  if (containerDefinitions.every(({ essential }) => essential === false))
    throw clientException('A task definition must have at least one essential container.')
}

function validateTaskSize({ containerDefinitions, cpu, memory }: NormalizedDefinition): void {
  const sum = (values: readonly (number | undefined)[]): number => values.reduce<number>((a, b) => a + (b ?? 0), 0)
  if (cpu !== undefined && sum(containerDefinitions.map((container) => container.cpu)) > Number(cpu))
    throw clientException("The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.")
  for (const container of containerDefinitions) {
    if (memory === undefined && container.memory === undefined && container.memoryReservation === undefined)
      throw clientException(
        `Invalid setting for container '${container.name}'. At least one of 'memory' or 'memoryReservation' must be specified.`,
      )
    if (memory !== undefined && (container.memory ?? 0) > Number(memory))
      throw clientException(
        `Invalid 'memory' setting for container '${container.name}'. It cannot be greater than the value of the task 'memory'.`,
      )
  }
  if (
    memory !== undefined &&
    sum(containerDefinitions.map((container) => container.memoryReservation)) > Number(memory)
  )
    throw clientException(
      "The sum of all container 'memoryReservation' values cannot be greater than the value of the task 'memory'.",
    )
}

/** What containers cannot set in some network modes, in ECS's words. */
const networkModeRules = [
  { field: 'dnsServers', title: 'DNS servers are', modes: ['awsvpc'] },
  { field: 'dnsSearchDomains', title: 'DNS search domains are', modes: ['awsvpc'] },
  { field: 'extraHosts', title: 'Extra hosts are', modes: ['awsvpc'] },
  { field: 'hostname', title: 'Hostname is', modes: ['awsvpc', 'host'] },
  { field: 'disableNetworking', title: 'Disabling the network is', modes: ['awsvpc', 'host'] },
] as const

function validateNetworkMode({ containerDefinitions, networkMode, pidMode, ipcMode }: NormalizedDefinition): void {
  const mode: string = networkMode ?? defaultNetworkMode
  for (const { field, title, modes } of networkModeRules) {
    if (!modes.some((refused) => refused === mode)) continue
    if (containerDefinitions.some((container) => isSet(container[field])))
      throw clientException(`${title} not supported on container when networkMode=${mode}.`)
  }
  const shared = pidMode === 'host' || ipcMode === 'host' || mode === 'host'
  if (shared && containerDefinitions.some(({ systemControls }) => (systemControls ?? []).some(isOfHost(mode, ipcMode))))
    throw clientException('systemControls cannot set parameters of a namespace that is shared with the host.')
}

/** `net.*` belongs to the network namespace, all others that are allowed to that of IPC. */
const isOfHost =
  (networkMode: string, ipcMode: string | undefined) =>
  ({ namespace = '' }: { readonly namespace?: string | undefined }): boolean =>
    namespace.startsWith('net.') ? networkMode === 'host' : ipcMode === 'host'

const isSet = (value: boolean | string | readonly unknown[] | undefined): boolean =>
  typeof value === 'boolean' ? value : (value?.length ?? 0) > 0

function validatePlacementConstraints({ placementConstraints }: NormalizedDefinition): void {
  if (placementConstraints.length > placementConstraintsPerTask)
    throw clientException(`A task can have at most ${placementConstraintsPerTask} placement constraints.`)
  const problem = placementConstraintsProblem(placementConstraints)
  if (problem !== undefined) throw clientException(problem)
}

function validateEphemeralStorage({ ephemeralStorage, requiresCompatibilities }: NormalizedDefinition): void {
  if (ephemeralStorage === undefined) return
  if (!requiresCompatibilities?.includes('FARGATE'))
    throw clientException('ephemeralStorage can only be specified for a task definition that requires FARGATE.')
  const { min, max } = ephemeralStorageGib
  const { sizeInGiB = 0 } = ephemeralStorage
  if (sizeInGiB < min || sizeInGiB > max)
    throw clientException(`ephemeralStorage.sizeInGiB must be from ${min} to ${max}.`)
}
