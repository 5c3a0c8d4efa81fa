/** What a container is labelled with, so that it is found again by an agent that starts with an empty memory. */
export interface ContainerIdentity {
  /** The task's ARN. */
  readonly taskArn: string
  /** The name in the task definition; `~internal~pause` for the container that holds a task's network. */
  readonly containerName: string
  /** `ecs-<family>-<revision>-<task id>-<container>`: equal on every try, so that "already exists" means adopt. */
  readonly runtimeName: string
}

export interface PortPublication {
  /** Address of the host that the port is bound on. */
  readonly hostIp: string
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp'
}

/** Whose network a container has. */
export type ContainerNetwork =
  | { readonly kind: 'none' }
  | { readonly kind: 'host' }
  | { readonly kind: 'bridge'; readonly links: readonly string[] }
  /** An address of its own on the task network; for the pause container of an awsvpc task. */
  | { readonly kind: 'task' }
  /** That of another container, by its runtime id. */
  | { readonly kind: 'container'; readonly runtimeId: string }

export interface MountSpec {
  readonly kind: 'bind' | 'volume' | 'tmpfs'
  /** A host path for `bind`, a volume name for `volume`. */
  readonly source?: string
  readonly target: string
  readonly readOnly: boolean
  readonly options?: readonly string[]
  readonly sizeMib?: number
}

/** Bounds of a task as a whole, as far as it has them. */
export interface TaskLimits {
  /** CPU units (1024 = a core). */
  readonly cpu?: number
  readonly memoryMib?: number
}

/** All that the engine needs to make a container. Absent members take the engine's own defaults. */
export interface ContainerCreate {
  readonly identity: ContainerIdentity
  /** An image id or digest reference that is present, as `pull` returned it. */
  readonly image: string
  readonly labels: Readonly<Record<string, string>>
  readonly environment: readonly string[]
  readonly entryPoint?: readonly string[]
  readonly command?: readonly string[]
  readonly workingDirectory?: string
  readonly user?: string
  readonly hostname?: string
  /** Relative weight; 0 takes the engine's smallest. */
  readonly cpuShares: number
  /** Upper bound in CPU units (1024 = a core); absent for none. */
  readonly cpuLimit?: number
  readonly memoryMib?: number
  readonly memoryReservationMib?: number
  readonly network: ContainerNetwork
  readonly ports: readonly PortPublication[]
  readonly mounts: readonly MountSpec[]
  readonly volumesFrom: readonly string[]
  readonly privileged: boolean
  readonly readonlyRootFilesystem: boolean
  readonly dnsServers: readonly string[]
  readonly dnsSearchDomains: readonly string[]
  readonly extraHosts: readonly string[]
  readonly securityOptions: readonly string[]
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[]
  readonly systemControls: Readonly<Record<string, string>>
  readonly capabilitiesAdd: readonly string[]
  readonly capabilitiesDrop: readonly string[]
  readonly devices: readonly {
    readonly hostPath: string
    readonly containerPath: string
    readonly permissions: string
  }[]
  readonly init: boolean
  readonly sharedMemoryMib?: number
  readonly maxSwapMib?: number
  readonly swappiness?: number
  readonly pidMode?: string
  readonly ipcMode?: string
  readonly cgroupParent?: string
  /** What all containers of the task may use together; absent for no bound. */
  readonly taskLimits?: TaskLimits
  readonly interactive: boolean
  readonly pseudoTerminal: boolean
  readonly gpuIds: readonly string[]
  readonly logDriver?: string
  readonly logOptions: Readonly<Record<string, string>>
  readonly healthCheck?: {
    readonly command: readonly string[]
    readonly intervalMs: number
    readonly timeoutMs: number
    readonly retries: number
    readonly startPeriodMs: number
  }
}

export type HealthStatus = 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN'

/** A container as the runtime has it now. The list of these is the truth; events are hints. */
export interface ContainerSnapshot {
  readonly runtimeId: string
  readonly taskArn: string
  readonly containerName: string
  readonly runtimeName: string
  readonly state: 'created' | 'running' | 'exited'
  readonly exitCode?: number
  readonly oomKilled: boolean
  /** What the engine says went wrong at start; empty for none. */
  readonly error: string
  readonly health: HealthStatus
  /** ms since the epoch. */
  readonly startedAt?: number
  readonly finishedAt?: number
  readonly imageId: string
  readonly ports: readonly PortPublication[]
  /** Address on the bridge or task network. */
  readonly address?: string
  readonly macAddress?: string
  readonly restartCount: number
}

/** Something happened to a container: look at it again. */
export interface ContainerEvent {
  readonly runtimeId: string
  readonly taskArn: string
  readonly containerName: string
  readonly kind: 'created' | 'started' | 'died' | 'removed' | 'health'
  /** For `died`. */
  readonly exitCode?: number
  readonly health?: HealthStatus
}

export interface PulledImage {
  /** What to create containers from. */
  readonly imageId: string
  /** `sha256:...` of the repository digest; empty where the image has none, as one that was made locally. */
  readonly digest: string
}

export interface PullRequest {
  readonly image: string
  /** As ECS_IMAGE_PULL_BEHAVIOR. */
  readonly behavior: 'default' | 'always' | 'once' | 'prefer-cached'
  readonly credentials?: { readonly username: string; readonly password: string }
}

export interface RuntimeInfo {
  readonly version: string
  readonly liveRestore: boolean
  readonly operatingSystem: string
  readonly architecture: string
  readonly cpus: number
  readonly memoryMib: number
  readonly logDrivers: readonly string[]
  readonly volumeDrivers: readonly string[]
}

export type RuntimeFault =
  /** The engine does not answer: nothing is known, try again. */
  | 'unavailable'
  | 'not-found'
  /** A host port is taken by somebody else. */
  | 'port-taken'
  /** The name belongs to a container that is not ours. */
  | 'name-taken'
  | 'timeout'
  /** The engine refused; the message says why. */
  | 'refused'

/** What every operation of a runtime fails with. */
export class RuntimeError extends Error {
  readonly fault: RuntimeFault
  constructor(fault: RuntimeFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RuntimeError'
    this.fault = fault
  }
}

/**
 * Where containers run: Docker, or a script for labs and simulations. Every operation can be repeated: creating what
 * exists adopts it, starting what runs and stopping or removing what is gone succeeds.
 *
 * @throws RuntimeError from every operation; the signal's reason when it aborts.
 */
export interface ContainerRuntime {
  info(signal: AbortSignal): Promise<RuntimeInfo>
  /** Makes the image present, by the rule given, and says what to create from. */
  pull(request: PullRequest, signal: AbortSignal): Promise<PulledImage>
  /** The runtime id of the container, made now or found. */
  create(container: ContainerCreate, signal: AbortSignal): Promise<string>
  start(runtimeId: string, signal: AbortSignal): Promise<void>
  /** Sends the stop signal and, after `timeoutMs`, kills. Resolves when it no longer runs. */
  stop(runtimeId: string, timeoutMs: number, signal: AbortSignal): Promise<void>
  kill(runtimeId: string, signal: AbortSignal): Promise<void>
  remove(runtimeId: string, signal: AbortSignal): Promise<void>
  /** `undefined` for one that is gone. */
  inspect(runtimeId: string, signal: AbortSignal): Promise<ContainerSnapshot | undefined>
  /** Every container of this host's tasks, whatever its state. */
  list(signal: AbortSignal): Promise<readonly ContainerSnapshot[]>
  /**
   * Calls `onEvent` for this host's containers until the signal aborts; calls `onGap` each time the stream was
   * (re)established, since what happened in between is only in the list. Never rejects but by the signal.
   */
  watch(onEvent: (event: ContainerEvent) => void, onGap: () => void, signal: AbortSignal): Promise<void>
  /** Makes a Docker volume of this name, if there is none. */
  createVolume(volume: VolumeCreate, signal: AbortSignal): Promise<void>
  removeVolume(name: string, signal: AbortSignal): Promise<void>
  /** Makes sure of whatever holds a task's network (the pause image and the task bridge), and returns what to create it from. */
  preparePause(signal: AbortSignal): Promise<PulledImage>
  removeImage(imageId: string, signal: AbortSignal): Promise<void>
}

export interface VolumeCreate {
  readonly name: string
  readonly driver: string
  readonly driverOptions: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}
