import { shortName } from '@berth/shared/arn.ts'
import {
  type ContainerSpec,
  type KeyValue,
  NetworkMode,
  type TaskAssignment,
} from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type {
  ContainerCreate,
  ContainerIdentity,
  ContainerNetwork,
  MountSpec,
  PortPublication,
  TaskLimits,
} from '../runtime/container-runtime.ts'
import type { ContainerResources } from './container-resources.ts'
import { pauseContainerName, usesTaskNetwork } from './task-state.ts'
import { runtimeName, taskId } from './task-names.ts'
import { volumeName } from './task-volumes.ts'

/** What a container is made from beside its task's assignment. */
export interface CreateContext {
  readonly imageId: string
  /** Empty where the task has no pause container. */
  readonly pauseRuntimeId: string
  /** The address that host ports are bound on. */
  readonly hostAddress: string
  readonly resources?: ContainerResources
  /** Variables that tell it where its agent's endpoints are. */
  readonly endpointVariables?: Readonly<Record<string, string>>
}

/** What the runtime is asked to create for one container of a task. */
export function containerCreate(
  assignment: TaskAssignment,
  spec: ContainerSpec,
  context: CreateContext,
): ContainerCreate {
  const linux = spec.linuxParameters
  return {
    identity: containerIdentity(assignment, spec.name),
    image: context.imageId,
    labels: { ...record(spec.dockerLabels), ...ecsLabels(assignment, spec.name) },
    environment: environment(assignment, spec, context),
    cpuShares: spec.cpu,
    network: containerNetwork(assignment, spec, context),
    ports: portPublications(assignment, spec, context.hostAddress),
    mounts: mounts(assignment, spec),
    volumesFrom: spec.volumesFrom.map(
      (from) => runtimeName(assignment, from.sourceContainer) + (from.readOnly ? ':ro' : ''),
    ),
    privileged: spec.privileged,
    readonlyRootFilesystem: spec.readonlyRootFilesystem,
    ...(sharesNetwork(assignment) ? noNames : namesOf([spec])),
    securityOptions: spec.dockerSecurityOptions,
    ulimits: spec.ulimits,
    systemControls: record(spec.systemControls.filter((control) => !isHeldByPause(assignment, control))),
    capabilitiesAdd: linux?.capabilitiesAdd ?? [],
    capabilitiesDrop: linux?.capabilitiesDrop ?? [],
    devices: (linux?.devices ?? []).map((device) => ({
      hostPath: device.hostPath,
      containerPath: device.containerPath || device.hostPath,
      permissions: device.permissions.map((permission) => devicePermissions[permission] ?? '').join('') || 'rwm',
    })),
    init: linux?.initProcessEnabled ?? false,
    interactive: spec.interactive,
    pseudoTerminal: spec.pseudoTerminal,
    gpuIds: spec.gpuIds,
    logOptions: record([...(spec.logConfiguration?.options ?? []), ...(context.resources?.logOptions ?? [])]),
    ...limits(assignment, spec),
    // Apart, since they are few in most containers: an object that is put together of forty members takes 2 KB.
    ...defined<Partial<ContainerCreate>>({
      entryPoint: spec.entryPoint?.values,
      command: spec.command?.values,
      workingDirectory: text(spec.workingDirectory),
      user: text(spec.user),
      hostname: sharesNetwork(assignment) ? undefined : text(spec.hostname),
      taskLimits: taskLimits(assignment),
      sharedMemoryMib: linux?.sharedMemoryMib || undefined,
      maxSwapMib: linux?.maxSwapMib,
      swappiness: linux?.swappiness,
      pidMode: namespaceMode(assignment.pidMode, context),
      ipcMode: namespaceMode(assignment.ipcMode, context),
      logDriver: text(spec.logConfiguration?.driver ?? ''),
      healthCheck: spec.healthCheck && {
        command: spec.healthCheck.command,
        intervalMs: spec.healthCheck.intervalS * 1000,
        timeoutMs: spec.healthCheck.timeoutS * 1000,
        retries: spec.healthCheck.retries,
        startPeriodMs: spec.healthCheck.startPeriodS * 1000,
      },
    }),
  }
}

/**
 * What the runtime is asked to create to hold what the containers of a task share: with its network go names and kernel
 * settings of the network, which a container that shares another's cannot have.
 */
export function pauseCreate(assignment: TaskAssignment, context: CreateContext): ContainerCreate {
  const holdsNetwork = usesTaskNetwork(assignment)
  const heldControls = assignment.containers.flatMap((spec) =>
    spec.systemControls.filter((control) => isHeldByPause(assignment, control)),
  )
  return {
    identity: containerIdentity(assignment, pauseContainerName),
    image: context.imageId,
    labels: ecsLabels(assignment, pauseContainerName),
    environment: [],
    cpuShares: 0,
    network: holdsNetwork ? { kind: 'task' } : { kind: 'none' },
    ports: [],
    mounts: [],
    volumesFrom: [],
    privileged: false,
    readonlyRootFilesystem: false,
    ...(holdsNetwork ? namesOf(assignment.containers) : noNames),
    securityOptions: [],
    ulimits: [],
    systemControls: record(heldControls),
    capabilitiesAdd: [],
    capabilitiesDrop: [],
    devices: [],
    init: false,
    interactive: false,
    pseudoTerminal: false,
    gpuIds: [],
    logOptions: {},
    ...defined<Partial<ContainerCreate>>({
      hostname: holdsNetwork ? taskId(assignment).slice(0, 12) : undefined,
      taskLimits: taskLimits(assignment),
      ipcMode: assignment.ipcMode === 'task' ? 'shareable' : undefined,
    }),
  }
}

/** The reference of an image, with the digest that a deployment has pinned in the place of the tag. */
export function imageReference(spec: ContainerSpec): string {
  if (spec.imageDigest === '' || spec.image.includes('@')) return spec.image
  return `${spec.image.replace(/:[^:/]+$/, '')}@${spec.imageDigest}`
}

export const containerIdentity = (assignment: TaskAssignment, containerName: string): ContainerIdentity => ({
  taskArn: assignment.taskArn,
  containerName,
  runtimeName: runtimeName(assignment, containerName),
})

/** ECS's own labels, in its agent's words. */
export const ecsLabels = (assignment: TaskAssignment, containerName: string): Record<string, string> => ({
  'com.amazonaws.ecs.cluster': shortName(assignment.clusterArn),
  'com.amazonaws.ecs.container-name': containerName,
  'com.amazonaws.ecs.task-arn': assignment.taskArn,
  'com.amazonaws.ecs.task-definition-family': assignment.family,
  'com.amazonaws.ecs.task-definition-version': String(assignment.revision),
})

function environment(assignment: TaskAssignment, spec: ContainerSpec, context: CreateContext): string[] {
  const { resources, endpointVariables } = context
  const launchType = assignment.launchType === 'FARGATE' ? 'AWS_ECS_FARGATE' : 'AWS_ECS_EC2'
  const variables = record([...spec.environment, ...(resources?.environment ?? [])])
  const reachesHost = containerNetwork(assignment, spec, context).kind !== 'none'
  const all = {
    ...variables,
    AWS_EXECUTION_ENV: variables['AWS_EXECUTION_ENV'] ?? launchType,
    ...(reachesHost && endpointVariables),
  }
  return Object.entries(all).map(([key, value]) => `${key}=${value}`)
}

/** A task's own limits bound each of its containers too, as far as these have none: no container finds more than it can use. */
function limits(assignment: TaskAssignment, spec: ContainerSpec) {
  const memoryMib = spec.memoryMib || assignment.memoryMib
  return {
    ...(assignment.cpu > 0 && { cpuLimit: assignment.cpu }),
    ...(memoryMib > 0 && { memoryMib }),
    ...(spec.memoryReservationMib > 0 && { memoryReservationMib: spec.memoryReservationMib }),
  }
}

/** `undefined` for a task that has none: then nothing bounds its containers together. */
const taskLimits = ({ cpu, memoryMib }: TaskAssignment): TaskLimits | undefined =>
  cpu > 0 || memoryMib > 0 ? { ...(cpu > 0 && { cpu }), ...(memoryMib > 0 && { memoryMib }) } : undefined

function containerNetwork(assignment: TaskAssignment, spec: ContainerSpec, context: CreateContext): ContainerNetwork {
  if (usesTaskNetwork(assignment)) return { kind: 'container', runtimeId: context.pauseRuntimeId }
  if (spec.disableNetworking || assignment.networkMode === NetworkMode.NETWORK_MODE_NONE) return { kind: 'none' }
  if (assignment.networkMode === NetworkMode.NETWORK_MODE_HOST) return { kind: 'host' }
  return { kind: 'bridge', links: spec.links.map((link) => linkTo(assignment, link)) }
}

function linkTo(assignment: TaskAssignment, link: string): string {
  const [name = '', alias = name] = link.split(':')
  return `${runtimeName(assignment, name)}:${alias}`
}

function portPublications(assignment: TaskAssignment, spec: ContainerSpec, hostIp: string): PortPublication[] {
  if (containerNetwork(assignment, spec, { imageId: '', pauseRuntimeId: '', hostAddress: '' }).kind !== 'bridge')
    return []
  return spec.ports
    .filter((port) => port.hostPort > 0)
    .map(({ hostPort, containerPort, protocol }) => ({
      hostIp,
      hostPort,
      containerPort,
      // As ECS: what is not udp counts as tcp.
      protocol: protocol === 'udp' ? 'udp' : 'tcp',
    }))
}

function mounts(assignment: TaskAssignment, spec: ContainerSpec): MountSpec[] {
  const mounted = spec.mountPoints.map((mount): MountSpec => {
    const volume = assignment.volumes.find(({ name }) => name === mount.sourceVolume)
    const place = { target: mount.containerPath, readOnly: mount.readOnly }
    if (volume?.source?.$case === 'hostPath' && volume.source.value !== '')
      return { kind: 'bind', source: volume.source.value, ...place }
    return { kind: 'volume', source: volume ? volumeName(assignment, volume) : mount.sourceVolume, ...place }
  })
  const tmpfs = (spec.linuxParameters?.tmpfs ?? []).map((mount): MountSpec => ({
    kind: 'tmpfs',
    target: mount.containerPath,
    readOnly: false,
    options: mount.mountOptions,
    ...(mount.sizeMib > 0 && { sizeMib: mount.sizeMib }),
  }))
  return [...mounted, ...tmpfs]
}

const devicePermissions: Readonly<Record<string, string>> = { read: 'r', write: 'w', mknod: 'm' }

function namespaceMode(mode: string, context: CreateContext): string | undefined {
  return mode === 'task' ? `container:${context.pauseRuntimeId}` : text(mode)
}

const sharesNetwork = usesTaskNetwork

const isHeldByPause = (assignment: TaskAssignment, control: KeyValue): boolean =>
  sharesNetwork(assignment) && control.key.startsWith('net.')

const noNames = { dnsServers: [], dnsSearchDomains: [], extraHosts: [] }

const namesOf = (specs: readonly ContainerSpec[]) => ({
  dnsServers: distinct(specs.flatMap((spec) => spec.dnsServers)),
  dnsSearchDomains: distinct(specs.flatMap((spec) => spec.dnsSearchDomains)),
  extraHosts: distinct(specs.flatMap((spec) => spec.extraHosts.map((host) => `${host.hostname}:${host.ipAddress}`))),
})

const distinct = (values: readonly string[]): readonly string[] => (values.length < 2 ? values : [...new Set(values)])

const record = (pairs: readonly KeyValue[]): Record<string, string> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value]))

const text = (value: string): string | undefined => (value === '' ? undefined : value)

type OrUndefined<T> = { [K in keyof T]: T[K] | undefined }

/** Without the members that are undefined: absent and undefined are not the same to the runtime. */
function defined<T extends object>(members: OrUndefined<T>): T {
  const result: Partial<T> = {}
  for (const name in members) {
    const value = members[name]
    if (value !== undefined) result[name] = value
  }
  return result as T
}
