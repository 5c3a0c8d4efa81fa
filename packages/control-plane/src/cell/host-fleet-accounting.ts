import type { Demand } from '../scheduler/demand.ts'
import type { HostDescription, HostState } from '../scheduler/host-description.ts'
import { HostFleet, type TaskClaim } from '../scheduler/host-fleet.ts'
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
  /** Claims on hosts that are not there (any more, or yet), by task: they are taken up when the host comes, as when its end is undone. */
  readonly #onAbsentHosts = new Map<string, TaskClaim>()
  /** What the newest claim amounts to: tasks of one launch, which come together, share their claim, and so share this. */
  #newest: { readonly claim: ClaimRecord; readonly demand: Demand } | undefined

  /** Takes a change of a record into account. Undoing a change is following its reverse. */
  follow(change: Change): void {
    if (change.table === 'hosts') this.#followHost(change.before, change.after)
    else if (change.table === 'tasks') this.#followTask(change.before, change.after)
  }

  #followHost(before: HostRecord | undefined, after: HostRecord | undefined): void {
    if (after === undefined || after.status === 'INACTIVE') {
      if (before !== undefined) this.#removeHost(before.id)
      return
    }
    if (before !== undefined && before.status !== 'INACTIVE' && describesTheSame(before, after))
      this.hosts.setHostState(after.id, hostState(after))
    else this.#putHost(after)
  }

  #putHost(host: HostRecord): void {
    this.hosts.putHost(hostDescription(host), hostState(host))
    for (const [taskId, claim] of this.#onAbsentHosts) {
      if (claim.hostId !== host.id) continue
      this.#onAbsentHosts.delete(taskId)
      this.hosts.claim(host.id, taskId, claim.demand, claim)
    }
  }

  #removeHost(hostId: string): void {
    for (const taskId of this.hosts.tasksOn(hostId)) {
      const claim = this.hosts.claimOf(taskId)
      if (claim) this.#onAbsentHosts.set(taskId, claim)
    }
    this.hosts.removeHost(hostId)
  }

  #followTask(before: TaskRecord | undefined, after: TaskRecord | undefined): void {
    const held = before !== undefined && holdsClaim(before)
    const holds = after !== undefined && holdsClaim(after)
    if (held && holds && placementGroup(before) === placementGroup(after)) return
    if (held) this.#release(before.id)
    if (holds) this.#claim(after)
  }

  #release(taskId: string): void {
    if (!this.#onAbsentHosts.delete(taskId)) this.hosts.release(taskId)
  }

  #claim(task: TaskRecord): void {
    const { hostId, claim } = task
    if (hostId === undefined) return
    const group = placementGroup(task)
    const taken = { hostId, demand: this.#demandOf(claim), group, dynamicPorts: claim.dynamicPorts }
    if (this.hosts.slotOf(hostId) === undefined) this.#onAbsentHosts.set(task.id, taken)
    else this.hosts.claim(hostId, task.id, taken.demand, taken)
  }

  #demandOf(claim: ClaimRecord): Demand {
    if (this.#newest?.claim !== claim) this.#newest = { claim, demand: claimedDemand(claim) }
    return this.#newest.demand
  }
}

/** No task has a group without a name. */
const noGroup = ''

/**
 * The group that a task counts in when others are placed. A task that is to stop takes its resources until it has, but is in
 * nobody's way: "Amazon ECS looks at the desired status of the tasks for the task placement" (developer guide, on
 * `distinctInstance`).
 */
const placementGroup = ({ desiredStatus, group }: TaskRecord): string => (desiredStatus === 'STOPPED' ? noGroup : group)

/** What a claim amounts to in the scheduler's terms. */
export function claimedDemand(claim: ClaimRecord): Demand {
  return {
    cpu: claim.cpu,
    memory: claim.memoryMib,
    gpus: claim.gpus,
    enis: claim.networkInterfaces,
    ports: claim.ports,
    dynamicPorts: claim.dynamicPorts.length,
    ...(claim.custom !== undefined && { custom: new Map(Object.entries(claim.custom)) }),
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
  a.custom === b.custom &&
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
    ...(Object.keys(host.custom ?? {}).length > 0 && { custom: new Map(Object.entries(host.custom ?? {})) }),
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
