import type { Clock } from '@berth/shared/clock.ts'
import { newId } from '@berth/shared/ids.ts'
import { type Random, randomBelow, randomHex, randomUuid } from '@berth/shared/random.ts'
import { ZONE_ATTRIBUTE } from '../scheduler/host-description.ts'
import type { Transaction } from './cell.ts'
import type { PlacementSummary } from './placement-summary.ts'
import { emptyList, type NetworkInterfaceRecord, type TaskContainerRecord, type TaskRecord } from './records.ts'
import type { TaskBlueprint, TaskLaunch } from './task-blueprint.ts'
import { claimFor, gpusOf, grantPorts } from './task-demand.ts'

/** What launching needs beside the transaction. `ControlPlaneDeps` has it all. */
export interface LaunchDeps {
  readonly clock: Clock
  readonly random: Random
}

/** What a task is given with its host. */
export interface Berth {
  readonly hostId: string
  readonly dynamicPorts: readonly number[]
  readonly placement: PlacementSummary
}

/** A task with its host, and with what it claims and uses of it. */
export function giveBerth(tx: Transaction, blueprint: TaskBlueprint, task: TaskRecord, berth: Berth): TaskRecord {
  const zone = tx.fleet.hosts.hostNamed(berth.hostId)?.attributes.get(ZONE_ATTRIBUTE)
  const { dynamicPorts } = berth
  return {
    ...task,
    hostId: berth.hostId,
    ...(typeof zone === 'string' && { availabilityZone: zone }),
    claim: dynamicPorts.length === 0 ? blueprint.common.claim : claimFor(blueprint.demand, dynamicPorts),
    lastStatus: 'PENDING',
    containers: withGrants(tx, blueprint, task.containers, berth),
    placement: berth.placement,
  }
}

/** A task that has no host yet. */
export function newTask(deps: LaunchDeps, blueprint: TaskBlueprint): TaskRecord {
  const { launch, common } = blueprint
  const { definition } = launch
  const id = newId(deps.random)
  const networkInterface = newNetworkInterface(deps.random, blueprint)
  const ephemeralStorageGib = storageOf(launch)
  return {
    id,
    cluster: launch.cluster,
    taskDefinitionArn: definition.arn,
    family: definition.family,
    revision: definition.revision,
    group: launch.group,
    ...(launch.startedBy !== undefined && { startedBy: launch.startedBy }),
    ...(launch.serviceName !== undefined && { serviceName: launch.serviceName }),
    ...(launch.deploymentId !== undefined && { deploymentId: launch.deploymentId }),
    launchType: launch.launchType,
    ...(launch.capacityProviderName !== undefined && { capacityProviderName: launch.capacityProviderName }),
    ...(launch.platformVersion !== undefined && { platformVersion: launch.platformVersion }),
    claim: common.claim,
    lastStatus: 'PROVISIONING',
    desiredStatus: 'RUNNING',
    connectivity: 'DISCONNECTED',
    containers: newContainers(deps, blueprint),
    ...(networkInterface !== undefined && { networkInterface }),
    overrides: launch.overrides,
    cpu: common.cpu,
    memory: common.memory,
    ...(ephemeralStorageGib !== undefined && { ephemeralStorageGib }),
    enableExecuteCommand: launch.enableExecuteCommand,
    tags: launch.tags,
    version: 1,
    createdAt: deps.clock.now(),
    ...(launch.move !== undefined && { move: launch.move }),
  }
}

const newContainers = ({ random }: LaunchDeps, { common }: TaskBlueprint): TaskContainerRecord[] =>
  common.containers.map((container) => ({ id: randomUuid(random), ...container }))

/** The containers of a task with the ports and GPUs that are theirs on its host. */
function withGrants(
  tx: Transaction,
  { launch, networkMode, containers, common }: TaskBlueprint,
  records: readonly TaskContainerRecord[],
  { hostId, dynamicPorts }: Berth,
): readonly TaskContainerRecord[] {
  if (common.portGrants.size === 0 && !common.needsGpus) return records
  const grants =
    dynamicPorts.length === 0 ? common.portGrants : grantPorts(launch.definition.definition, networkMode, dynamicPorts)
  const gpus = new Map(containers.map((container) => [container.name, gpusOf(container)]))
  const gpuIds = common.needsGpus ? freeGpuIds(tx, hostId) : []
  return records.map((container) => ({
    ...container,
    portGrants: grants.get(container.name) ?? emptyList,
    gpuIds: gpuIds.splice(0, gpus.get(container.name) ?? 0),
  }))
}

/** The GPUs of a host that no task on it has. */
function freeGpuIds(tx: Transaction, hostId: string): string[] {
  const taken = new Set<string>()
  for (const taskId of tx.fleet.hosts.tasksOn(hostId))
    for (const { gpuIds } of tx.tables.tasks.get(taskId)?.containers ?? []) for (const id of gpuIds) taken.add(id)
  return (tx.tables.hosts.get(hostId)?.gpuIds ?? []).filter((id) => !taken.has(id))
}

/** The subnet is drawn from those that are named: a task has one address, in one of them. */
function newNetworkInterface(
  random: Random,
  { launch, networkMode }: TaskBlueprint,
): NetworkInterfaceRecord | undefined {
  if (networkMode !== 'awsvpc') return undefined
  const { subnets = [], securityGroups = [], assignPublicIp } = launch.networkConfiguration?.awsvpcConfiguration ?? {}
  return {
    attachmentId: randomUuid(random),
    networkInterfaceId: `eni-${randomHex(random, 17)}`,
    subnetId: subnets[randomBelow(random, Math.max(1, subnets.length))] ?? '',
    securityGroups,
    assignPublicIp: assignPublicIp === 'ENABLED',
    status: 'PRECREATED',
  }
}

/** GiB of ephemeral storage that a FARGATE task has when nothing else is asked: the developer guide's figure. */
const defaultFargateStorageGib = 20

const storageOf = ({ launchType, definition, overrides }: TaskLaunch): number | undefined =>
  launchType === 'FARGATE'
    ? (overrides.ephemeralStorage?.sizeInGiB ??
      definition.definition.ephemeralStorage?.sizeInGiB ??
      defaultFargateStorageGib)
    : undefined
