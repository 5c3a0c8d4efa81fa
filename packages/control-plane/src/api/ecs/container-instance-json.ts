import type {
  ContainerInstance,
  ContainerInstanceField,
  ContainerInstanceHealthStatus,
  Resource,
} from '@aws-sdk/client-ecs'
import type { HostFleetAccounting } from '../../cell/host-fleet-accounting.ts'
import type { HostRecord } from '../../cell/records.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import { countTasks } from '../../cell/task-health.ts'
import { tagListOf } from './tag-set.ts'

/** What an answer about container instances is made from. */
export interface ContainerInstanceView {
  readonly tables: ReadonlyTables
  readonly fleet: HostFleetAccounting
}

/** A container instance as ECS answers it. FARGATE tasks are not counted: they are on no container instance, but their room is used. */
export function containerInstanceAnswer(
  view: ContainerInstanceView,
  host: HostRecord,
  include: readonly ContainerInstanceField[],
): ContainerInstance {
  const { running, pending } = countTasks(tasksOfInstance(view.tables, host))
  return {
    containerInstanceArn: host.arn,
    ec2InstanceId: host.ec2InstanceId,
    version: host.version,
    versionInfo: {
      agentVersion: host.agentVersion,
      agentHash: host.agentHash,
      dockerVersion: `DockerVersion: ${host.dockerVersion}`,
    },
    remainingResources: remainingResources(view, host),
    registeredResources: registeredResources(host),
    status: host.status,
    agentConnected: host.agentConnected,
    runningTasksCount: running,
    pendingTasksCount: pending,
    attributes: host.attributes.map(({ name, value }) => ({ name, ...(value !== undefined && { value }) })),
    registeredAt: new Date(host.registeredAt),
    attachments: [],
    tags: include.includes('TAGS') ? tagListOf(host.tags) : [],
    ...(include.includes('CONTAINER_INSTANCE_HEALTH') && { healthStatus: healthOf(host) }),
  }
}

function* tasksOfInstance(tables: ReadonlyTables, host: HostRecord) {
  for (const task of tables.tasks.by('host', host.id)) if (task.launchType !== 'FARGATE') yield task
}

function registeredResources(host: HostRecord): Resource[] {
  return [
    integerResource('CPU', host.cpu),
    integerResource('MEMORY', host.memoryMib),
    setResource('PORTS', host.reservedTcpPorts.map(String)),
    setResource('PORTS_UDP', host.reservedUdpPorts.map(String)),
    ...(host.gpuIds.length > 0 ? [setResource('GPU', host.gpuIds)] : []),
    ...Object.entries(host.custom ?? {}).map(([name, amount]) => integerResource(name, amount)),
  ]
}

/** What is left: of ports, as in ECS, the list of those that are not. */
function remainingResources({ tables, fleet }: ContainerInstanceView, host: HostRecord): Resource[] {
  const room = fleet.hosts.roomOn(host.id)
  const tcp = host.reservedTcpPorts.map(String)
  const udp = host.reservedUdpPorts.map(String)
  const takenGpus = new Set<string>()
  for (const task of tables.tasks.by('host', host.id)) {
    for (const { port, protocol } of task.claim.ports) (protocol === 'tcp' ? tcp : udp).push(String(port))
    for (const { gpuIds } of task.containers) for (const id of gpuIds) takenGpus.add(id)
  }
  return [
    integerResource('CPU', Math.max(0, room?.cpu ?? 0)),
    integerResource('MEMORY', Math.max(0, room?.memory ?? 0)),
    setResource('PORTS', tcp),
    setResource('PORTS_UDP', udp),
    ...(host.gpuIds.length > 0
      ? [
          setResource(
            'GPU',
            host.gpuIds.filter((id) => !takenGpus.has(id)),
          ),
        ]
      : []),
    ...Object.keys(host.custom ?? {}).map((name) => integerResource(name, Math.max(0, room?.custom.get(name) ?? 0))),
  ]
}

const integerResource = (name: string, integerValue: number): Resource => ({
  name,
  type: 'INTEGER',
  doubleValue: 0,
  longValue: 0,
  integerValue,
})

const setResource = (name: string, values: readonly string[]): Resource => ({
  name,
  type: 'STRINGSET',
  doubleValue: 0,
  longValue: 0,
  integerValue: 0,
  stringSetValue: [...values],
})

/** How the host's container runtime and its agent are, as far as they are heard of. */
function healthOf(host: HostRecord): ContainerInstanceHealthStatus {
  const runtime = host.agentConnected ? (host.engineHealthy ? 'OK' : 'IMPAIRED') : 'INSUFFICIENT_DATA'
  return { overallStatus: runtime, details: [{ type: 'CONTAINER_RUNTIME', status: runtime }] }
}
