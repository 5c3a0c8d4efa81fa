import type { Attachment, Attribute, Container, KeyValuePair, Task } from '@aws-sdk/client-ecs'
import { type ArnScope, clusterArn, containerInstanceArn } from '@berth/shared/arn.ts'
import { containerStatusRank } from '@berth/shared/task-status.ts'
import type { NetworkInterfaceRecord, TaskContainerRecord, TaskRecord } from '../../cell/records.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import { arnOfContainer, arnOfTask } from '../../cell/task-arns.ts'
import { taskHealth } from '../../cell/task-health.ts'
import { tagListOf } from './tag-set.ts'

/** The attribute of hosts that tasks show as their own. */
const architectureAttribute = 'ecs.cpu-architecture'

/** A task as ECS answers it. Its tags are shown where they were asked for, else the list is empty. */
export function taskAnswer(
  scope: ArnScope,
  tables: ReadonlyTables,
  task: TaskRecord,
  { includeTags }: { readonly includeTags: boolean },
): Task {
  const onFargate = task.launchType === 'FARGATE'
  const taskArn = arnOfTask(scope, task)
  return {
    attachments: task.networkInterface === undefined ? [] : [attachmentAnswer(task.networkInterface)],
    attributes: attributesOf(tables, task),
    availabilityZone: task.availabilityZone,
    capacityProviderName: task.capacityProviderName,
    clusterArn: clusterArn(scope, task.cluster),
    ...(task.connectivityAt !== undefined && {
      connectivity: task.connectivity,
      connectivityAt: new Date(task.connectivityAt),
    }),
    // FARGATE tasks see no container instance, as in ECS.
    ...(!onFargate &&
      task.hostId !== undefined && { containerInstanceArn: containerInstanceArn(scope, task.cluster, task.hostId) }),
    containers: task.containers.map((container) => containerAnswer(scope, task, taskArn, container)),
    cpu: task.cpu,
    createdAt: new Date(task.createdAt),
    desiredStatus: task.desiredStatus,
    enableExecuteCommand: task.enableExecuteCommand,
    executionStoppedAt: dateOf(task.executionStoppedAt),
    group: task.group,
    healthStatus: taskHealth(task),
    inferenceAccelerators: [],
    lastStatus: task.lastStatus,
    launchType: task.launchType,
    memory: task.memory,
    overrides: task.containers.length > 0 ? overridesAnswer(task) : task.overrides,
    platformVersion: task.platformVersion,
    ...(onFargate && { platformFamily: 'Linux' }),
    pullStartedAt: dateOf(task.pullStartedAt),
    pullStoppedAt: dateOf(task.pullStoppedAt),
    startedAt: dateOf(task.startedAt),
    startedBy: task.startedBy,
    stopCode: task.stopCode,
    stoppedAt: dateOf(task.stoppedAt),
    stoppedReason: task.stoppedReason,
    stoppingAt: dateOf(task.stoppingAt),
    tags: includeTags ? tagListOf(task.tags) : [],
    taskArn,
    taskDefinitionArn: task.taskDefinitionArn,
    version: task.version,
    ...(task.ephemeralStorageGib !== undefined && {
      ephemeralStorage: { sizeInGiB: task.ephemeralStorageGib },
      fargateEphemeralStorage: { sizeInGiB: task.ephemeralStorageGib },
    }),
  }
}

const dateOf = (time: number | undefined): Date | undefined => (time === undefined ? undefined : new Date(time))

/** ECS names each container in the overrides, overridden or not. */
const overridesAnswer = (task: TaskRecord): NonNullable<Task['overrides']> => ({
  ...task.overrides,
  containerOverrides: task.containers.map(
    ({ name }) => task.overrides.containerOverrides?.find((override) => override.name === name) ?? { name },
  ),
  inferenceAcceleratorOverrides: task.overrides.inferenceAcceleratorOverrides ?? [],
})

function attributesOf(tables: ReadonlyTables, task: TaskRecord): Attribute[] {
  const host = task.hostId === undefined ? undefined : tables.hosts.get(task.hostId)
  const value = host?.attributes.find(({ name }) => name === architectureAttribute)?.value
  return value === undefined ? [] : [{ name: architectureAttribute, value }]
}

function containerAnswer(
  scope: ArnScope,
  task: TaskRecord,
  taskArn: string,
  container: TaskContainerRecord,
): Container {
  const { networkInterface } = task
  return {
    containerArn: arnOfContainer(scope, task, container),
    taskArn,
    name: container.name,
    image: container.image,
    imageDigest: container.imageDigest,
    runtimeId: container.runtimeId,
    lastStatus: shownStatus(container),
    exitCode: container.exitCode,
    reason: container.reason,
    networkBindings: container.networkBindings.map(({ protocol, ...binding }) => ({
      ...binding,
      protocol: protocol === 'udp' ? 'udp' : 'tcp',
    })),
    networkInterfaces: networkInterface === undefined ? [] : [containerInterface(networkInterface)],
    healthStatus: container.healthStatus,
    cpu: String(container.cpu),
    ...(container.memory !== undefined && { memory: String(container.memory) }),
    ...(container.memoryReservation !== undefined && { memoryReservation: String(container.memoryReservation) }),
    ...(container.gpuIds.length > 0 && { gpuIds: [...container.gpuIds] }),
  }
}

/** ECS knows no pulled and no created containers: they are PENDING until they run. */
const shownStatus = ({ lastStatus }: TaskContainerRecord): string =>
  containerStatusRank[lastStatus] < containerStatusRank.RUNNING ? 'PENDING' : lastStatus

const containerInterface = ({ attachmentId, privateIpv4 }: NetworkInterfaceRecord) => ({
  attachmentId,
  ...(privateIpv4 !== undefined && { privateIpv4Address: privateIpv4 }),
})

function attachmentAnswer(networkInterface: NetworkInterfaceRecord): Attachment {
  const { attachmentId, networkInterfaceId, subnetId, status, privateIpv4, macAddress } = networkInterface
  const details: KeyValuePair[] = [{ name: 'subnetId', value: subnetId }]
  if (status !== 'PRECREATED') details.push({ name: 'networkInterfaceId', value: networkInterfaceId })
  if (macAddress !== undefined) details.push({ name: 'macAddress', value: macAddress })
  if (privateIpv4 !== undefined) details.push({ name: 'privateIPv4Address', value: privateIpv4 })
  return { id: attachmentId, type: 'ElasticNetworkInterface', status, details }
}
