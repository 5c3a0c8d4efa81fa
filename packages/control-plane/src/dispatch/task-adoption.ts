import { parseArn } from '@berth/shared/arn.ts'
import type { ContainerSpec, TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { NetworkMode } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { randomUuid } from '@berth/shared/random.ts'
import type { Transaction } from '../cell/cell.ts'
import { resourcesAskedBy } from '../cell/custom-resources.ts'
import { serviceKey, type TaskContainerRecord, taskDefinitionKey, type TaskRecord } from '../cell/records.ts'
import { countAdopted } from '../cell/store-return.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'

/** Those of `taskArns` that the cell has no record of, though every task that a host was given had one. */
export const tasksUnknown = ({ tables }: Pick<Transaction, 'tables'>, taskArns: readonly string[]): string[] =>
  taskArns.filter((arn) => tables.tasks.get(idOf(arn)) === undefined)

/**
 * Makes records again of tasks that a host runs and the cell has lost, within a transaction. What only the records knew is gone: tags, the time
 * of creation, who asked. What the task runs and takes of its host is what the host was told.
 */
export function adoptTasks(
  tx: Transaction,
  hostId: string,
  assignments: readonly TaskAssignment[],
  deps: Pick<ControlPlaneDeps, 'clock' | 'random' | 'log'>,
): void {
  const lost = assignments.filter(({ taskArn }) => tasksUnknown(tx, [taskArn]).length > 0)
  for (const assignment of lost) {
    const task = adopted(tx, hostId, assignment, deps)
    tx.put('tasks', task.id, task)
    keepRevision(tx, task)
    deps.log.warn('a task that a host runs was unknown, and is taken over', { hostId, taskArn: assignment.taskArn })
  }
  countAdopted(tx, lost.length)
}

const idOf = (arn: string): string => parseArn(arn)?.path.at(-1) ?? ''

function adopted(
  tx: Transaction,
  hostId: string,
  assignment: TaskAssignment,
  { clock, random }: Pick<ControlPlaneDeps, 'clock' | 'random'>,
): TaskRecord {
  const { taskArn, family, revision, group, serviceName, taskDefinitionArn, networkMode } = assignment
  const cluster = idOf(assignment.clusterArn)
  const deployment = tx.tables.services
    .get(serviceKey(cluster, serviceName))
    ?.deployments.find((each) => each.taskDefinitionArn === taskDefinitionArn)
  const hasDefinition = tx.tables.taskDefinitions.get(taskDefinitionKey(family, revision)) !== undefined
  const isAwsvpc = networkMode === NetworkMode.NETWORK_MODE_AWSVPC
  const size = sizeOf(assignment)
  const labels = assignment.containers.flatMap((container) => container.dockerLabels)
  const custom = resourcesAskedBy(labels.map(({ key, value }) => [key, value] as const))
  const ports = assignment.containers.flatMap((container) => container.ports).filter(({ hostPort }) => hostPort > 0)
  return {
    id: idOf(taskArn),
    cluster,
    taskDefinitionArn,
    family,
    revision,
    group,
    ...(serviceName !== '' && { serviceName }),
    ...(deployment && { startedBy: deployment.id, deploymentId: deployment.id }),
    launchType: launchTypeOf(assignment.launchType),
    hostId,
    claim: {
      ...size,
      gpus: assignment.containers.reduce((count, { gpuIds }) => count + gpuIds.length, 0),
      networkInterfaces: isAwsvpc ? 1 : 0,
      ...(custom !== undefined && { custom }),
      ports: isAwsvpc
        ? []
        : ports.map(({ hostPort, protocol }) => ({ port: hostPort, protocol: protocolOf(protocol) })),
      dynamicPorts: [],
    },
    lastStatus: 'PENDING',
    desiredStatus: 'RUNNING',
    connectivity: 'CONNECTED',
    containers: assignment.containers.map(containerOf),
    ...(isAwsvpc && {
      networkInterface: {
        attachmentId: randomUuid(random),
        networkInterfaceId: assignment.networkInterfaceId,
        subnetId: '',
        securityGroups: [],
        assignPublicIp: false,
        status: 'ATTACHED',
      },
    }),
    overrides: {},
    cpu: String(size.cpu),
    memory: String(size.memoryMib),
    enableExecuteCommand: false,
    tags: {},
    version: 1,
    createdAt: clock.now(),
    ...(!hasDefinition && { handedBack: assignment }),
  }
}

/** A revision whose definition was lost is not given to another definition. */
function keepRevision(tx: Transaction, { family, revision }: TaskRecord): void {
  const latest = tx.tables.families.get(family)?.latestRevision ?? 0
  if (revision > latest) tx.put('families', family, { family, latestRevision: revision })
}

function sizeOf({ cpu, memoryMib, containers }: TaskAssignment): { cpu: number; memoryMib: number } {
  const sum = (of: (container: ContainerSpec) => number) => containers.reduce((total, each) => total + of(each), 0)
  return {
    cpu: cpu || sum((container) => container.cpu),
    memoryMib: memoryMib || sum((container) => container.memoryReservationMib || container.memoryMib),
  }
}

const launchTypeOf = (name: string): TaskRecord['launchType'] =>
  name === 'FARGATE' || name === 'EXTERNAL' ? name : 'EC2'

const protocolOf = (name: string): 'tcp' | 'udp' => (name === 'udp' ? 'udp' : 'tcp')

const containerOf = (spec: ContainerSpec): TaskContainerRecord => ({
  id: idOf(spec.containerArn),
  name: spec.name,
  image: spec.image,
  ...(spec.imageDigest !== '' && { imageDigest: spec.imageDigest }),
  essential: spec.essential,
  lastStatus: 'PENDING',
  healthStatus: 'UNKNOWN',
  hasHealthCheck: spec.healthCheck !== undefined,
  portGrants: spec.ports.map(({ containerPort, hostPort, protocol, name }) => ({
    containerPort,
    hostPort,
    protocol: protocolOf(protocol),
    ...(name !== '' && { name }),
  })),
  networkBindings: [],
  cpu: spec.cpu,
  ...(spec.memoryMib > 0 && { memory: spec.memoryMib }),
  ...(spec.memoryReservationMib > 0 && { memoryReservation: spec.memoryReservationMib }),
  gpuIds: spec.gpuIds,
  restartCount: 0,
})
