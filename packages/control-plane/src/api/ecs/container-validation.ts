import type { ContainerDefinition, HealthCheck, LinuxParameters } from '@aws-sdk/client-ecs'
import { faultOfResourceLabel } from '../../cell/custom-resources.ts'
import { type ApiError, clientException } from '../errors.ts'
import { validateEnvironment } from './environment-validation.ts'

/** Docker refuses less since 20.10. MiB. */
const leastMemoryMib = 6

/** Linux capabilities that Docker knows, as the API reference of KernelCapabilities lists them. */
const capabilities = new Set(
  (
    'ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK ' +
    'IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW ' +
    'SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO ' +
    'SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG SYSLOG WAKE_ALARM'
  ).split(' '),
)

/** What a number in a container's definition may be, both ends included. Where the guide gives no upper end there is none. */
interface Range {
  readonly field: string
  readonly value: number | undefined
  readonly min: number
  readonly max?: number
}

/**
 * Refuses a container that ECS, or Docker behind it, would refuse whatever else is in the task.
 *
 * @throws ClientException with ECS's text where it is known.
 */
export function validateContainer(container: ContainerDefinition): void {
  const { name, image } = container
  if (name === undefined || name === '') throw clientException('Container.name should not be null or empty.')
  if (!/^[a-zA-Z0-9_-]{1,255}$/.test(name))
    throw clientException(
      'Container.name contains invalid characters. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.',
    )
  if (image === undefined || image.trim() === '') throw clientException('Container.image should not be null or empty.')

  for (const range of rangesOf(container)) assertInRange(name, range)
  validateMemory(name, container)
  validateGpus(name, container)
  validateResourceLabels(name, container)
  if (container.healthCheck !== undefined) validateHealthCheck(name, container.healthCheck)
  if (container.linuxParameters !== undefined) validateCapabilities(name, container.linuxParameters)
  for (const { name: limit, softLimit = 0, hardLimit = 0 } of container.ulimits ?? [])
    if (hardLimit !== -1 && (softLimit === -1 || softLimit > hardLimit))
      throw invalidSetting('ulimits', name, `The soft limit of '${limit}' cannot be greater than its hard limit.`)
  validateEnvironment(name, container)
  for (const { namespace } of container.systemControls ?? [])
    if (!/^(net\.|fs\.mqueue\.|kernel\.(msg(max|mnb|mni)|sem|shm(all|max|mni|_rmid_forced))$)/.test(namespace ?? ''))
      throw invalidSetting('systemControls', name, `'${namespace}' is not a namespaced kernel parameter.`)
}

function rangesOf(container: ContainerDefinition): readonly Range[] {
  const { healthCheck, restartPolicy, linuxParameters } = container
  return [
    { field: 'cpu', value: container.cpu, min: 0 },
    { field: 'memory', value: container.memory, min: leastMemoryMib },
    { field: 'memoryReservation', value: container.memoryReservation, min: leastMemoryMib },
    { field: 'startTimeout', value: container.startTimeout, min: 0 },
    { field: 'stopTimeout', value: container.stopTimeout, min: 0 },
    { field: 'healthCheck.interval', value: healthCheck?.interval, min: 5, max: 300 },
    { field: 'healthCheck.timeout', value: healthCheck?.timeout, min: 2, max: 60 },
    { field: 'healthCheck.retries', value: healthCheck?.retries, min: 1, max: 10 },
    { field: 'healthCheck.startPeriod', value: healthCheck?.startPeriod, min: 0, max: 300 },
    { field: 'restartPolicy.restartAttemptPeriod', value: restartPolicy?.restartAttemptPeriod, min: 60, max: 1800 },
    { field: 'restartPolicy.ignoredExitCodes', value: restartPolicy?.ignoredExitCodes?.length, min: 0, max: 50 },
    { field: 'linuxParameters.sharedMemorySize', value: linuxParameters?.sharedMemorySize, min: 1 },
    { field: 'linuxParameters.maxSwap', value: linuxParameters?.maxSwap, min: 0 },
    { field: 'linuxParameters.swappiness', value: linuxParameters?.swappiness, min: 0, max: 100 },
    ...(linuxParameters?.tmpfs ?? []).map(({ size }) => ({ field: 'linuxParameters.tmpfs.size', value: size, min: 1 })),
  ]
}

function assertInRange(container: string, { field, value, min, max }: Range): void {
  if (value === undefined || (value >= min && (max === undefined || value <= max))) return
  const allowed = max === undefined ? `at least ${min}` : `from ${min} to ${max}`
  throw invalidSetting(field, container, `It must be ${allowed}.`)
}

function validateMemory(name: string, { memory, memoryReservation, linuxParameters }: ContainerDefinition): void {
  if (memory !== undefined && memoryReservation !== undefined && memoryReservation > memory)
    throw invalidSetting('memoryReservation', name, "It cannot be greater than 'memory'.")
  if (linuxParameters?.maxSwap !== undefined && linuxParameters.maxSwap > 0 && memory === undefined)
    throw invalidSetting('linuxParameters.maxSwap', name, "'memory' must be specified with it.")
}

function validateGpus(name: string, { resourceRequirements = [] }: ContainerDefinition): void {
  const gpus = resourceRequirements.filter(({ type }) => type === 'GPU')
  if (gpus.length > 1) throw invalidSetting('resourceRequirements', name, 'Only one GPU requirement can be specified.')
  for (const { value } of gpus)
    if (value === undefined || !/^[1-9]\d{0,3}$/.test(value))
      throw invalidSetting('resourceRequirements', name, 'The number of GPUs must be a positive integer.')
}

function validateResourceLabels(name: string, { dockerLabels = {} }: ContainerDefinition): void {
  for (const [label, value] of Object.entries(dockerLabels)) {
    const fault = faultOfResourceLabel(label, value)
    if (fault !== undefined) throw invalidSetting(`dockerLabels.${label}`, name, fault)
  }
}

function validateHealthCheck(name: string, { command = [] }: HealthCheck): void {
  if (command[0] !== 'CMD' && command[0] !== 'CMD-SHELL')
    throw invalidSetting('healthCheck.command', name, 'It must start with CMD or CMD-SHELL.')
  if (command.length < 2 || (command[0] === 'CMD-SHELL' && command.length > 2))
    throw invalidSetting('healthCheck.command', name, `${command[0]} must be followed by a command.`)
}

function validateCapabilities(name: string, { capabilities: changed }: LinuxParameters): void {
  for (const capability of [...(changed?.add ?? []), ...(changed?.drop ?? [])])
    if (!capabilities.has(capability))
      throw invalidSetting('linuxParameters.capabilities', name, `'${capability}' is not a Linux capability.`)
}

const invalidSetting = (field: string, container: string, why: string): ApiError =>
  clientException(`Invalid '${field}' setting for container '${container}'. ${why}`)
