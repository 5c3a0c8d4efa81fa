import type { ArnScope } from '@berth/shared/arn.ts'
import { type HostRecord, serviceKey, type ServiceRecord, type TaskRecord } from '../../cell/records.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import { arnOfTask } from '../../cell/task-arns.ts'
import { invalidParameter } from '../errors.ts'
import type { EcsInput, EcsOutput } from '../operation.ts'
import { decodeNextToken, pageSize, takePage } from '../paging.ts'
import { resolveCluster, resolveContainerInstance, resolveService } from './arn-references.ts'
import { firstByKey } from './first-keys.ts'

/** Lists tasks, by default those that are to run. */
export function listTasks(
  tables: ReadonlyTables,
  scope: ArnScope,
  input: EcsInput<'ListTasks'>,
): EcsOutput<'ListTasks'> {
  const { name: cluster } = resolveCluster(tables, scope, input.cluster)
  assertFiltersGoTogether(input)
  const { serviceName, containerInstance } = input
  const service = serviceName === undefined ? undefined : resolveService(tables, scope, cluster, serviceName)
  const host =
    containerInstance === undefined ? undefined : resolveContainerInstance(tables, scope, cluster, containerInstance)
  const matches = taskFilter(input, host)
  const candidates = function* () {
    for (const task of candidatesOf(tables, cluster, service, host)) if (matches(task)) yield task
  }
  const page = {
    after: input.nextToken ? decodeNextToken('ListTasks', input.nextToken) : undefined,
    count: pageSize('ListTasks', input.maxResults) + 1,
  }
  const first = firstByKey(candidates(), ({ id }) => id, page)
  const { items, nextToken } = takePage('ListTasks', input, first, ({ id }) => id)
  return { taskArns: items.map((task) => arnOfTask(scope, task)), ...(nextToken !== undefined && { nextToken }) }
}

function assertFiltersGoTogether(input: EcsInput<'ListTasks'>): void {
  const { startedBy, family, serviceName, containerInstance } = input
  if (startedBy !== undefined && (family ?? serviceName ?? containerInstance) !== undefined)
    throw invalidParameter('startedBy must be the only filter.')
  if (family !== undefined && serviceName !== undefined)
    throw invalidParameter('family and serviceName can not be filtered by together.')
}

/** The smallest set of tasks that an index gives for the request. */
function candidatesOf(
  tables: ReadonlyTables,
  cluster: string,
  service: ServiceRecord | undefined,
  host: HostRecord | undefined,
): Iterable<TaskRecord> {
  if (service !== undefined) return tables.tasks.by('service', serviceKey(cluster, service.name))
  return host === undefined ? tables.tasks.by('cluster', cluster) : tables.tasks.by('everOnHost', host.id)
}

/**
 * ECS has no tasks that are desired to be PENDING, so that asking for them finds none. FARGATE tasks are on no container
 * instance, whichever machine they use.
 */
function taskFilter(input: EcsInput<'ListTasks'>, host: HostRecord | undefined): (task: TaskRecord) => boolean {
  const { desiredStatus = 'RUNNING', startedBy, family, launchType } = input
  return (task) =>
    task.desiredStatus === desiredStatus &&
    (startedBy === undefined || task.startedBy === startedBy) &&
    (family === undefined || task.family === family) &&
    (launchType === undefined || task.launchType === launchType) &&
    (host === undefined || (task.hostId === host.id && task.launchType !== 'FARGATE'))
}
