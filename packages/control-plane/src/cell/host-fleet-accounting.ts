import type { Demand } from '../scheduler/demand.ts'
import type { HostDescription, HostState } from '../scheduler/host-description.ts'
import { HostFleet } from '../scheduler/host-fleet.ts'
import { type ClaimRecord, type HostRecord, holdsClaim, type TaskRecord } from './records.ts'
import type { Change } from './tables.ts'

/** The pool of hosts that run FARGATE tasks, of whatever cluster. */
export const fargatePool = 'fargate'

/** The pool of hosts that run the EC2 tasks of a cluster: its container instances. */
export const ec2Pool = (cluster: string): string => `ec2/${cluster}`

/**
 * Keeps the scheduler's fleet in step with the records of hosts and tasks: what was put there is claimed, what was ended or
 * undone is given back. A host's resources are counted once, whichever pools it is in.
 */
export class HostFleetAccounting {
  readonly hosts = new HostFleet()

  /** Takes a change of a record into account. Undoing a change is following its reverse. */
  follow(change: Change): void {
    if (change.table === 'hosts') this.#followHost(change.before, change.after)
    else if (change.table === 'tasks') this.#followTask(change.before, change.after)
  }

  #followHost(before: HostRecord | undefined, after: HostRecord | undefined): void {
    if (after === undefined || after.status === 'INACTIVE') {
      if (before !== undefined) this.hosts.removeHost(before.id)
      return
    }
    if (before !== undefined && before.status !== 'INACTIVE' && describesTheSame(before, after))
      this.hosts.setHostState(after.id, hostState(after))
    else this.hosts.putHost(hostDescription(after), hostState(after))
  }

  #followTask(before: TaskRecord | undefined, after: TaskRecord | undefined): void {
    const held = before !== undefined && holdsClaim(before)
    const holds = after !== undefined && holdsClaim(after)
    if (held === holds) return
    if (held) this.hosts.release(before.id)
    else if (holds) this.#claim(after)
  }

  /** Tasks of a host that is gone hold nothing: there is nothing left to hold. */
  #claim(task: TaskRecord): void {
    if (task.hostId === undefined || this.hosts.slotOf(task.hostId) === undefined) return
    this.hosts.claim(task.hostId, task.id, claimedDemand(task.claim), {
      group: task.group,
      dynamicPorts: task.claim.dynamicPorts,
    })
  }
}

/** What a claim amounts to in the scheduler's terms. */
export function claimedDemand(claim: ClaimRecord): Demand {
  return {
    cpu: claim.cpu,
    memory: claim.memoryMib,
    gpus: claim.gpus,
    enis: claim.networkInterfaces,
    ports: claim.ports,
    dynamicPorts: claim.dynamicPorts.length,
  }
}

const hostState = (host: HostRecord): HostState => ({
  agentConnected: host.agentConnected && host.engineHealthy,
  status: host.status,
})

/** Records share what did not change, so that comparing references is enough to see that a description stayed. */
const describesTheSame = (a: HostRecord, b: HostRecord): boolean =>
  a.cpu === b.cpu &&
  a.memoryMib === b.memoryMib &&
  a.gpuIds === b.gpuIds &&
  a.networkInterfaces === b.networkInterfaces &&
  a.reservedTcpPorts === b.reservedTcpPorts &&
  a.reservedUdpPorts === b.reservedUdpPorts &&
  a.dynamicPorts === b.dynamicPorts &&
  a.attributes === b.attributes &&
  a.agentVersion === b.agentVersion &&
  a.offersFargate === b.offersFargate &&
  a.cluster === b.cluster

function hostDescription(host: HostRecord): HostDescription {
  return {
    id: host.id,
    cpu: host.cpu,
    memory: host.memoryMib,
    gpus: host.gpuIds.length,
    enis: host.networkInterfaces,
    reservedPorts: [
      ...host.reservedTcpPorts.map((port) => ({ port, protocol: 'tcp' as const })),
      ...host.reservedUdpPorts.map((port) => ({ port, protocol: 'udp' as const })),
    ],
    dynamicPortRange: host.dynamicPorts,
    attributes: new Map(host.attributes.map(({ name, value }) => [name, value ?? null])),
    ec2InstanceId: host.ec2InstanceId,
    agentVersion: host.agentVersion,
    registeredAt: host.registeredAt,
    pools: host.offersFargate ? [ec2Pool(host.cluster), fargatePool] : [ec2Pool(host.cluster)],
  }
}
