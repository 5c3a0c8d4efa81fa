import type { ContainerInstance, Failure } from '@aws-sdk/client-ecs'
import { type ArnScope, containerInstanceArn } from '@berth/shared/arn.ts'
import type { Transaction } from '../../cell/cell.ts'
import { compileHostQuery } from '../../cell/host-query.ts'
import type { HostRecord } from '../../cell/records.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import { endTask, hostDeregistered } from '../../cell/task-changes.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { invalidParameter } from '../errors.ts'
import type { EcsHandlers, EcsInput, EcsOutput } from '../operation.ts'
import { decodeNextToken, pageSize, takePage } from '../paging.ts'
import {
  containerInstanceIdOf,
  findContainerInstance,
  resolveCluster,
  resolveContainerInstance,
} from './arn-references.ts'
import { containerInstanceAnswer } from './container-instance-json.ts'
import { firstByKey } from './first-keys.ts'

/** ECS's own limits on the container instances of one request. */
const instancesPerDescribe = 100
const instancesPerStateUpdate = 10

/** Container instances: the hosts of a cluster, as ECS shows them. They register through their agents, not through the API. */
export function containerInstanceHandlers(
  deps: ControlPlaneDeps,
): Pick<
  EcsHandlers,
  | 'DescribeContainerInstances'
  | 'ListContainerInstances'
  | 'UpdateContainerInstancesState'
  | 'DeregisterContainerInstance'
> {
  const { scope } = deps
  return {
    DescribeContainerInstances: async (input) => {
      assertInstances(input.containerInstances, instancesPerDescribe)
      return deps.cell().read((tables, fleet) => {
        const cluster = resolveCluster(tables, scope, input.cluster)
        const { hosts, failures } = findInstances(tables, scope, cluster.name, input.containerInstances)
        const include = input.include ?? []
        return {
          containerInstances: hosts.map((host) => containerInstanceAnswer({ tables, fleet }, host, include)),
          failures,
        }
      })
    },

    ListContainerInstances: async (input) => deps.cell().read((tables) => listContainerInstances(tables, scope, input)),

    UpdateContainerInstancesState: async (input) => {
      const { status } = input
      if (status !== 'ACTIVE' && status !== 'DRAINING')
        throw invalidParameter('Container instance status must be one of: ACTIVE, DRAINING.')
      assertInstances(input.containerInstances, instancesPerStateUpdate)
      return deps.cell().transact((tx) => {
        const cluster = resolveCluster(tx.tables, scope, input.cluster)
        const { hosts, failures } = findInstances(tx.tables, scope, cluster.name, input.containerInstances)
        const containerInstances: ContainerInstance[] = []
        for (const host of hosts) {
          if (host.status !== 'ACTIVE' && host.status !== 'DRAINING') {
            failures.push({ arn: host.arn, reason: 'INACTIVE' })
            continue
          }
          const updated = host.status === status ? host : { ...host, status, version: host.version + 1 }
          if (updated !== host) tx.put('hosts', host.id, updated)
          containerInstances.push(containerInstanceAnswer(tx, updated, ['TAGS']))
        }
        return { containerInstances, failures }
      })
    },

    DeregisterContainerInstance: async (input) =>
      deps.cell().transact((tx) => {
        const cluster = resolveCluster(tx.tables, scope, input.cluster)
        const host = resolveContainerInstance(tx.tables, scope, cluster.name, input.containerInstance)
        if (host.status === 'INACTIVE') throw invalidParameter('The referenced container instance was not found.')
        endTasksOn(tx, host, { force: input.force ?? false, now: deps.clock.now() })
        const gone: HostRecord = { ...host, status: 'INACTIVE', agentConnected: false, version: host.version + 1 }
        tx.put('hosts', host.id, gone)
        return { containerInstance: containerInstanceAnswer(tx, gone, ['TAGS']) }
      }),
  }
}

function assertInstances(containerInstances: readonly string[], atMost: number): void {
  if (containerInstances.length === 0) throw invalidParameter('Container Instances cannot be empty.')
  if (containerInstances.length > atMost)
    throw invalidParameter(`Container Instances cannot have more than ${atMost} elements.`)
}

function findInstances(
  tables: ReadonlyTables,
  scope: ArnScope,
  cluster: string,
  idsOrArns: readonly string[],
): { readonly hosts: HostRecord[]; readonly failures: Failure[] } {
  const hosts: HostRecord[] = []
  const failures: Failure[] = []
  for (const id of new Set(idsOrArns.map((idOrArn) => containerInstanceIdOf(scope, cluster, idOrArn)))) {
    const host = findContainerInstance(tables, scope, cluster, id)
    if (host === undefined) failures.push({ arn: containerInstanceArn(scope, cluster, id), reason: 'MISSING' })
    else hosts.push(host)
  }
  return { hosts, failures }
}

/** By default all but the INACTIVE ones are listed. */
function listContainerInstances(
  tables: ReadonlyTables,
  scope: ArnScope,
  input: EcsInput<'ListContainerInstances'>,
): EcsOutput<'ListContainerInstances'> {
  const cluster = resolveCluster(tables, scope, input.cluster)
  const { status } = input
  const matchesFilter = filterOf(input.filter)
  const candidates = function* () {
    for (const host of tables.hosts.by('cluster', cluster.name)) {
      const wanted = status === undefined ? host.status !== 'INACTIVE' : host.status === status
      if (wanted && matchesFilter(tables, host)) yield host
    }
  }
  const page = {
    after: input.nextToken ? decodeNextToken('ListContainerInstances', input.nextToken) : undefined,
    count: pageSize('ListContainerInstances', input.maxResults) + 1,
  }
  const first = firstByKey(candidates(), ({ id }) => id, page)
  const { items, nextToken } = takePage('ListContainerInstances', input, first, ({ id }) => id)
  return { containerInstanceArns: items.map(({ arn }) => arn), ...(nextToken !== undefined && { nextToken }) }
}

function filterOf(filter: string | undefined): (tables: ReadonlyTables, host: HostRecord) => boolean {
  if (filter === undefined || filter.trim() === '') return () => true
  const query = compileHostQuery(filter)
  if (!query.ok) throw invalidParameter(`Invalid filter at position ${query.position}: ${query.message}`)
  return query.matches
}

/** What a host that leaves has on it ends with it, and services replace it elsewhere. */
function endTasksOn(tx: Transaction, host: HostRecord, { force, now }: { force: boolean; now: number }): void {
  const tasks = [...tx.tables.tasks.by('host', host.id)]
  if (tasks.length > 0 && !force) throw invalidParameter('Found running tasks on the instance.')
  for (const task of tasks) tx.put('tasks', task.id, endTask(task, hostDeregistered, now))
}
