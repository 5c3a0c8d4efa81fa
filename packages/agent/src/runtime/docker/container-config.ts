import type Docker from 'dockerode'
import type { ContainerCreate, ContainerNetwork, MountSpec, PortPublication } from '../container-runtime.ts'
import { containerNameLabel, hostLabel, runtimeNameLabel, taskArnLabel } from './container-labels.ts'

/** What every container of this host has in common. */
export interface ContainerDefaults {
  readonly hostId: string
  /** Where ports are published that name no address (an empty one). */
  readonly hostAddress: string
  /** The Docker network that pause containers join. */
  readonly taskNetwork: string
  /** Where containers that name none are put in the tree of cgroups; absent for the engine's own place. */
  readonly cgroupParent?: string
}

/** Docker's smallest share: what ECS's `cpu: 0` means on Linux. */
const smallestCpuShares = 2
/** The kernel's smallest quota is 1 ms in Docker's period of 100 ms: a hundredth of a core. */
const smallestNanoCpus = 1e7
const bytesPerMib = 1024 * 1024
const nanosPerMilli = 1_000_000

/** The body of Docker's create call. Members that are absent here take the engine's defaults. */
export function containerConfig(wanted: ContainerCreate, defaults: ContainerDefaults): Docker.ContainerCreateOptions {
  return defined<Docker.ContainerCreateOptions>({
    Image: wanted.image,
    Env: [...wanted.environment],
    Entrypoint: list(wanted.entryPoint),
    Cmd: list(wanted.command),
    WorkingDir: wanted.workingDirectory,
    User: wanted.user,
    Hostname: wanted.hostname,
    Tty: wanted.pseudoTerminal,
    OpenStdin: wanted.interactive,
    // PID 1 of a task's network has no handler for a softer signal, and nothing to put in order.
    StopSignal: wanted.network.kind === 'task' ? 'SIGKILL' : undefined,
    ExposedPorts: Object.fromEntries(wanted.ports.map((port) => [portKey(port), {}])),
    Labels: {
      ...wanted.labels,
      [taskArnLabel]: wanted.identity.taskArn,
      [containerNameLabel]: wanted.identity.containerName,
      [runtimeNameLabel]: wanted.identity.runtimeName,
      [hostLabel]: defaults.hostId,
    },
    Healthcheck: wanted.healthCheck && {
      Test: [...wanted.healthCheck.command],
      Interval: wanted.healthCheck.intervalMs * nanosPerMilli,
      Timeout: wanted.healthCheck.timeoutMs * nanosPerMilli,
      Retries: wanted.healthCheck.retries,
      StartPeriod: wanted.healthCheck.startPeriodMs * nanosPerMilli,
    },
    HostConfig: hostConfig(wanted, defaults),
  })
}

function hostConfig(wanted: ContainerCreate, defaults: ContainerDefaults): Docker.HostConfig {
  return defined<Docker.HostConfig>({
    ...resources(wanted),
    NetworkMode: networkMode(wanted.network, defaults),
    Links: wanted.network.kind === 'bridge' ? list(wanted.network.links) : undefined,
    PortBindings: portBindings(wanted.ports, defaults.hostAddress),
    Binds: list(wanted.mounts.filter((mount) => mount.kind !== 'tmpfs').map(bind)),
    Tmpfs: tmpfs(wanted.mounts),
    VolumesFrom: list(wanted.volumesFrom),
    Privileged: wanted.privileged,
    ReadonlyRootfs: wanted.readonlyRootFilesystem,
    Dns: list(wanted.dnsServers),
    DnsSearch: list(wanted.dnsSearchDomains),
    ExtraHosts: list(wanted.extraHosts),
    SecurityOpt: list(wanted.securityOptions),
    Sysctls: { ...wanted.systemControls },
    CapAdd: list(wanted.capabilitiesAdd),
    CapDrop: list(wanted.capabilitiesDrop),
    Init: wanted.init ? true : undefined,
    PidMode: wanted.pidMode,
    IpcMode: wanted.ipcMode,
    CgroupParent: wanted.cgroupParent ?? defaults.cgroupParent,
    LogConfig:
      wanted.logDriver === undefined ? undefined : { Type: wanted.logDriver, Config: { ...wanted.logOptions } },
    RestartPolicy: { Name: 'no' },
  })
}

function resources(wanted: ContainerCreate) {
  const memory = bytes(wanted.memoryMib)
  return {
    CpuShares: Math.max(smallestCpuShares, wanted.cpuShares),
    NanoCpus:
      wanted.cpuLimit === undefined
        ? undefined
        : Math.max(smallestNanoCpus, Math.round((wanted.cpuLimit / 1024) * 1e9)),
    Memory: memory,
    MemoryReservation: bytes(wanted.memoryReservationMib),
    // Docker counts memory and swap together; ECS's maxSwap is the swap alone.
    MemorySwap:
      memory === undefined || wanted.maxSwapMib === undefined ? undefined : memory + wanted.maxSwapMib * bytesPerMib,
    MemorySwappiness: wanted.swappiness,
    ShmSize: bytes(wanted.sharedMemoryMib),
    Ulimits: list(wanted.ulimits.map((limit) => ({ Name: limit.name, Soft: limit.soft, Hard: limit.hard }))),
    Devices: list(
      wanted.devices.map((device) => ({
        PathOnHost: device.hostPath,
        PathInContainer: device.containerPath,
        CgroupPermissions: device.permissions,
      })),
    ),
    DeviceRequests:
      wanted.gpuIds.length === 0
        ? undefined
        : [{ Driver: 'nvidia', DeviceIDs: [...wanted.gpuIds], Capabilities: [['gpu']] }],
  }
}

function networkMode(network: ContainerNetwork, defaults: ContainerDefaults): string {
  switch (network.kind) {
    case 'task':
      return defaults.taskNetwork
    case 'container':
      return `container:${network.runtimeId}`
    default:
      return network.kind
  }
}

const portKey = (port: PortPublication): string => `${port.containerPort}/${port.protocol}`

function portBindings(ports: readonly PortPublication[], hostAddress: string): Docker.PortMap {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const port of ports) {
    const binding = { HostIp: port.hostIp === '' ? hostAddress : port.hostIp, HostPort: String(port.hostPort) }
    bindings[portKey(port)] = [...(bindings[portKey(port)] ?? []), binding]
  }
  return bindings
}

/** `source:target[:options]`. In this form, other than as a "mount", Docker makes a host path that is absent, as ECS promises. */
function bind(mount: MountSpec): string {
  const options = [...(mount.readOnly ? ['ro'] : []), ...(mount.options ?? [])]
  return [
    ...(mount.source === undefined ? [] : [mount.source]),
    mount.target,
    ...(options.length === 0 ? [] : [options.join(',')]),
  ].join(':')
}

function tmpfs(mounts: readonly MountSpec[]): Record<string, string> | undefined {
  const entries = mounts
    .filter((mount) => mount.kind === 'tmpfs')
    .map((mount) => {
      const size = mount.sizeMib === undefined ? [] : [`size=${mount.sizeMib}m`]
      return [mount.target, [...(mount.readOnly ? ['ro'] : []), ...size, ...(mount.options ?? [])].join(',')] as const
    })
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

const bytes = (mib: number | undefined): number | undefined => (mib === undefined ? undefined : mib * bytesPerMib)

const list = <T>(values: readonly T[] | undefined): T[] | undefined =>
  values === undefined || values.length === 0 ? undefined : [...values]

/** Without the members that are undefined: to Docker, absent and null are not always the same. */
const defined = <T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
