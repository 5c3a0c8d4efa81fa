import { claimedDemand } from '../../cell/host-fleet-accounting.ts'
import { compiledConstraints } from '../../cell/placement-rules.ts'
import { serviceKey, type TaskRecord } from '../../cell/records.ts'
import { serviceLaunch, taskDefinitionOfArn } from '../../cell/service-launch.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import { placementRequestOf, poolFor, strategyOf } from '../../cell/task-blueprint.ts'
import type { HostFleet } from '../../scheduler/host-fleet.ts'
import { place } from '../../scheduler/placement.ts'
import type { PlacementRequest } from '../../scheduler/placement-request.ts'
import { type ExplanationAnswer, explanationAnswer } from './explanation-answer.ts'
import type { CellView } from './read-operation.ts'

/** Tasks of one kind that lose their host, and what becomes of them. */
export interface DisplacedGroup {
  readonly group: string
  /** `family:revision` */
  readonly taskDefinition: string
  readonly tasks: number
  readonly unplaced: number
  /** Why those that find no room find none. */
  readonly explanation?: ExplanationAnswer
}

/** What becomes of the tasks of hosts that a plan takes out. */
export interface DisplacedAnswer {
  readonly tasks: number
  readonly placed: number
  readonly unplaced: number
  /** Daemons, which end with their host. */
  readonly ending: number
  readonly groups: readonly DisplacedGroup[]
}

/** Tasks to be placed anew, and where they went. */
export interface DisplacedOutcome {
  readonly answer: DisplacedAnswer
  /** How many tasks each host took, by host id. */
  readonly moved: ReadonlyMap<string, number>
}

/**
 * Finds new hosts on `fork`, from which their own are gone already, for tasks that are wanted, the oldest kind first, and claims them there.
 * Tasks that their users started are placed by what their definition says: what RunTask said beside it is not kept.
 */
export function placeDisplaced(view: CellView, fork: HostFleet, hostIds: Iterable<string>): DisplacedOutcome {
  const wanted = Array.from(hostIds)
    .flatMap((id) => [...view.tables.tasks.by('host', id)])
    .filter((task) => task.desiredStatus === 'RUNNING')
  const movable = wanted.filter((task) => !isDaemon(view.tables, task)).toSorted((a, b) => a.createdAt - b.createdAt)
  const moved = new Map<string, number>()
  const groups = Array.from(Map.groupBy(movable, kindOf).values(), (tasks): DisplacedGroup =>
    placeGroup(view, fork, tasks, moved),
  )
  const unplaced = groups.reduce((sum, group) => sum + group.unplaced, 0)
  return {
    answer: {
      tasks: movable.length,
      placed: movable.length - unplaced,
      unplaced,
      ending: wanted.length - movable.length,
      groups,
    },
    moved,
  }
}

/** What the tasks of one service or RunTask have in common, as far as placement goes. */
const kindOf = (task: TaskRecord): string =>
  JSON.stringify([task.cluster, task.launchType, task.group, task.deploymentId, task.taskDefinitionArn, sizeOf(task)])

const sizeOf = ({ claim: { dynamicPorts, ...rest } }: TaskRecord) => [rest, dynamicPorts.length]

const isDaemon = (tables: ReadonlyTables, { cluster, serviceName }: TaskRecord): boolean =>
  serviceName !== undefined && tables.services.get(serviceKey(cluster, serviceName))?.schedulingStrategy === 'DAEMON'

function placeGroup(
  view: CellView,
  fork: HostFleet,
  tasks: readonly TaskRecord[],
  moved: Map<string, number>,
): DisplacedGroup {
  const [first] = tasks as [TaskRecord]
  const request = { ...requestOf(view.tables, first), count: tasks.length }
  const { placed, unplaced, explanation } = place(fork, request, view.random)
  for (const [index, { hostId, dynamicPorts }] of placed.entries()) {
    fork.claim(hostId, `${tasks[index]?.id} elsewhere`, request.demand, { group: request.group, dynamicPorts })
    moved.set(hostId, (moved.get(hostId) ?? 0) + 1)
  }
  return {
    group: first.group,
    taskDefinition: `${first.family}:${first.revision}`,
    tasks: tasks.length,
    unplaced,
    ...(explanation !== undefined && { explanation: explanationAnswer(view.tables, explanation) }),
  }
}

/** What a task's service would ask for it, or the task itself. */
function requestOf(tables: ReadonlyTables, task: TaskRecord): PlacementRequest {
  const definition = taskDefinitionOfArn(tables, task.taskDefinitionArn)
  const service = tables.services.get(serviceKey(task.cluster, task.serviceName ?? ''))
  const deployment = service?.deployments.find(({ id }) => id === task.deploymentId)
  if (service !== undefined && deployment !== undefined && definition !== undefined)
    return placementRequestOf(tables, serviceLaunch(service, deployment, definition))
  return {
    demand: claimedDemand(task.claim),
    constraints: compiledConstraints(definition?.definition.placementConstraints ?? []),
    strategy: strategyOf(tables, { ...task, placementStrategy: [] }),
    requiredAttributes: (definition?.definition.requiresAttributes ?? []).map(({ name, value }) => ({
      name: name ?? '',
      ...(value !== undefined && { value }),
    })),
    group: task.group,
    count: 1,
    pool: poolFor(task.cluster, task.launchType),
  }
}
