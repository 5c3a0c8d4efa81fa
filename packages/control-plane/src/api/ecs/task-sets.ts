import type { Failure } from '@aws-sdk/client-ecs'
import { type ArnScope, parseArn, taskSetArn } from '@berth/shared/arn.ts'
import type { Transaction } from '../../cell/cell.ts'
import { ofServiceKey, serviceKey, type ServiceRecord, type TaskSetRecord } from '../../cell/records.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import {
  changedTaskSet,
  computedDesiredCount,
  followPrimaryTaskSet,
  putTaskSet,
  taskSetsOf,
} from '../../cell/task-sets.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { invalidParameter, serviceNotActive, taskSetNotFound } from '../errors.ts'
import type { EcsHandlers, EcsInput, EcsOutput } from '../operation.ts'
import { resolveCluster, resolveService } from './arn-references.ts'
import { createTaskSet, scalePercentOf } from './create-task-set.ts'
import { taskSetAnswer } from './task-set-json.ts'

/** Task sets: what an external controller deploys a service by. Their controller starts and stops the tasks. */
export function taskSetHandlers(
  deps: ControlPlaneDeps,
): Pick<
  EcsHandlers,
  'CreateTaskSet' | 'UpdateTaskSet' | 'DeleteTaskSet' | 'DescribeTaskSets' | 'UpdateServicePrimaryTaskSet'
> {
  return {
    CreateTaskSet: async (input) =>
      deps.cell().transact((tx) => createTaskSet(tx, deps, externalService(tx.tables, deps.scope, input), input)),
    UpdateTaskSet: async (input) => deps.cell().transact((tx) => updateTaskSet(tx, deps, input)),
    DeleteTaskSet: async (input) => deps.cell().transact((tx) => deleteTaskSet(tx, deps, input)),
    DescribeTaskSets: async (input) => deps.cell().read((tables) => describeTaskSets(tables, deps.scope, input)),
    UpdateServicePrimaryTaskSet: async (input) => deps.cell().transact((tx) => updatePrimary(tx, deps, input)),
  }
}

interface ServiceReference {
  readonly cluster?: string | undefined
  readonly service: string
}

/**
 * The service that a request is about.
 *
 * @throws ServiceNotFoundException, ServiceNotActiveException, and InvalidParameterException for one that has no task sets, in ECS's words.
 */
function externalService(tables: ReadonlyTables, scope: ArnScope, input: ServiceReference): ServiceRecord {
  const service = knownService(tables, scope, input)
  if (service.status !== 'ACTIVE') throw serviceNotActive()
  return service
}

function knownService(tables: ReadonlyTables, scope: ArnScope, input: ServiceReference): ServiceRecord {
  const service = resolveService(tables, scope, resolveCluster(tables, scope, input.cluster).name, input.service)
  if (service.status === 'INACTIVE') throw serviceNotActive()
  if (service.deploymentController !== 'EXTERNAL')
    throw invalidParameter(
      'Amazon ECS only supports task set management on services configured to use external deployment controllers.',
    )
  return service
}

/** The id that `ecs-svc/<19 digits>` or the ARN of a task set of the service means. @throws InvalidParameterException for other ARNs. */
function taskSetIdOf(scope: ArnScope, { cluster, name }: ServiceRecord, idOrArn: string): string {
  const arn = parseArn(idOrArn)
  if (arn === undefined) return idOrArn
  const id = arn.path.slice(3).join('/')
  if (idOrArn !== taskSetArn(scope, cluster, name, id)) throw invalidParameter('TaskSet Identifier is invalid')
  return id
}

const findTaskSet = (
  tables: ReadonlyTables,
  scope: ArnScope,
  service: ServiceRecord,
  idOrArn: string,
): TaskSetRecord | undefined =>
  tables.taskSets.get(ofServiceKey(serviceKey(service.cluster, service.name), taskSetIdOf(scope, service, idOrArn)))

/** @throws TaskSetNotFoundException when there is none; InvalidParameterException when it is being deleted. */
function usableTaskSet(
  tables: ReadonlyTables,
  scope: ArnScope,
  service: ServiceRecord,
  idOrArn: string,
): TaskSetRecord {
  const set = findTaskSet(tables, scope, service, idOrArn)
  if (set === undefined) throw taskSetNotFound()
  if (set.status === 'DRAINING') throw invalidParameter('The task set is DRAINING: it is being deleted.')
  return set
}

function updateTaskSet(
  tx: Transaction,
  { scope, clock }: ControlPlaneDeps,
  input: EcsInput<'UpdateTaskSet'>,
): EcsOutput<'UpdateTaskSet'> {
  const service = externalService(tx.tables, scope, input)
  const before = usableTaskSet(tx.tables, scope, service, input.taskSet)
  const scalePercent = scalePercentOf(input.scale)
  const set = scalePercent === before.scalePercent ? before : changedTaskSet(before, { scalePercent }, clock.now())
  if (set !== before) putTaskSet(tx, set)
  return { taskSet: taskSetAnswer(scope, tx.tables, service, set, { includeTags: true }) }
}

/** A set that is deleted drains: its controller stops the tasks, and it is gone when they are. */
function deleteTaskSet(
  tx: Transaction,
  { scope, clock }: ControlPlaneDeps,
  input: EcsInput<'DeleteTaskSet'>,
): EcsOutput<'DeleteTaskSet'> {
  const service = externalService(tx.tables, scope, input)
  const before = findTaskSet(tx.tables, scope, service, input.taskSet)
  if (before === undefined) throw taskSetNotFound()
  if (before.status !== 'DRAINING' && input.force !== true) assertDeletable(service, before)
  const set = before.status === 'DRAINING' ? before : changedTaskSet(before, { status: 'DRAINING' }, clock.now())
  if (set !== before) putTaskSet(tx, set)
  const after = before.status === 'PRIMARY' ? followPrimaryTaskSet(service, undefined) : service
  // The service is no longer as steady as its set was.
  tx.put('services', serviceKey(service.cluster, service.name), { ...after, steady: false })
  return { taskSet: taskSetAnswer(scope, tx.tables, service, set, { includeTags: true }) }
}

function assertDeletable(service: ServiceRecord, set: TaskSetRecord): void {
  if (set.status === 'PRIMARY')
    throw invalidParameter('The primary task set cannot be deleted. Use force to delete it all the same.')
  if (computedDesiredCount(service, set) > 0)
    throw invalidParameter('The task set cannot be deleted while it is scaled above 0.')
}

function describeTaskSets(
  tables: ReadonlyTables,
  scope: ArnScope,
  input: EcsInput<'DescribeTaskSets'>,
): EcsOutput<'DescribeTaskSets'> {
  const service = knownService(tables, scope, input)
  const includeTags = input.include?.includes('TAGS') ?? false
  const failures: Failure[] = []
  const sets = new Set<TaskSetRecord>()
  for (const idOrArn of input.taskSets ?? []) {
    const set = findTaskSet(tables, scope, service, idOrArn)
    if (set !== undefined) sets.add(set)
    else
      failures.push({
        arn: taskSetArn(scope, service.cluster, service.name, taskSetIdOf(scope, service, idOrArn)),
        reason: 'MISSING',
      })
  }
  const described = (input.taskSets?.length ?? 0) === 0 ? taskSetsOf(tables, service) : [...sets]
  return { taskSets: described.map((set) => taskSetAnswer(scope, tables, service, set, { includeTags })), failures }
}

/** What the service says of its tasks is the new primary's from now on; the one before stays ACTIVE. */
function updatePrimary(
  tx: Transaction,
  { scope, clock }: ControlPlaneDeps,
  input: EcsInput<'UpdateServicePrimaryTaskSet'>,
): EcsOutput<'UpdateServicePrimaryTaskSet'> {
  const service = externalService(tx.tables, scope, input)
  const chosen = usableTaskSet(tx.tables, scope, service, input.primaryTaskSet)
  const updatedAt = clock.now()
  for (const set of taskSetsOf(tx.tables, service))
    if (set.status === 'PRIMARY' && set.id !== chosen.id) putTaskSet(tx, { ...set, status: 'ACTIVE', updatedAt })
  const primary: TaskSetRecord = chosen.status === 'PRIMARY' ? chosen : { ...chosen, status: 'PRIMARY', updatedAt }
  putTaskSet(tx, primary)
  tx.put('services', serviceKey(service.cluster, service.name), followPrimaryTaskSet(service, primary))
  return { taskSet: taskSetAnswer(scope, tx.tables, service, primary, { includeTags: true }) }
}
