import type { PortClaim } from './demand.ts'

/** What a host is: everything about it that does not change with the tasks on it. */
export interface HostDescription {
  /** The container instance's id, unique in the fleet. */
  readonly id: string
  /** CPU units that tasks may take: the machine's, less what is reserved. */
  readonly cpu: number
  /** MiB that tasks may take: the machine's, less what is reserved. */
  readonly memory: number
  readonly gpus: number
  /** How many `awsvpc` tasks the host can give an address of their own. */
  readonly enis: number
  /** Ports no task may have (22, the Docker socket's, the agent's, and what the host reserves beside). */
  readonly reservedPorts: readonly PortClaim[]
  /** The range that dynamic host ports are picked from; 49153 to 65535 when absent, as ECS's own. */
  readonly dynamicPortRange?: { readonly first: number; readonly last: number }
  /** Integer resources by name, beyond the ones above. */
  readonly custom?: ReadonlyMap<string, number>
  /** Attributes by name; `null` is an attribute without a value. */
  readonly attributes: ReadonlyMap<string, string | null>
  readonly ec2InstanceId: string
  readonly agentVersion: string
  /** When the host registered, in ms since the epoch. */
  readonly registeredAt: number
  /** The sets of hosts this one belongs to: the EC2 hosts of a cluster, the FARGATE pool, ... A request names one. */
  readonly pools: readonly string[]
}

/** The statuses of a container instance. Only an ACTIVE one is given new tasks. */
export type HostStatus = 'REGISTERING' | 'ACTIVE' | 'DRAINING' | 'DEREGISTERING' | 'INACTIVE'

/** What about a host changes without it registering anew. */
export interface HostState {
  readonly agentConnected: boolean
  readonly status: HostStatus
}

/** The attribute that names a host's availability zone. */
export const ZONE_ATTRIBUTE = 'ecs.availability-zone'
