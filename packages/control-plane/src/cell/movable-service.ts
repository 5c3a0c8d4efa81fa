import { ZONE_ATTRIBUTE } from '../scheduler/host-description.ts'
import type { PlacementRequest } from '../scheduler/placement-request.ts'
import type { MovableTask } from '../scheduler/rebalance-plan.ts'
import type { StrategyStep } from '../scheduler/strategy.ts'
import { type DeploymentRecord, type ServiceRecord, serviceKey, type TaskRecord } from './records.ts'
import { primaryDeployment } from './service-changes.ts'
import { serviceLaunch, taskDefinitionOfArn } from './service-launch.ts'
import type { ReadonlyTables } from './tables.ts'
import { taskHealth } from './task-health.ts'
import { placementRequestOf } from './task-blueprint.ts'

/** A service whose tasks may be moved, one healthy before the other stops. */
export interface MovableService {
  readonly service: ServiceRecord
  readonly primary: DeploymentRecord
  /** Those of its tasks that may be moved: the protected ones stay. */
  readonly tasks: readonly MovableTask[]
  /** How many may be on the move at once: what `maximumPercent` leaves above the desired count. */
  readonly room: number
  /** When the first of its protected tasks no longer is, in ms since the epoch. */
  readonly protectedUntil?: number
}

/**
 * The service as far as its tasks may be moved now; nothing when they may not: it is not steady, a deployment is under way, tasks are
 * missing, ailing or already on the move, or `maximumPercent` leaves no room for a new task beside the old one.
 */
export function movableService(
  tables: ReadonlyTables,
  service: ServiceRecord,
  now: number,
): MovableService | undefined {
  const primary = primaryDeployment(service)
  if (primary === undefined || !isAtRest(service, primary) || isMoving(tables, service)) return undefined
  const { maximumPercent = 200 } = service.deploymentConfiguration
  const room = Math.floor((service.desiredCount * maximumPercent) / 100) - service.desiredCount
  const definition = taskDefinitionOfArn(tables, primary.taskDefinitionArn)
  const wanted = wantedTasks(tables, service)
  const isWhole = wanted.length === service.desiredCount && wanted.every((task) => isWell(tables, task))
  if (room < 1 || definition === undefined || !isWhole) return undefined
  const asked = placementRequestOf(tables, serviceLaunch(service, primary, definition))
  const request = { ...asked, strategy: strategyToKeep(service, asked) }
  const isProtected = ({ protectedUntil = 0 }: TaskRecord) => now < protectedUntil
  const ends = wanted.filter(isProtected).map(({ protectedUntil = 0 }) => protectedUntil)
  return {
    service,
    primary,
    tasks: wanted.filter((task) => !isProtected(task)).map(({ id }) => ({ taskId: id, request })),
    room,
    ...(ends.length > 0 && { protectedUntil: Math.min(...ends) }),
  }
}

const isAtRest = (service: ServiceRecord, primary: DeploymentRecord): boolean =>
  service.status === 'ACTIVE' &&
  service.schedulingStrategy === 'REPLICA' &&
  service.deploymentController === 'ECS' &&
  service.steady &&
  service.deployments.length === 1 &&
  primary.rolloutState === 'COMPLETED'

/** Whether a task of the service is on the move. */
export function isMoving(tables: ReadonlyTables, { cluster, name }: ServiceRecord): boolean {
  for (const _ of tables.tasks.by('serviceMoves', serviceKey(cluster, name))) return true
  return false
}

const wantedTasks = (tables: ReadonlyTables, { cluster, name }: ServiceRecord): TaskRecord[] =>
  Array.from(tables.tasks.by('serviceUnsettled', serviceKey(cluster, name))).filter(
    (task) => task.desiredStatus === 'RUNNING',
  )

/** It has been healthy, still is, and its host is neither drained, which moves it anyway, nor silent, which may end it. */
function isWell(tables: ReadonlyTables, task: TaskRecord): boolean {
  const host = tables.hosts.get(task.hostId ?? '')
  const isHealthy = task.lastStatus === 'RUNNING' && task.healthyAt !== undefined && taskHealth(task) !== 'UNHEALTHY'
  return isHealthy && host?.status === 'ACTIVE' && host.agentConnected
}

const byZone: StrategyStep = { type: 'spread', by: { kind: 'attribute', name: ZONE_ATTRIBUTE } }

/** What no move may make worse: the service's strategy, and before it its zones where they are evened out. */
function strategyToKeep(service: ServiceRecord, { strategy }: PlacementRequest): readonly StrategyStep[] {
  if (service.availabilityZoneRebalancing !== 'ENABLED') return strategy
  const [first] = strategy
  const isFirst = first?.type === 'spread' && first.by.kind === 'attribute' && first.by.name === ZONE_ATTRIBUTE
  return isFirst ? strategy : [byZone, ...strategy]
}
