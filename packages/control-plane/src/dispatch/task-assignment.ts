import type * as ecs from '@aws-sdk/client-ecs'
import { clusterArn, type ArnScope } from '@berth/shared/arn.ts'
import {
  ContainerSpec,
  DockerVolume,
  HealthCheck,
  LinuxParameters,
  NetworkMode,
  TaskAssignment,
  type VolumeSpec,
} from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { arnOfContainer, arnOfTask } from '../cell/task-arns.ts'
import { needsResources } from '../task-resources/container-resources.ts'
import type { TaskContainerRecord, TaskDefinitionRecord, TaskRecord } from '../cell/records.ts'

const networkModes: Readonly<Record<string, NetworkMode>> = {
  none: NetworkMode.NETWORK_MODE_NONE,
  bridge: NetworkMode.NETWORK_MODE_BRIDGE,
  host: NetworkMode.NETWORK_MODE_HOST,
  awsvpc: NetworkMode.NETWORK_MODE_AWSVPC,
}

/**
 * What a host is told about a task: its definition with the overrides applied, the ports that were granted and the image digests
 * (by container) that are pinned. A task that must
 * stop is sent whole as well, so that a host that never had it can say that it stopped.
 */
export function taskAssignment(
  task: TaskRecord,
  definition: TaskDefinitionRecord,
  scope: ArnScope,
  digests: ReadonlyMap<string, string>,
): TaskAssignment {
  const { definition: declared } = definition
  const overridden = new Map((task.overrides.containerOverrides ?? []).map((override) => [override.name, override]))
  const specs = new Map((declared.containerDefinitions ?? []).map((container) => [container.name, container]))
  const assignment = TaskAssignment.fromPartial({
    taskArn: arnOfTask(scope, task),
    clusterArn: clusterArn(scope, task.cluster),
    taskDefinitionArn: task.taskDefinitionArn,
    family: task.family,
    revision: task.revision,
    shouldRun: task.desiredStatus === 'RUNNING',
    stopReason: task.stoppedReason ?? '',
    launchType: task.launchType,
    networkMode: taskNetworkMode(task, declared),
    ...taskLimits(task, declared),
    volumes: (declared.volumes ?? []).map(volumeSpec),
    pidMode: declared.pidMode ?? '',
    ipcMode: declared.ipcMode ?? '',
    networkInterfaceId: task.networkInterface?.networkInterfaceId ?? '',
    group: task.group,
    serviceName: task.serviceName ?? '',
  })
  // Not by way of `fromPartial`, which would copy each of them once more.
  assignment.containers = task.containers.map((container) => {
    const declared = specs.get(container.name) ?? {}
    const imageDigest = digests.get(container.name) ?? ''
    return {
      ...declaredSpec(declared, overridden.get(container.name)),
      ...ownSpec(scope, task, container),
      imageDigest,
    }
  })
  return assignment
}

/**
 * The limits that hold for the task as a whole. FARGATE has them always; an EC2 task only where its definition or an override names them: what it shows
 * as its size is else the sum of its containers, whose CPU is a share and no limit.
 */
function taskLimits(task: TaskRecord, declared: TaskDefinitionRecord['definition']) {
  const { cpu, memory } = task.launchType === 'FARGATE' ? task : { cpu: undefined, memory: undefined }
  return {
    cpu: Number(cpu ?? task.overrides.cpu ?? declared.cpu ?? 0),
    memoryMib: Number(memory ?? task.overrides.memory ?? declared.memory ?? 0),
  }
}

/** A task with an interface of its own is an awsvpc task, also when FARGATE made it one without its definition saying so. */
const taskNetworkMode = (task: TaskRecord, declared: TaskDefinitionRecord['definition']): NetworkMode =>
  task.networkInterface
    ? NetworkMode.NETWORK_MODE_AWSVPC
    : (networkModes[declared.networkMode ?? 'bridge'] ?? NetworkMode.NETWORK_MODE_BRIDGE)

/** What differs between the containers of tasks of one definition. */
const ownSpec = (scope: ArnScope, task: TaskRecord, container: TaskContainerRecord) => ({
  name: container.name,
  containerArn: arnOfContainer(scope, task, container),
  image: container.image,
  cpu: container.cpu,
  memoryMib: container.memory ?? 0,
  memoryReservationMib: container.memoryReservation ?? 0,
  essential: container.essential,
  ports: container.portGrants.map((grant) => ({ ...grant, name: grant.name ?? '' })),
  gpuIds: [...container.gpuIds],
})

const specsOfDeclared = new WeakMap<ecs.ContainerDefinition, ContainerSpec>()

/** What a definition and an override make of a container. Where nothing is overridden it is worked out once for all tasks. */
function declaredSpec(declared: ecs.ContainerDefinition, override: ecs.ContainerOverride | undefined): ContainerSpec {
  if (override !== undefined && Object.keys(override).some((member) => member !== 'name'))
    return overriddenSpec(declared, override)
  const known = specsOfDeclared.get(declared)
  if (known) return known
  const spec = overriddenSpec(declared, undefined)
  specsOfDeclared.set(declared, spec)
  return spec
}

function overriddenSpec(declared: ecs.ContainerDefinition, override: ecs.ContainerOverride | undefined): ContainerSpec {
  const command = override?.command ?? declared.command
  return ContainerSpec.fromPartial({
    ...(declared.entryPoint?.length && { entryPoint: { values: declared.entryPoint } }),
    ...(command?.length && { command: { values: command } }),
    environment: environment(declared.environment ?? [], override?.environment ?? []),
    mountPoints: (declared.mountPoints ?? []).map((mount) => ({
      sourceVolume: mount.sourceVolume ?? '',
      containerPath: mount.containerPath ?? '',
      readOnly: mount.readOnly ?? false,
    })),
    volumesFrom: (declared.volumesFrom ?? []).map((from) => ({
      sourceContainer: from.sourceContainer ?? '',
      readOnly: from.readOnly ?? false,
    })),
    workingDirectory: declared.workingDirectory ?? '',
    user: declared.user ?? '',
    hostname: declared.hostname ?? '',
    privileged: declared.privileged ?? false,
    readonlyRootFilesystem: declared.readonlyRootFilesystem ?? false,
    dnsServers: declared.dnsServers ?? [],
    dnsSearchDomains: declared.dnsSearchDomains ?? [],
    extraHosts: (declared.extraHosts ?? []).map((entry) => ({
      hostname: entry.hostname ?? '',
      ipAddress: entry.ipAddress ?? '',
    })),
    links: declared.links ?? [],
    dockerLabels: Object.entries(declared.dockerLabels ?? {}).map(([key, value]) => ({ key, value })),
    dockerSecurityOptions: declared.dockerSecurityOptions ?? [],
    ulimits: (declared.ulimits ?? []).map((limit) => ({
      name: limit.name ?? '',
      soft: limit.softLimit ?? 0,
      hard: limit.hardLimit ?? 0,
    })),
    systemControls: (declared.systemControls ?? []).map((control) => ({
      key: control.namespace ?? '',
      value: control.value ?? '',
    })),
    ...(declared.linuxParameters && { linuxParameters: linuxParameters(declared.linuxParameters) }),
    ...(declared.healthCheck && { healthCheck: healthCheck(declared.healthCheck) }),
    dependsOn: (declared.dependsOn ?? []).map((dependency) => ({
      containerName: dependency.containerName ?? '',
      condition: dependency.condition ?? 'START',
    })),
    startTimeoutS: declared.startTimeout ?? 0,
    stopTimeoutS: declared.stopTimeout ?? 0,
    ...(declared.restartPolicy && {
      restartPolicy: {
        enabled: declared.restartPolicy.enabled ?? false,
        ignoredExitCodes: declared.restartPolicy.ignoredExitCodes ?? [],
        attemptPeriodS: declared.restartPolicy.restartAttemptPeriod ?? 300,
      },
    }),
    ...(declared.logConfiguration && {
      logConfiguration: {
        driver: declared.logConfiguration.logDriver ?? '',
        options: Object.entries(declared.logConfiguration.options ?? {}).map(([key, value]) => ({ key, value })),
      },
    }),
    interactive: declared.interactive ?? false,
    pseudoTerminal: declared.pseudoTerminal ?? false,
    disableNetworking: declared.disableNetworking ?? false,
    needsResources: needsResources({ declared, override }),
  })
}

/** Overrides replace variables of the same name and add the others. */
function environment(declared: readonly ecs.KeyValuePair[], override: readonly ecs.KeyValuePair[]) {
  const variables = new Map<string, string>()
  for (const { name, value } of [...declared, ...override]) if (name !== undefined) variables.set(name, value ?? '')
  return Array.from(variables, ([key, value]) => ({ key, value }))
}

/** Defaults as ECS's (API reference, HealthCheck). */
const healthCheck = (declared: ecs.HealthCheck): HealthCheck =>
  HealthCheck.fromPartial({
    command: declared.command ?? [],
    intervalS: declared.interval ?? 30,
    timeoutS: declared.timeout ?? 5,
    retries: declared.retries ?? 3,
    startPeriodS: declared.startPeriod ?? 0,
  })

const linuxParameters = (declared: ecs.LinuxParameters): LinuxParameters =>
  LinuxParameters.fromPartial({
    capabilitiesAdd: declared.capabilities?.add ?? [],
    capabilitiesDrop: declared.capabilities?.drop ?? [],
    devices: (declared.devices ?? []).map((device) => ({
      hostPath: device.hostPath ?? '',
      containerPath: device.containerPath ?? device.hostPath ?? '',
      permissions: device.permissions ?? ['read', 'write', 'mknod'],
    })),
    initProcessEnabled: declared.initProcessEnabled ?? false,
    sharedMemoryMib: declared.sharedMemorySize ?? 0,
    tmpfs: (declared.tmpfs ?? []).map((mount) => ({
      containerPath: mount.containerPath ?? '',
      sizeMib: mount.size ?? 0,
      mountOptions: mount.mountOptions ?? [],
    })),
    ...(declared.maxSwap !== undefined && { maxSwapMib: declared.maxSwap }),
    ...(declared.swappiness !== undefined && { swappiness: declared.swappiness }),
  })

function volumeSpec(volume: ecs.Volume): VolumeSpec {
  const { name = '', dockerVolumeConfiguration: docker, efsVolumeConfiguration: efs } = volume
  if (efs) {
    const value = { fileSystemId: efs.fileSystemId ?? '', rootDirectory: efs.rootDirectory ?? '/' }
    return { name, source: { $case: 'efs', value } }
  }
  if (!docker) return { name, source: { $case: 'hostPath', value: volume.host?.sourcePath ?? '' } }
  const value = DockerVolume.fromPartial({
    scope: docker.scope ?? 'task',
    autoprovision: docker.autoprovision ?? false,
    driver: docker.driver ?? 'local',
    driverOpts: Object.entries(docker.driverOpts ?? {}).map(([key, value]) => ({ key, value })),
    labels: Object.entries(docker.labels ?? {}).map(([key, value]) => ({ key, value })),
  })
  return { name, source: { $case: 'docker', value } }
}
