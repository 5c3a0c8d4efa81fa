import { z } from 'zod'
import { ec2Pool, fargatePool } from '../../cell/host-fleet-accounting.ts'
import type { ClusterRecord, HostRecord, TaskDefinitionRecord } from '../../cell/records.ts'
import { placementRequestOf, poolFor, type TaskLaunch } from '../../cell/task-blueprint.ts'
import { ZONE_ATTRIBUTE } from '../../scheduler/host-description.ts'
import type { HostFleet } from '../../scheduler/host-fleet.ts'
import { place } from '../../scheduler/placement.ts'
import type { PlacementOutcome, PlacementRequest } from '../../scheduler/placement-request.ts'
import { resolveCluster, resolveTaskDefinition } from '../ecs/arn-references.ts'
import { assertSupportsLaunchType, launchChoice } from '../ecs/launch-choice.ts'
import { placementConstraintsOf, placementStrategyOf } from '../ecs/placement-input.ts'
import { invalidParameter } from '../errors.ts'
import { addedHostInput, describeAddedHosts } from './added-hosts.ts'
import { type DisplacedAnswer, placeDisplaced } from './displaced-tasks.ts'
import { type ExplanationAnswer, explanationAnswer } from './explanation-answer.ts'
import { type Fullness, fullnessOf, fullnessOfPool, withTasks } from './fullness.ts'
import { type HostLabel, hostLabel, hostNamed } from './host-label.ts'
import type { CellView } from './read-operation.ts'

export const planTasksInput = z.strictObject({
  cluster: z.string().optional(),
  /** Absent: nothing new is planned, only what the changes of hosts do. */
  taskDefinition: z.string().min(1).optional(),
  count: z.int().min(0).max(100_000).default(1),
  launchType: z.enum(['EC2', 'FARGATE']).optional(),
  placementStrategy: z
    .array(z.strictObject({ type: z.enum(['random', 'spread', 'binpack']), field: z.string().optional() }))
    .default([]),
  placementConstraints: z
    .array(z.strictObject({ type: z.enum(['distinctInstance', 'memberOf']), expression: z.string().optional() }))
    .default([]),
  /** Counted by spread and distinctInstance; `family:NAME` when absent, `service:NAME` for more tasks of a service. */
  group: z.string().min(1).max(255).optional(),
  /** Hosts to be taken out, by name, id, ARN or EC2 instance id. */
  withoutHosts: z.array(z.string().min(1)).max(1000).default([]),
  addHosts: z.array(addedHostInput).max(100).default([]),
})
export type PlanTasksInput = z.output<typeof planTasksInput>

/** What a plan does to one host. */
export interface PlannedHost {
  readonly host: HostLabel
  readonly change?: 'added' | 'removed'
  /** New tasks that would go there. */
  readonly newTasks: number
  /** Tasks of removed hosts that would go there. */
  readonly movedTasks: number
  /** Absent for an added host. */
  readonly before?: Fullness
  /** Absent for a removed host. */
  readonly after?: Fullness
}

export interface PlanTasksAnswer {
  readonly cluster: string
  readonly launchType: string
  /** `family:revision` */
  readonly taskDefinition?: string
  /** What one task takes of its host. */
  readonly takes?: { readonly cpu: number; readonly memory: number }
  readonly count: number
  readonly placed: number
  readonly unplaced: number
  /** Why the first task that finds no room finds none. */
  readonly explanation?: ExplanationAnswer
  /** What becomes of the tasks of the hosts that are taken out. */
  readonly displaced?: DisplacedAnswer
  /** Whether everything finds room: what is planned and what is displaced. */
  readonly fits: boolean
  /** Hosts on which something changes. */
  readonly hosts: readonly PlannedHost[]
  /** All hosts that could be given such tasks, connected and ACTIVE. */
  readonly total: {
    readonly before: Fullness & { readonly hosts: number }
    readonly after: Fullness & { readonly hosts: number }
  }
}

/** What would happen if tasks were started, hosts added or taken out. Nothing does. */
export function planTasks(view: CellView, input: PlanTasksInput): PlanTasksAnswer {
  const cluster = resolveCluster(view.tables, view.scope, input.cluster)
  const plan = plannedLaunch(view, cluster, input)
  if (plan.launch === undefined && input.withoutHosts.length === 0 && input.addHosts.length === 0)
    throw invalidParameter('Nothing is planned: name a task definition, hosts to take out or hosts to add.')
  const { fleet, added, removed } = changedFleet(view, cluster, plan, input)
  const displaced = placeDisplaced(view, fleet, removed.keys())
  const request = plan.launch && { ...placementRequestOf(view.tables, plan.launch), count: input.count }
  const outcome = request && input.count > 0 ? place(fleet, request, view.random) : nothingPlaced
  const newTasks = Map.groupBy(outcome.placed, ({ hostId }) => hostId)
  const takes = request?.demand ?? { cpu: 0, memory: 0 }
  const touched = new Set([...newTasks.keys(), ...displaced.moved.keys(), ...added, ...removed.keys()])
  return {
    cluster: cluster.name,
    launchType: plan.launchType,
    ...(plan.launch !== undefined && {
      taskDefinition: `${plan.launch.definition.family}:${plan.launch.definition.revision}`,
      takes: { cpu: takes.cpu, memory: takes.memory },
    }),
    count: plan.launch === undefined ? 0 : input.count,
    placed: outcome.placed.length,
    unplaced: outcome.unplaced,
    ...(outcome.explanation && { explanation: explanationAnswer(view.tables, outcome.explanation) }),
    ...(removed.size > 0 && { displaced: displaced.answer }),
    fits: outcome.unplaced === 0 && displaced.answer.unplaced === 0,
    hosts: Array.from(touched, (id): PlannedHost => {
      const before = fullnessOf(view.fleet, id)
      const after = fullnessOf(fleet, id)
      const tasks = newTasks.get(id)?.length ?? 0
      return {
        host: labelOf(view, fleet, id),
        ...(added.has(id) && { change: 'added' as const }),
        ...(removed.has(id) && { change: 'removed' as const }),
        newTasks: tasks,
        movedTasks: displaced.moved.get(id) ?? 0,
        ...(before && { before }),
        ...(after && { after: withTasks(after, takes, tasks) }),
      }
    }).toSorted((a, b) => a.host.name.localeCompare(b.host.name, 'en', { numeric: true })),
    total: {
      before: fullnessOfPool(view.fleet, plan.pool),
      after: withTasks(fullnessOfPool(fleet, plan.pool), takes, outcome.placed.length),
    },
  }
}

const nothingPlaced: PlacementOutcome = { placed: [], unplaced: 0, explanation: undefined }

interface PlannedLaunch {
  readonly launchType: TaskLaunch['launchType']
  readonly pool: string
  readonly launch?: TaskLaunch
}

function plannedLaunch(view: CellView, cluster: ClusterRecord, input: PlanTasksInput): PlannedLaunch {
  const { tables, scope } = view
  const { launchType } = launchChoice(scope, cluster, { launchType: input.launchType })
  const pool = poolFor(cluster.name, launchType)
  if (input.taskDefinition === undefined) return { launchType, pool }
  const definition = resolveTaskDefinition(tables, scope, input.taskDefinition, 'InvalidParameterException')
  assertSupportsLaunchType(definition, launchType)
  return { launchType, pool, launch: launchOf(cluster, definition, launchType, input) }
}

function launchOf(
  cluster: ClusterRecord,
  definition: TaskDefinitionRecord,
  launchType: TaskLaunch['launchType'],
  input: PlanTasksInput,
): TaskLaunch {
  const group = input.group ?? `family:${definition.family}`
  const service = /^service:(.+)$/.exec(group)?.[1]
  const ofDefinition = definition.definition.placementConstraints?.length ?? 0
  return {
    cluster: cluster.name,
    definition,
    launchType,
    group,
    ...(service !== undefined && { serviceName: service }),
    overrides: {},
    placementConstraints: placementConstraintsOf(input.placementConstraints.map(defined), launchType, ofDefinition),
    placementStrategy: placementStrategyOf(input.placementStrategy.map(defined), launchType),
    enableExecuteCommand: false,
    tags: {},
  }
}

/** The members that are there. */
const defined = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }

interface ChangedFleet {
  /** The cell's own where no host changes: deciding leaves it as it was. */
  readonly fleet: HostFleet
  readonly added: ReadonlySet<string>
  readonly removed: ReadonlyMap<string, HostRecord>
}

/** The fleet with the plan's hosts added and taken out. */
function changedFleet(
  view: CellView,
  cluster: ClusterRecord,
  { pool, launch }: PlannedLaunch,
  { addHosts, withoutHosts }: PlanTasksInput,
): ChangedFleet {
  if (addHosts.length === 0 && withoutHosts.length === 0)
    return { fleet: view.fleet, added: new Set(), removed: new Map() }
  const fleet = view.fleet.fork()
  const hosts = hostsInReach(view, cluster, pool)
  const removed = new Map(withoutHosts.map((text) => hostNamed(hosts, text)).map((host) => [host.id, host]))
  for (const id of removed.keys()) fleet.removeHost(id)
  const request: PlacementRequest | undefined = launch && placementRequestOf(view.tables, launch)
  const added = describeAddedHosts(addHosts, {
    fleet,
    pool,
    pools: [ec2Pool(cluster.name), fargatePool],
    usual: request?.requiredAttributes ?? [],
    now: view.now,
  })
  for (const host of added) fleet.putHost(host, { status: 'ACTIVE', agentConnected: true })
  return { fleet, added: new Set(added.map(({ id }) => id)), removed }
}

/** The hosts of the cluster, and on FARGATE those of all clusters. */
const hostsInReach = ({ tables }: CellView, cluster: ClusterRecord, pool: string): HostRecord[] =>
  pool === fargatePool
    ? Array.from(tables.hosts.values()).filter((host) => host.offersFargate || host.cluster === cluster.name)
    : [...tables.hosts.by('cluster', cluster.name)]

function labelOf({ tables }: CellView, fleet: HostFleet, id: string): HostLabel {
  const host = tables.hosts.get(id)
  if (host !== undefined) return hostLabel(host)
  const { attributes, ec2InstanceId } = fleet.hostAt(fleet.slotOf(id) as number)
  return { name: id, containerInstanceArn: '', ec2InstanceId, zone: attributes.get(ZONE_ATTRIBUTE) ?? '' }
}
