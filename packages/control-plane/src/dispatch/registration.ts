import { containerInstanceArn, parseArn } from '@berth/shared/arn.ts'
import { isCustomResourceName } from '@berth/shared/custom-resource-name.ts'
import type { Attribute, Hello } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { newId, newInstanceId } from '@berth/shared/ids.ts'
import type { Transaction } from '../cell/cell.ts'
import type { HostAttributeRecord, HostRecord } from '../cell/records.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'

/** The protocol of this control plane. It also takes agents that speak the version before, or the one after. */
export const protocolVersion = 1
const firstProtocolVersion = 1

/** Largest capacity that is believed of one host: 2,000 cores, 2 PiB. */
const largestCpu = 2_048_000
const largestMemoryMib = 2 ** 31 - 1

export type RefusalCode =
  | 'UNAUTHENTICATED'
  | 'PROTOCOL_VERSION'
  | 'CLUSTER_NOT_FOUND'
  | 'DEREGISTERED'
  | 'NOT_LEADER'
  | 'BUSY'
  | 'INVALID'

export type Registration =
  /** `wasGivenUp`: its tasks were, while nothing was heard of it. */
  | { readonly kind: 'registered'; readonly host: HostRecord; readonly wasGivenUp: boolean }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string }

export interface SpokenProtocol {
  /** Another version than this control plane's own, in tests of what is one version apart. */
  readonly protocolVersion?: number
}

const refused = (code: RefusalCode, message: string): Registration => ({ kind: 'refused', code, message })

/**
 * Takes a host into its cluster, or back, within a transaction. The same host (by its own id) stays the same container instance
 * however often it comes; attributes that a user put on it stay.
 */
export function registerHost(
  tx: Transaction,
  hello: Hello,
  deps: Pick<ControlPlaneDeps, 'clock' | 'random' | 'scope'> & SpokenProtocol,
): Registration {
  const fault = faultOf(hello, deps.protocolVersion ?? protocolVersion)
  if (fault) return fault
  const cluster = tx.tables.clusters.get(hello.cluster)
  if (cluster?.status !== 'ACTIVE')
    return refused(
      'CLUSTER_NOT_FOUND',
      `There is no active cluster named ${hello.cluster}. Create it, then start the agent again.`,
    )
  const known = knownHost(tx, hello)
  if (known?.status === 'INACTIVE')
    return refused(
      'DEREGISTERED',
      `Container instance ${known.arn} was deregistered. Remove the agent's data directory to register anew.`,
    )
  if (known && known.cluster !== hello.cluster)
    return refused(
      'INVALID',
      `This host is registered in cluster ${known.cluster}; it cannot move to ${hello.cluster} without being deregistered.`,
    )
  const host = known ? returned(known, hello) : joined(hello, (id) => tx.tables.hosts.get(id) !== undefined, deps)
  tx.put('hosts', host.id, host)
  return { kind: 'registered', host, wasGivenUp: known?.lost ?? false }
}

function faultOf(hello: Hello, own: number): Registration | undefined {
  const oldest = Math.max(firstProtocolVersion, own - 1)
  if (hello.protocolVersion < oldest || hello.protocolVersion > own + 1)
    return refused(
      'PROTOCOL_VERSION',
      `The agent speaks protocol ${hello.protocolVersion}; this control plane speaks ${oldest} to ${own + 1}. Upgrade the older one.`,
    )
  const resources = hello.resources
  if (!hello.hostId || !hello.cluster || !resources)
    return refused('INVALID', 'Hello lacks host_id, cluster or resources.')
  if (
    resources.cpu < 1 ||
    resources.cpu > largestCpu ||
    resources.memoryMib < 1 ||
    resources.memoryMib > largestMemoryMib
  )
    return refused(
      'INVALID',
      `A host of ${resources.cpu} CPU units and ${resources.memoryMib} MiB cannot be registered.`,
    )
  const wrong = Object.entries(resources.custom).find(([name, amount]) => amount < 1 || !isCustomResourceName(name))
  if (wrong) return refused('INVALID', `A host cannot have ${wrong[1]} of a resource that is called '${wrong[0]}'.`)
  return undefined
}

function knownHost(tx: Transaction, hello: Hello): HostRecord | undefined {
  const byArn = tx.tables.hosts.get(parseArn(hello.containerInstanceArn)?.path.at(-1) ?? '')
  if (byArn && byArn.agentHostId === hello.hostId) return byArn
  let newest: HostRecord | undefined
  for (const host of tx.tables.hosts.by('agentHostId', hello.hostId))
    if (!newest || host.registeredAt >= newest.registeredAt) newest = host
  return newest
}

/** What a host says of itself each time. */
function reported(hello: Hello, before: HostRecord | undefined) {
  const resources = hello.resources as NonNullable<Hello['resources']>
  const own = {
    agentConnected: true,
    engineHealthy: hello.engineHealthy,
    offersFargate: hello.offersFargate,
    agentVersion: hello.agentVersion,
    agentHash: hello.agentHash,
    dockerVersion: hello.dockerVersion,
    address: hello.address,
    cpu: resources.cpu,
    memoryMib: resources.memoryMib,
    gpuIds: resources.gpuIds,
    networkInterfaces: resources.networkInterfaces,
    custom: resources.custom,
    reservedTcpPorts: resources.reservedTcpPorts,
    reservedUdpPorts: resources.reservedUdpPorts,
    dynamicPorts: resources.dynamicPorts ?? { first: 49153, last: 65535 },
    attributes: mergedAttributes(hello.attributes, before?.attributes ?? []),
  }
  return before ? keepEqual(own, before) : own
}

/** Members that did not change keep their identity, which spares whoever compares. */
function keepEqual<T extends object>(own: T, before: HostRecord): T {
  const entries = Object.entries(own).map(([name, value]) => {
    const was: unknown = before[name as keyof HostRecord]
    return [name, JSON.stringify(was) === JSON.stringify(value) ? was : (value as unknown)]
  })
  return Object.fromEntries(entries) as T
}

function mergedAttributes(
  fromAgent: readonly Attribute[],
  before: readonly HostAttributeRecord[],
): readonly HostAttributeRecord[] {
  const names = new Set(fromAgent.map(({ name }) => name))
  return [
    ...fromAgent.map(({ name, value }) => ({ name, ...(value !== undefined && { value }), fromAgent: true })),
    ...before.filter((attribute) => !attribute.fromAgent && !names.has(attribute.name)),
  ]
}

function joined(
  hello: Hello,
  isTaken: (id: string) => boolean,
  { clock, random, scope }: Pick<ControlPlaneDeps, 'clock' | 'random' | 'scope'>,
): HostRecord {
  const own = ownIdOf(hello)
  const id = own !== undefined && !isTaken(own) ? own : newId(random)
  return {
    id,
    arn: containerInstanceArn(scope, hello.cluster, id),
    cluster: hello.cluster,
    agentHostId: hello.hostId,
    ec2InstanceId: newInstanceId(random),
    status: 'ACTIVE',
    lost: false,
    tags: {},
    registeredAt: clock.now(),
    version: 1,
    ...reported(hello, undefined),
  }
}

/** The container instance that a host was before the cell lost its record: it stays that one. */
function ownIdOf({ containerInstanceArn, cluster }: Hello): string | undefined {
  const [kind, ofCluster, id] = parseArn(containerInstanceArn)?.path ?? []
  return kind === 'container-instance' && ofCluster === cluster ? id : undefined
}

function returned(known: HostRecord, hello: Hello): HostRecord {
  const { disconnectedAt: _, ...host } = known
  return { ...host, ...reported(hello, known), lost: false, version: known.version + 1 }
}
