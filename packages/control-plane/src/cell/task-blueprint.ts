import type * as ecs from '@aws-sdk/client-ecs'
import type { Demand } from '../scheduler/demand.ts'
import type { PlacementRequest } from '../scheduler/placement-request.ts'
import type { StrategyStep } from '../scheduler/strategy.ts'
import { clusterSettingsOf } from './cluster-settings.ts'
import { ec2Pool, fargatePool } from './host-fleet-accounting.ts'
import { compiledConstraints, compiledStrategy } from './placement-rules.ts'
import {
  type ClaimRecord,
  emptyList,
  type PortGrant,
  type TagRecord,
  type TaskContainerRecord,
  type TaskDefinitionRecord,
  type TaskMove,
} from './records.ts'
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

/** Everything about a launch that is worked out once, however many tasks come of it. */
export interface TaskBlueprint {
  readonly launch: TaskLaunch
  readonly networkMode: NetworkMode
  readonly containers: readonly EffectiveContainer[]
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
    claim: claimFor(demand, emptyList),
    containers: containers.map(newContainer),
    portGrants: grantPorts(definition, networkMode, emptyList),
    needsGpus: containers.some((container) => gpusOf(container) > 0),
  }
  return { launch, networkMode, containers, demand, request, common }
}

const newContainer = (container: EffectiveContainer): Omit<TaskContainerRecord, 'id'> => ({
  name: container.name,
  image: container.image,
  essential: container.essential ?? true,
  lastStatus: 'PENDING',
  healthStatus: 'UNKNOWN',
  hasHealthCheck: container.healthCheck !== undefined,
  portGrants: emptyList,
  networkBindings: emptyList,
  cpu: container.cpu ?? 0,
  ...(container.memory !== undefined && { memory: container.memory }),
  ...(container.memoryReservation !== undefined && { memoryReservation: container.memoryReservation }),
  gpuIds: emptyList,
  restartCount: 0,
})

/** What one task of a launch asks of the scheduler. */
export const placementRequestOf = (tables: ReadonlyTables, launch: TaskLaunch): PlacementRequest =>
  taskBlueprint(tables, launch).request

/** The pool of hosts that tasks of a launch type go to. */
export const poolFor = (cluster: string, launchType: LaunchType): string =>
  launchType === 'FARGATE' ? fargatePool : ec2Pool(cluster)

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
