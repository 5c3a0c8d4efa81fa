/** A host port a task must have, or a host withholds. Without `hostIp` it is the port on every address of the host. */
export interface PortClaim {
  readonly hostIp?: string
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
}

/** What one task takes from its host. All integers: CPU units (1024 a core), MiB, whole GPUs. */
export interface Demand {
  /** CPU units: the task's `cpu`, else the sum over its containers. */
  readonly cpu: number
  /** MiB: the task's `memory`, else the sum over its containers of `memoryReservation`, or `memory` where that is absent. */
  readonly memory: number
  readonly gpus: number
  /** Network interface slots: 1 for a task in `awsvpc` mode. */
  readonly enis: number
  /** Static host ports, of bridge and host mode. */
  readonly ports: readonly PortClaim[]
  /** How many host ports must be picked for the task (`hostPort` 0 or absent in bridge mode). */
  readonly dynamicPorts: number
  /** Integer resources that hosts registered by name, beyond the ones above. */
  readonly custom?: ReadonlyMap<string, number>
}

/** A demand of nothing: spread it and set what a task needs. */
export const NO_DEMAND: Demand = { cpu: 0, memory: 0, gpus: 0, enis: 0, ports: [], dynamicPorts: 0 }

/** `80/tcp`, or `10.0.0.1:80/tcp` for a claim on one address. */
export function describePort(claim: PortClaim): string {
  const address = onEveryAddress(claim.hostIp) ? '' : `${claim.hostIp}:`
  return `${address}${claim.port}/${claim.protocol}`
}

/** Whether `hostIp` stands for every address of the host. */
export const onEveryAddress = (hostIp: string | undefined): boolean =>
  hostIp === undefined || hostIp === '' || hostIp === '0.0.0.0' || hostIp === '::'

/** Whether two claims cannot both be met by one host. */
export const portsClash = (a: PortClaim, b: PortClaim): boolean =>
  a.port === b.port &&
  a.protocol === b.protocol &&
  (a.hostIp === b.hostIp || onEveryAddress(a.hostIp) || onEveryAddress(b.hostIp))
