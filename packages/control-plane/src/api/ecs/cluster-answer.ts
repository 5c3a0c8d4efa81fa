import type { Cluster, ClusterField, KeyValuePair } from '@aws-sdk/client-ecs'
import type { ClusterRecord, TaskRecord } from '../../cell/records.ts'
import { type ReadonlyTables, serviceState, taskState } from '../../cell/tables.ts'
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

function countCluster(tables: ReadonlyTables, cluster: string): ClusterCounts {
  const each = (countOf: (launchType: LaunchType) => number): LaunchTypeCounts => ({
    EC2: countOf('EC2'),
    FARGATE: countOf('FARGATE'),
    EXTERNAL: countOf('EXTERNAL'),
  })
  const tasks = (phase: 'pending' | 'running') =>
    each((launchType) => tables.tasks.tallied('state', taskState(cluster, launchType, phase)))
  const services = (status: 'ACTIVE' | 'DRAINING') =>
    each((launchType) => tables.services.tallied('state', serviceState(cluster, launchType, status)))
  return {
    registeredContainerInstances: tables.hosts.tallied('registered', cluster),
    runningTasks: tasks('running'),
    pendingTasks: tasks('pending'),
    activeServices: services('ACTIVE'),
    drainingServices: services('DRAINING'),
  }
}

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
