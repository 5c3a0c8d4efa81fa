import type { Failure, SortOrder, TaskDefinition, TaskDefinitionStatus } from '@aws-sdk/client-ecs'
import { taskDefinitionArn } from '@berth/shared/arn.ts'
import { type TaskDefinitionRecord, taskDefinitionKey } from '../../cell/records.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { ApiError, clientException, invalidParameter } from '../errors.ts'
import type { EcsHandlers, EcsInput, EcsOutput } from '../operation.ts'
import { takePage } from '../paging.ts'
import { findTaskDefinition, parseTaskDefinitionReference } from './arn-references.ts'
import { compatibilitiesOf } from './fargate-compatibility.ts'
import { requiredAttributes } from './required-attributes.ts'
import { tagListOf, tagRecordOf } from './tag-set.ts'
import { withDefaults } from './task-definition-defaults.ts'
import { taskDefinitionAnswer } from './task-definition-json.ts'
import { validateTaskDefinition } from './task-definition-validation.ts'

/** ECS's own limits. */
const revisionsPerFamily = 1_000_000
const definitionsPerDelete = 10

/** Why DeleteTaskDefinitions leaves a revision alone, in ECS's words. */
const deleteFailures = {
  active: 'The specified task definition is still in ACTIVE status. Please deregister the target and try again.',
  invalid: 'The specified task definition identifier is invalid. Specify a valid name or ARN and try again.',
  missing: 'The specified task definition does not exist. Specify a valid account, family, revision and try again.',
} as const

/** Task definitions: families of numbered revisions that never change and whose numbers are never given out again. */
export function taskDefinitionHandlers(
  deps: ControlPlaneDeps,
): Pick<
  EcsHandlers,
  | 'RegisterTaskDefinition'
  | 'DescribeTaskDefinition'
  | 'ListTaskDefinitions'
  | 'ListTaskDefinitionFamilies'
  | 'DeregisterTaskDefinition'
  | 'DeleteTaskDefinitions'
> {
  const { scope, clock } = deps

  return {
    RegisterTaskDefinition: async ({ tags, ...input }, context) => {
      if (tags?.length === 0) throw clientException('Tags can not be empty.')
      const tagRecord = tagRecordOf(tags)
      const normalized = withDefaults(input)
      validateTaskDefinition(normalized)
      const definition: TaskDefinitionRecord['definition'] = {
        ...normalized,
        requiresAttributes: requiredAttributes(normalized),
        compatibilities: compatibilitiesOf(normalized),
      }
      const { family } = normalized
      return deps.cell().transact((tx) => {
        const revision = (tx.tables.families.get(family)?.latestRevision ?? 0) + 1
        if (revision > revisionsPerFamily)
          throw new ApiError('LimitExceededException', `The family '${family}' has no revisions left.`)
        const record: TaskDefinitionRecord = {
          arn: taskDefinitionArn(scope, family, revision),
          family,
          revision,
          status: 'ACTIVE',
          definition,
          registeredAt: clock.now(),
          registeredBy: context.principalArn,
          tags: tagRecord,
        }
        tx.put('families', family, { family, latestRevision: revision })
        tx.put('taskDefinitions', taskDefinitionKey(family, revision), record)
        return { taskDefinition: taskDefinitionAnswer(record), tags: tagListOf(tagRecord) }
      })
    },

    DescribeTaskDefinition: async ({ taskDefinition, include = [] }) =>
      deps.cell().read((tables) => {
        const record = findTaskDefinition(tables, scope, taskDefinition)
        if (record === undefined) throw clientException('Unable to describe task definition.')
        return {
          taskDefinition: taskDefinitionAnswer(record),
          tags: include.includes('TAGS') ? tagListOf(record.tags) : [],
        }
      }),

    ListTaskDefinitions: async (input) => deps.cell().read((tables) => listTaskDefinitions(tables, input)),

    ListTaskDefinitionFamilies: async (input) => deps.cell().read((tables) => listFamilies(tables, input)),

    DeregisterTaskDefinition: async ({ taskDefinition }) =>
      deps.cell().transact((tx) => {
        if (parseTaskDefinitionReference(scope, taskDefinition).revision === undefined)
          throw clientException('Revision is missing.')
        const record = findTaskDefinition(tx.tables, scope, taskDefinition)
        if (record === undefined) throw clientException('The specified task definition does not exist.')
        if (record.status !== 'ACTIVE') return { taskDefinition: taskDefinitionAnswer(record) }
        const ended: TaskDefinitionRecord = { ...record, status: 'INACTIVE', deregisteredAt: clock.now() }
        tx.put('taskDefinitions', taskDefinitionKey(record.family, record.revision), ended)
        return { taskDefinition: taskDefinitionAnswer(ended) }
      }),

    DeleteTaskDefinitions: async ({ taskDefinitions }) => {
      if (taskDefinitions.length === 0) throw invalidParameter('Task definitions cannot be empty.')
      if (taskDefinitions.length > definitionsPerDelete)
        throw invalidParameter(`Task definitions cannot have more than ${definitionsPerDelete} elements.`)
      return deps.cell().transact((tx) => {
        const deleted: TaskDefinition[] = []
        const failures: Failure[] = []
        for (const reference of new Set(taskDefinitions)) {
          const found = findToDelete(tx.tables, reference)
          if ('reason' in found) {
            failures.push(found)
            continue
          }
          const ending: TaskDefinitionRecord =
            found.status === 'DELETE_IN_PROGRESS'
              ? found
              : { ...found, status: 'DELETE_IN_PROGRESS', deleteRequestedAt: clock.now() }
          tx.put('taskDefinitions', taskDefinitionKey(ending.family, ending.revision), ending)
          deleted.push(taskDefinitionAnswer(ending))
        }
        return { taskDefinitions: deleted, failures }
      })
    },
  }

  function findToDelete(
    tables: ReadonlyTables,
    reference: string,
  ): TaskDefinitionRecord | Required<Pick<Failure, 'arn' | 'reason'>> {
    const failure = (reason: string) => ({ arn: reference, reason })
    try {
      if (parseTaskDefinitionReference(scope, reference).revision === undefined) return failure(deleteFailures.invalid)
    } catch (error) {
      if (error instanceof ApiError) return failure(deleteFailures.invalid)
      throw error
    }
    const record = findTaskDefinition(tables, scope, reference)
    if (record === undefined) return failure(deleteFailures.missing)
    return record.status === 'ACTIVE' ? failure(deleteFailures.active) : record
  }
}

/** `familyPrefix` is a whole family's name here, whatever it is called. */
function listTaskDefinitions(
  tables: ReadonlyTables,
  input: EcsInput<'ListTaskDefinitions'>,
): EcsOutput<'ListTaskDefinitions'> {
  const { familyPrefix, status = 'ACTIVE', sort = 'ASC' } = input
  const records =
    familyPrefix === undefined ? tables.taskDefinitions.values() : tables.taskDefinitions.by('family', familyPrefix)
  const sorted = Array.from(records)
    .filter((record) => record.status === status)
    .map(({ arn, family, revision }) => ({ arn, key: pageKey(sort, family, revision) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  const { items, nextToken } = takePage('ListTaskDefinitions', input, sorted, ({ key }) => key)
  return { taskDefinitionArns: items.map(({ arn }) => arn), ...(nextToken === undefined ? {} : { nextToken }) }
}

/** Sorts by family, then by number; for the other way round each character is replaced by its mirror image. */
function pageKey(sort: SortOrder, family: string, revision: number): string {
  const key = `${family}\u0001${String(revision).padStart(7, '0')}\u0001`
  return sort === 'ASC' ? key : Array.from(key, (char) => String.fromCharCode(127 - char.charCodeAt(0))).join('')
}

/** A family is ACTIVE while one of its revisions is, and there at all while it has any. */
function listFamilies(
  tables: ReadonlyTables,
  input: EcsInput<'ListTaskDefinitionFamilies'>,
): EcsOutput<'ListTaskDefinitionFamilies'> {
  const { familyPrefix = '', status = 'ALL' } = input
  const statuses = new Map<string, TaskDefinitionStatus>()
  for (const record of tables.taskDefinitions.values())
    if (record.family.startsWith(familyPrefix) && statuses.get(record.family) !== 'ACTIVE')
      statuses.set(record.family, record.status)
  const families = Array.from(statuses)
    .filter(([, found]) => status === 'ALL' || (status === 'ACTIVE') === (found === 'ACTIVE'))
    .map(([family]) => family)
    .sort()
  const { items, nextToken } = takePage('ListTaskDefinitionFamilies', input, families, (family) => family)
  return { families: items, ...(nextToken === undefined ? {} : { nextToken }) }
}
