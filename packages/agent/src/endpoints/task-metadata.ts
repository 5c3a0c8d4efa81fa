import { NetworkMode } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { containerStatusRank, taskStatusRank } from '@berth/shared/task-status.ts'
import { type ContainerState, desiredStatus, type TaskState } from '../engine/task-state.ts'
import { ecsLabels } from '../engine/container-create.ts'
import { runtimeName } from '../engine/task-names.ts'

const networkModes: Readonly<Record<number, string>> = {
  [NetworkMode.NETWORK_MODE_NONE]: 'none',
  [NetworkMode.NETWORK_MODE_BRIDGE]: 'bridge',
  [NetworkMode.NETWORK_MODE_HOST]: 'host',
  [NetworkMode.NETWORK_MODE_AWSVPC]: 'awsvpc',
}

/** A task as the metadata endpoint shows it (ECS developer guide, "Task metadata endpoint version 4"). */
export function taskMetadata(task: TaskState, zone: string): Readonly<Record<string, unknown>> {
  const { assignment, times } = task
  return defined({
    Cluster: assignment.clusterArn,
    TaskARN: assignment.taskArn,
    Family: assignment.family,
    Revision: String(assignment.revision),
    ServiceName: assignment.serviceName || undefined,
    DesiredStatus: desiredStatus(task),
    KnownStatus: shownTaskStatus(task),
    Limits:
      assignment.cpu > 0 || assignment.memoryMib > 0
        ? defined({ CPU: assignment.cpu / 1024 || undefined, Memory: assignment.memoryMib || undefined })
        : undefined,
    PullStartedAt: moment(times.pullStartedAt),
    PullStoppedAt: moment(times.pullStoppedAt),
    ExecutionStoppedAt: moment(times.executionStoppedAt),
    AvailabilityZone: zone,
    LaunchType: assignment.launchType,
    Containers: ownContainers(task).map((container) => containerMetadata(task, container)),
  })
}

/** A container as the metadata endpoint shows it. What was fetched for it is in none of its members. */
export function containerMetadata(task: TaskState, container: ContainerState): Readonly<Record<string, unknown>> {
  const { assignment } = task
  const { spec } = container
  return defined({
    DockerId: container.runtimeId,
    Name: container.name,
    DockerName: runtimeName(assignment, container.name),
    Image: spec.image,
    ImageID: container.image?.imageId ?? '',
    Labels: {
      ...Object.fromEntries(spec.dockerLabels.map(({ key, value }) => [key, value])),
      ...ecsLabels(assignment, container.name),
    },
    DesiredStatus: desiredStatus(task),
    KnownStatus: container.status,
    ExitCode: container.exitCode,
    Limits: { CPU: spec.cpu, Memory: spec.memoryMib },
    StartedAt: moment(container.startedAt),
    FinishedAt: moment(container.finishedAt),
    Type: 'NORMAL',
    Health: spec.healthCheck === undefined ? undefined : { status: container.health },
    RestartCount: spec.restartPolicy?.enabled === true ? container.restartCount : undefined,
    LogDriver: spec.logConfiguration?.driver || undefined,
    LogOptions:
      spec.logConfiguration === undefined
        ? undefined
        : Object.fromEntries(spec.logConfiguration.options.map(({ key, value }) => [key, value])),
    ContainerARN: spec.containerArn,
    Ports: ports(container),
    Networks: networks(task, container),
  })
}

/** What the introspection API shows of a task (ECS developer guide, "Container introspection"). */
export const introspectedTask = (task: TaskState): Readonly<Record<string, unknown>> => ({
  Arn: task.assignment.taskArn,
  DesiredStatus: desiredStatus(task),
  KnownStatus: shownTaskStatus(task),
  Family: task.assignment.family,
  Version: String(task.assignment.revision),
  Containers: ownContainers(task).map((container) => ({
    DockerId: container.runtimeId,
    DockerName: runtimeName(task.assignment, container.name),
    Name: container.name,
  })),
})

/** The containers of the definition. */
export const ownContainers = (task: TaskState): readonly ContainerState[] =>
  task.containers.filter(({ isPause }) => !isPause)

/** ECS's agent knows PENDING, RUNNING and STOPPED here, and what lies between as where it came from. */
function shownTaskStatus({ status }: TaskState): string {
  if (taskStatusRank[status] < taskStatusRank.RUNNING) return 'PENDING'
  return taskStatusRank[status] < taskStatusRank.STOPPED ? 'RUNNING' : 'STOPPED'
}

const ports = ({ spec, status }: ContainerState) =>
  containerStatusRank[status] < containerStatusRank.RUNNING || spec.ports.length === 0
    ? undefined
    : spec.ports.map(({ containerPort, hostPort, protocol }) =>
        defined({ ContainerPort: containerPort, Protocol: protocol || 'tcp', HostPort: hostPort || undefined }),
      )

function networks(task: TaskState, container: ContainerState) {
  const mode = networkModes[task.assignment.networkMode] ?? 'bridge'
  const { address, macAddress } = task.containers.find(({ isPause }) => isPause && mode === 'awsvpc') ?? container
  return [
    defined({
      NetworkMode: mode,
      IPv4Addresses: address === '' ? [] : [address],
      MACAddress: mode === 'awsvpc' && macAddress !== '' ? macAddress : undefined,
      AttachmentIndex: mode === 'awsvpc' ? 0 : undefined,
    }),
  ]
}

const moment = (ms: number): string | undefined => (ms === 0 ? undefined : new Date(ms).toISOString())

const defined = (members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
