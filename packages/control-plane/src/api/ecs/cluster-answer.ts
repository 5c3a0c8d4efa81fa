import type { Cluster, ClusterField, KeyValuePair } from '@aws-sdk/client-ecs'
import type { ClusterRecord, ServiceRecord, TaskRecord } from '../../cell/records.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import { tagListOf } from './tag-set.ts'

type LaunchType = TaskRecord['launchType']

/** How ECS writes launch types in the names of its statistics. */
const launchTypeNames = { EC2: 'EC2', FARGATE: 'Fargate', EXTERNAL: 'External' } as const satisfies Record<
  LaunchType,
  string
>

type LaunchTypeCounts = Record<LaunchType, number>

/** A cluster as ECS answers it, counted now. What `include` does not name is left out, or empty where ECS shows an empty list. */
export function clusterAnswer(
  tables: ReadonlyTables,
  cluster: ClusterRecord,
  include: readonly ClusterField[],
): Cluster {
  const counts = countCluster(tables, cluster.name)
  const { configuration, serviceConnectDefaults } = cluster
  return {
    clusterArn: cluster.arn,
    clusterName: cluster.name,
    status: cluster.status,
    registeredContainerInstancesCount: counts.registeredContainerInstances,
    runningTasksCount: total(counts.runningTasks),
    pendingTasksCount: total(counts.pendingTasks),
    activeServicesCount: total(counts.activeServices),
    statistics: include.includes('STATISTICS') ? statistics(counts) : [],
    tags: include.includes('TAGS') ? tagListOf(cluster.tags) : [],
    settings: include.includes('SETTINGS') ? (cluster.settings as NonNullable<Cluster['settings']>) : [],
    capacityProviders: [...cluster.capacityProviders],
    defaultCapacityProviderStrategy: [...cluster.defaultCapacityProviderStrategy],
    ...(include.includes('ATTACHMENTS') ? { attachments: [] } : {}),
    ...(include.includes('CONFIGURATIONS') && configuration !== undefined ? { configuration } : {}),
    ...(serviceConnectDefaults === undefined ? {} : { serviceConnectDefaults }),
  }
}

interface ClusterCounts {
  readonly registeredContainerInstances: number
  readonly runningTasks: LaunchTypeCounts
  readonly pendingTasks: LaunchTypeCounts
  readonly activeServices: LaunchTypeCounts
  readonly drainingServices: LaunchTypeCounts
}

/** Tasks that have been asked for and do not run yet: ECS counts them all as pending. */
const pendingStatuses: ReadonlySet<TaskRecord['lastStatus']> = new Set(['PROVISIONING', 'PENDING', 'ACTIVATING'])

function countCluster(tables: ReadonlyTables, cluster: string): ClusterCounts {
  const none = (): LaunchTypeCounts => ({ EC2: 0, FARGATE: 0, EXTERNAL: 0 })
  const counts = {
    registeredContainerInstances: 0,
    runningTasks: none(),
    pendingTasks: none(),
    activeServices: none(),
    drainingServices: none(),
  }
  for (const { status } of tables.hosts.by('cluster', cluster))
    if (status === 'ACTIVE' || status === 'DRAINING') counts.registeredContainerInstances++
  for (const { lastStatus, launchType } of tables.tasks.by('cluster', cluster)) {
    if (lastStatus === 'RUNNING') counts.runningTasks[launchType]++
    else if (pendingStatuses.has(lastStatus)) counts.pendingTasks[launchType]++
  }
  for (const service of tables.services.by('cluster', cluster)) {
    if (service.status === 'ACTIVE') counts.activeServices[launchTypeOf(service)]++
    else if (service.status === 'DRAINING') counts.drainingServices[launchTypeOf(service)]++
  }
  return counts
}

/** A service without a launch type has a capacity provider strategy, and here those are FARGATE's. */
const launchTypeOf = ({ launchType, capacityProviderStrategy }: ServiceRecord): LaunchType =>
  launchType ?? (capacityProviderStrategy.length > 0 ? 'FARGATE' : 'EC2')

const total = (counts: LaunchTypeCounts): number => counts.EC2 + counts.FARGATE + counts.EXTERNAL

function statistics(counts: ClusterCounts): KeyValuePair[] {
  const rows: readonly [string, LaunchTypeCounts, string][] = [
    ['running', counts.runningTasks, 'TasksCount'],
    ['pending', counts.pendingTasks, 'TasksCount'],
    ['active', counts.activeServices, 'ServiceCount'],
    ['draining', counts.drainingServices, 'ServiceCount'],
  ]
  return rows.flatMap(([state, byLaunchType, what]) =>
    (Object.keys(launchTypeNames) as LaunchType[]).map((launchType) => ({
      name: `${state}${launchTypeNames[launchType]}${what}`,
      value: String(byLaunchType[launchType]),
    })),
  )
}
