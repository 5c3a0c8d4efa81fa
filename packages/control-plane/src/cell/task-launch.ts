import type * as ecs from '@aws-sdk/client-ecs'
import type { ArnScope } from '@berth/shared/arn.ts'
import type { Clock } from '@berth/shared/clock.ts'
import { newId } from '@berth/shared/ids.ts'
import { type Random, randomBelow, randomHex, randomUuid } from '@berth/shared/random.ts'
import type { Demand } from '../scheduler/demand.ts'
import { compileWin, judgeHost } from '../scheduler/explain.ts'
import type { Explanation, HostVerdict } from '../scheduler/explanation.ts'
import type { HostFleet } from '../scheduler/host-fleet.ts'
import { ZONE_ATTRIBUTE } from '../scheduler/host-description.ts'
import { place } from '../scheduler/placement.ts'
import type { PlacedTask, PlacementRequest } from '../scheduler/placement-request.ts'
import type { StrategyStep } from '../scheduler/strategy.ts'
import type { Transaction } from './cell.ts'
import { clusterSettingsOf } from './cluster-settings.ts'
import { ec2Pool, fargatePool } from './host-fleet-accounting.ts'
import { compiledConstraints, compiledStrategy } from './placement-rules.ts'
import { type PlacementSummary, type RuleTally, summarizeWin } from './placement-summary.ts'
import type {
  ClaimRecord,
  NetworkInterfaceRecord,
  PortGrant,
  TagRecord,
  TaskContainerRecord,
  TaskDefinitionRecord,
  TaskMove,
  TaskRecord,
} from './records.ts'
import { RuleTallies } from './rule-tallies.ts'
import type { ReadonlyTables } from './tables.ts'
import {
  claimFor,
  type EffectiveContainer,
  effectiveContainers,
  gpusOf,
  grantPorts,
  type LaunchType,
  type NetworkMode,
  networkModeOf,
  taskDemand,
  type TaskSize,
  taskSize,
} from './task-demand.ts'

/** What tasks are made from: everything that the tasks of one launch have in common, validated before. */
export interface TaskLaunch {
  /** Name of the cluster. */
  readonly cluster: string
  readonly definition: TaskDefinitionRecord
  readonly launchType: LaunchType
  readonly capacityProviderName?: string
  /** `service:NAME`, `family:NAME` or the user's own. */
  readonly group: string
  readonly startedBy?: string
  readonly serviceName?: string
  readonly deploymentId?: string
  readonly overrides: ecs.TaskOverride
  /** There when the network mode is awsvpc. */
  readonly networkConfiguration?: ecs.NetworkConfiguration
  /** Of the request or the service; those of the definition are added here. */
  readonly placementConstraints: readonly ecs.PlacementConstraint[]
  /** Of the request or the service; empty for the cluster's default, or else Berth's: services spread over zones, and everything is packed. */
  readonly placementStrategy: readonly ecs.PlacementStrategy[]
  readonly platformVersion?: string
  readonly enableExecuteCommand: boolean
  readonly tags: TagRecord
  /** When its tasks take the place of others. */
  readonly move?: TaskMove
  /** A further condition on hosts by id. */
  readonly eligible?: (hostId: string) => boolean
}

/** What launching needs beside the transaction. `ControlPlaneDeps` has it all. */
export interface LaunchDeps {
  readonly clock: Clock
  readonly random: Random
  readonly scope: ArnScope
}

export interface LaunchOutcome {
  /** The tasks that were written, PENDING on their hosts. */
  readonly tasks: readonly TaskRecord[]
  /** How many found no host. Nothing was written for them. */
  readonly unplaced: number
  /** Why not; present when `unplaced` is not 0. */
  readonly explanation?: Explanation
}

/** Places `count` equal tasks and writes those that found a host; with `allOrNone` only if all did. */
export function launchTasks(
  tx: Transaction,
  deps: LaunchDeps,
  launch: TaskLaunch,
  count: number,
  { allOrNone = false }: { readonly allOrNone?: boolean } = {},
): LaunchOutcome {
  const blueprint = taskBlueprint(tx.tables, launch)
  const fleet = tx.fleet.hosts
  const request = { ...blueprint.request, count }
  const { placed, unplaced, explanation } = place(fleet, request, deps.random)
  if (allOrNone && unplaced > 0) return { tasks: [], unplaced: count, ...(explanation && { explanation }) }
  const tally =
    placed.length === 0 ? undefined : talliesOf(fleet).countFor(fleet, request, launch.definition, deps.clock.now())
  const berthAt = berthsOf(fleet, request, tally)
  const tasks = placed.map((place) => writeTask(tx, deps, blueprint, berthAt(place)))
  return { tasks, unplaced, ...(unplaced > 0 && explanation !== undefined && { explanation }) }
}

/** What came of launching one task on one named host. */
export type LaunchOnHostOutcome =
  | { readonly kind: 'launched'; readonly task: TaskRecord }
  | { readonly kind: 'refused'; readonly verdict: HostVerdict }
  /** No such host is in the fleet. */
  | { readonly kind: 'missing' }

/** Launches one task on a named host if it has room for it: StartTask, daemons, and moves. */
export function launchTaskOn(
  tx: Transaction,
  deps: LaunchDeps,
  launch: TaskLaunch,
  hostId: string,
): LaunchOnHostOutcome {
  const blueprint = taskBlueprint(tx.tables, launch)
  const fleet = tx.fleet.hosts
  const verdict = judgeHost(fleet, blueprint.request, hostId)
  if (verdict === undefined) return { kind: 'missing' }
  if (verdict.lacks.length > 0) return { kind: 'refused', verdict }
  const dynamicPorts = fleet.freeDynamicPorts(
    fleet.slotOf(hostId) as number,
    blueprint.demand.dynamicPorts,
    new Set(blueprint.demand.ports.map(({ port }) => port)),
  )
  const placement = { hosts: 1, namedBy: namerOf(launch) } as const
  return { kind: 'launched', task: writeTask(tx, deps, blueprint, { hostId, dynamicPorts, placement }) }
}

const namerOf = ({ move, serviceName }: TaskLaunch): PlacementSummary['namedBy'] & string =>
  move !== undefined ? 'rebalancing' : serviceName === undefined ? 'user' : 'service'

/** Whether a host could take one more task of the launch, without launching it: what it lacks, or `undefined` for no such host. */
export const judgeHostFor = (
  tx: Pick<Transaction, 'fleet' | 'tables'>,
  launch: TaskLaunch,
  hostId: string,
): HostVerdict | undefined => judgeHost(tx.fleet.hosts, placementRequestOf(tx.tables, launch), hostId)

/** Says of hosts whether they could take one more task of the launch, without launching it: what each lacks, or `undefined` for no such host. */
export function hostJudge(
  tx: Pick<Transaction, 'fleet' | 'tables'>,
  launch: TaskLaunch,
): (hostId: string) => HostVerdict | undefined {
  const request = placementRequestOf(tx.tables, launch)
  return (hostId) => judgeHost(tx.fleet.hosts, request, hostId)
}

/** Says what a task of the request gets with the host that was chosen for it; to be asked before that task's claim is made. */
export function berthsOf(
  fleet: HostFleet,
  request: PlacementRequest,
  tally?: RuleTally,
): (placed: PlacedTask) => Berth {
  const hosts = fleet.pool(request.pool).slots.size
  const explainWin = compileWin(fleet, request)
  return ({ hostId, dynamicPorts }) => ({
    hostId,
    dynamicPorts,
    placement: summarizeWin(hosts, explainWin(hostId), tally),
  })
}

/** What one task of a launch asks of the scheduler. */
export const placementRequestOf = (tables: ReadonlyTables, launch: TaskLaunch): PlacementRequest =>
  taskBlueprint(tables, launch).request

/** The pool of hosts that tasks of a launch type go to. */
export const poolFor = (cluster: string, launchType: LaunchType): string =>
  launchType === 'FARGATE' ? fargatePool : ec2Pool(cluster)

/** Everything about a launch that is worked out once, however many tasks come of it. */
export interface TaskBlueprint {
  readonly launch: TaskLaunch
  readonly networkMode: NetworkMode
  readonly containers: readonly EffectiveContainer[]
  readonly size: TaskSize
  readonly demand: Demand
  readonly request: PlacementRequest
  /** What all its tasks have in common, so that a million of them keep it once. */
  readonly common: CommonParts
}

/** Parts of the records of a launch's tasks that are the same in each. */
interface CommonParts {
  readonly cpu: string
  readonly memory: string
  /** The claim of a task that was given no dynamic ports. */
  readonly claim: ClaimRecord
  readonly containers: readonly Omit<TaskContainerRecord, 'id'>[]
  /** By container, for tasks that were given no dynamic ports. */
  readonly portGrants: ReadonlyMap<string, readonly PortGrant[]>
  readonly needsGpus: boolean
}

export function taskBlueprint(tables: ReadonlyTables, launch: TaskLaunch): TaskBlueprint {
  const { definition } = launch.definition
  const networkMode = networkModeOf(definition, launch.launchType)
  const demand = taskDemand(definition, launch.overrides, networkMode)
  const request: PlacementRequest = {
    demand,
    constraints: [
      ...compiledConstraints(definition.placementConstraints ?? []),
      ...compiledConstraints(launch.placementConstraints),
    ],
    strategy: strategyOf(tables, launch),
    requiredAttributes: (definition.requiresAttributes ?? []).map(({ name, value }) => ({
      name: name ?? '',
      ...(value !== undefined && { value }),
    })),
    group: launch.group,
    count: 1,
    pool: poolFor(launch.cluster, launch.launchType),
    ...(launch.eligible !== undefined && { eligible: launch.eligible }),
  }
  const containers = effectiveContainers(definition, launch.overrides)
  const size = taskSize(definition, launch.overrides)
  const common = {
    cpu: String(size.cpu),
    memory: String(size.memoryMib),
    claim: claimFor(demand, nothing),
    containers: containers.map(newContainer),
    portGrants: grantPorts(definition, networkMode, nothing),
    needsGpus: containers.some((container) => gpusOf(container) > 0),
  }
  return { launch, networkMode, containers, size, demand, request, common }
}

/** The one empty list of all records that have one. */
const nothing: readonly never[] = []

const newContainer = (container: EffectiveContainer): Omit<TaskContainerRecord, 'id'> => ({
  name: container.name,
  image: container.image,
  essential: container.essential ?? true,
  lastStatus: 'PENDING',
  healthStatus: 'UNKNOWN',
  hasHealthCheck: container.healthCheck !== undefined,
  portGrants: nothing,
  networkBindings: nothing,
  cpu: container.cpu ?? 0,
  ...(container.memory !== undefined && { memory: container.memory }),
  ...(container.memoryReservation !== undefined && { memoryReservation: container.memoryReservation }),
  gpuIds: nothing,
  restartCount: 0,
})

/** What decides which tasks' strategy counts. */
type StrategyChoice = Pick<TaskLaunch, 'cluster' | 'launchType' | 'serviceName' | 'placementStrategy'>

/**
 * The strategy that tasks are placed by: their own, else the cluster's default, else Berth's. FARGATE tasks, whose hosts are of no cluster,
 * are always placed by Berth's.
 */
export function strategyOf(tables: ReadonlyTables, launch: StrategyChoice): readonly StrategyStep[] {
  const { cluster, launchType, serviceName, placementStrategy } = launch
  const { defaultPlacementStrategy = [] } =
    launchType === 'FARGATE' ? {} : clusterSettingsOf(tables.clusters.get(cluster))
  return compiledStrategy(
    placementStrategy.length > 0 ? placementStrategy : defaultPlacementStrategy,
    serviceName !== undefined,
  )
}

const talliesByFleet = new WeakMap<HostFleet, RuleTallies>()

function talliesOf(fleet: HostFleet): RuleTallies {
  const known = talliesByFleet.get(fleet)
  if (known !== undefined) return known
  const tallies = new RuleTallies()
  talliesByFleet.set(fleet, tallies)
  return tallies
}

/** What a task is given with its host. */
export interface Berth {
  readonly hostId: string
  readonly dynamicPorts: readonly number[]
  readonly placement: PlacementSummary
}

function writeTask(tx: Transaction, deps: LaunchDeps, blueprint: TaskBlueprint, berth: Berth): TaskRecord {
  const task = giveBerth(tx, blueprint, newTask(deps, blueprint), berth)
  tx.put('tasks', task.id, task)
  return task
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
    portGrants: grants.get(container.name) ?? nothing,
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
