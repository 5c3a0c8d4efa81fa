import type { ClusterConfiguration, ClusterField, ClusterSetting, Failure } from '@aws-sdk/client-ecs'
import { clusterArn, parseArn } from '@berth/shared/arn.ts'
import { clusterSettingProblem, unsetValue } from '../../cell/cluster-settings.ts'
import type { ClusterRecord } from '../../cell/records.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { ApiError, invalidParameter } from '../errors.ts'
import type { EcsHandlers, EcsInput, RequestContext } from '../operation.ts'
import { takePage } from '../paging.ts'
import { effectiveAccountSetting } from './account-settings.ts'
import { clusterNameOf, defaultClusterName, resolveCluster } from './arn-references.ts'
import { capacityProviderStrategyOf, resolveCapacityProviders } from './capacity-providers.ts'
import { clusterAnswer } from './cluster-answer.ts'
import { tagRecordOf } from './tag-set.ts'

/** ECS's own limit of clusters that one DescribeClusters may name. */
const clustersPerDescribe = 100

/** What `containerInsights` may be. Berth keeps it and, having no CloudWatch, does nothing else with it. */
const containerInsightsValues = ['enabled', 'disabled', 'enhanced']

/** What CreateCluster, UpdateCluster and PutClusterCapacityProviders answer beside the counts. */
const includedAfterWriting: readonly ClusterField[] = ['CONFIGURATIONS', 'SETTINGS', 'TAGS']

/** Clusters: the names that tasks, services and container instances live under. */
export function clusterHandlers(
  deps: ControlPlaneDeps,
): Pick<
  EcsHandlers,
  | 'CreateCluster'
  | 'DescribeClusters'
  | 'ListClusters'
  | 'UpdateCluster'
  | 'UpdateClusterSettings'
  | 'PutClusterCapacityProviders'
  | 'DeleteCluster'
> {
  const { scope } = deps

  /** Changes an ACTIVE cluster and answers with it. */
  const change = async (nameOrArn: string, changed: (cluster: ClusterRecord) => ClusterRecord) =>
    deps.cell().transact((tx) => {
      const cluster = changed(resolveCluster(tx.tables, scope, nameOrArn))
      tx.put('clusters', cluster.name, cluster)
      return { cluster: clusterAnswer(tx.tables, cluster, includedAfterWriting) }
    })

  return {
    CreateCluster: async (input, context) =>
      deps.cell().transact((tx) => {
        const name = usableName(input.clusterName)
        const existing = tx.tables.clusters.get(name)
        const wanted = newCluster(deps, tx.tables, name, input, context)
        if (existing?.status === 'ACTIVE') {
          assertSameAsBefore(input, wanted, existing)
          return { cluster: clusterAnswer(tx.tables, existing, includedAfterWriting) }
        }
        tx.put('clusters', name, wanted)
        return { cluster: clusterAnswer(tx.tables, wanted, includedAfterWriting) }
      }),

    DescribeClusters: async (input) => {
      const wanted = input.clusters?.length ? [...new Set(input.clusters)] : [defaultClusterName]
      if (wanted.length > clustersPerDescribe)
        throw invalidParameter(`Clusters cannot have more than ${clustersPerDescribe} elements.`)
      return deps.cell().read((tables) => {
        const found = wanted.map((nameOrArn) => ({ nameOrArn, cluster: findCluster(tables, nameOrArn) }))
        return {
          clusters: found.flatMap(({ cluster }) =>
            cluster === undefined ? [] : [clusterAnswer(tables, cluster, input.include ?? [])],
          ),
          failures: found.flatMap(({ nameOrArn, cluster }) => (cluster === undefined ? [missing(nameOrArn)] : [])),
        }
      })
    },

    ListClusters: async (input) =>
      deps.cell().read((tables) => {
        const arns = Array.from(tables.clusters.values())
          .filter(({ status }) => status === 'ACTIVE')
          .map(({ arn }) => arn)
          .sort()
        const { items, nextToken } = takePage('ListClusters', input, arns, (arn) => arn)
        return { clusterArns: items, ...(nextToken === undefined ? {} : { nextToken }) }
      }),

    UpdateCluster: async (input) => {
      const { settings, configuration } = input
      return change(input.cluster, (cluster) => ({
        ...cluster,
        ...(settings === undefined ? {} : { settings: settingsOf(settings, cluster.settings) }),
        ...(configuration === undefined ? {} : { configuration: usableConfiguration(configuration) }),
      }))
    },

    UpdateClusterSettings: async ({ cluster: nameOrArn, settings }) =>
      change(nameOrArn, (cluster) => ({ ...cluster, settings: settingsOf(settings, cluster.settings) })),

    PutClusterCapacityProviders: async (input) => {
      const capacityProviders = resolveCapacityProviders(scope, input.capacityProviders)
      const defaultCapacityProviderStrategy = capacityProviderStrategyOf(
        scope,
        input.defaultCapacityProviderStrategy,
        capacityProviders,
      )
      return change(input.cluster, (cluster) => ({ ...cluster, capacityProviders, defaultCapacityProviderStrategy }))
    },

    DeleteCluster: async (input) =>
      deps.cell().transact((tx) => {
        const cluster = resolveCluster(tx.tables, scope, input.cluster)
        assertEmpty(tx.tables, cluster.name)
        const ended: ClusterRecord = { ...cluster, status: 'INACTIVE' }
        tx.put('clusters', cluster.name, ended)
        return { cluster: clusterAnswer(tx.tables, ended, includedAfterWriting) }
      }),
  }

  /** Of another account or region there is none, and that is no mistake in DescribeClusters. */
  function findCluster(tables: ReadonlyTables, nameOrArn: string): ClusterRecord | undefined {
    const arn = parseArn(nameOrArn)
    if (arn !== undefined && (arn.region !== scope.region || arn.account !== scope.account)) return undefined
    return tables.clusters.get(clusterNameOf(scope, nameOrArn))
  }

  function missing(nameOrArn: string): Failure {
    return { arn: parseArn(nameOrArn) ? nameOrArn : clusterArn(scope, nameOrArn), reason: 'MISSING' }
  }
}

function newCluster(
  { scope, clock }: ControlPlaneDeps,
  tables: ReadonlyTables,
  name: string,
  input: EcsInput<'CreateCluster'>,
  context: RequestContext,
): ClusterRecord {
  const capacityProviders = resolveCapacityProviders(scope, input.capacityProviders ?? [])
  const containerInsights = effectiveAccountSetting(tables, scope, context.principalArn, 'containerInsights')
  return {
    name,
    arn: clusterArn(scope, name),
    status: 'ACTIVE',
    settings: settingsOf(input.settings ?? [], [{ name: 'containerInsights', value: containerInsights }]),
    ...(input.configuration === undefined ? {} : { configuration: usableConfiguration(input.configuration) }),
    capacityProviders,
    defaultCapacityProviderStrategy: capacityProviderStrategyOf(
      scope,
      input.defaultCapacityProviderStrategy ?? [],
      capacityProviders,
    ),
    tags: tagRecordOf(input.tags),
    createdAt: clock.now(),
  }
}

/** Creating a cluster again changes nothing; asking for another one under its name is refused. Only what is given is compared. */
function assertSameAsBefore(input: EcsInput<'CreateCluster'>, wanted: ClusterRecord, existing: ClusterRecord): void {
  const given: readonly [boolean, unknown, unknown][] = [
    [input.settings !== undefined, wanted.settings, existing.settings],
    [input.configuration !== undefined, wanted.configuration, existing.configuration],
    [input.capacityProviders !== undefined, wanted.capacityProviders, existing.capacityProviders],
    [
      input.defaultCapacityProviderStrategy !== undefined,
      wanted.defaultCapacityProviderStrategy,
      existing.defaultCapacityProviderStrategy,
    ],
    [input.tags !== undefined, sorted(wanted.tags), sorted(existing.tags)],
  ]
  if (given.some(([isGiven, now, before]) => isGiven && JSON.stringify(now) !== JSON.stringify(before)))
    throw invalidParameter(
      'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
    )
}

const sorted = (tags: Readonly<Record<string, string>>) => Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1))

function assertEmpty(tables: ReadonlyTables, cluster: string): void {
  const some = <T>(records: Iterable<T>, matches: (record: T) => boolean): boolean => {
    for (const record of records) if (matches(record)) return true
    return false
  }
  if (some(tables.services.by('cluster', cluster), ({ status }) => status !== 'INACTIVE'))
    throw new ApiError('ClusterContainsServicesException', 'The Cluster cannot be deleted while Services are active.')
  if (some(tables.tasks.by('cluster', cluster), ({ lastStatus }) => lastStatus !== 'STOPPED'))
    throw new ApiError('ClusterContainsTasksException', 'The Cluster cannot be deleted while Tasks are active.')
  if (some(tables.hosts.by('cluster', cluster), ({ status }) => status !== 'INACTIVE'))
    throw new ApiError(
      'ClusterContainsContainerInstancesException',
      'The Cluster cannot be deleted while Container Instances are active or draining.',
    )
}

function usableName(name = defaultClusterName): string {
  if (!/^[a-zA-Z0-9_-]{1,255}$/.test(name))
    throw invalidParameter(
      'Invalid cluster name. Up to 255 letters (uppercase and lowercase), numbers, hyphens, and underscores are allowed.',
    )
  return name
}

/** `current` with what is given put over it, by name. */
function settingsOf(given: readonly ClusterSetting[], current: ClusterRecord['settings']): ClusterRecord['settings'] {
  const values = new Map(current.map(({ name, value }) => [name, value]))
  for (const { name = '', value = '' } of given as readonly { name?: string; value?: string }[]) {
    const problem = settingProblem(name, value)
    if (problem !== undefined) throw invalidParameter(`Invalid cluster setting: ${problem}.`)
    if (name !== 'containerInsights' && value === unsetValue) values.delete(name)
    else values.set(name, value)
  }
  return Array.from(values, ([name, value]) => ({ name, value }))
}

function settingProblem(name: string, value: string): string | undefined {
  if (name !== 'containerInsights') return clusterSettingProblem(name, value)
  return containerInsightsValues.includes(value)
    ? undefined
    : `the value of containerInsights must be one of: ${containerInsightsValues.join(', ')}`
}

function usableConfiguration(configuration: ClusterConfiguration): ClusterConfiguration {
  const { executeCommandConfiguration: command } = configuration
  if (command?.logging === 'OVERRIDE' && command.logConfiguration === undefined)
    throw invalidParameter('logConfiguration must be specified when logging is OVERRIDE.')
  if (command?.logConfiguration !== undefined && command.logging !== 'OVERRIDE')
    throw invalidParameter('logConfiguration can only be specified when logging is OVERRIDE.')
  return configuration
}
