import { type ArnScope, parseArn, shortName } from '@berth/shared/arn.ts'
import {
  type CellRecords,
  ofServiceKey,
  serviceKey,
  type TableName,
  type TagRecord,
  taskDefinitionKey,
} from '../../cell/records.ts'
import type { Transaction } from '../../cell/cell.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import { arnOfTask } from '../../cell/task-arns.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { type ApiError, clusterNotFound, invalidParameter, resourceNotFound } from '../errors.ts'
import type { EcsHandlers } from '../operation.ts'
import { parseTaskDefinitionReference } from './arn-references.ts'
import { tagListOf, withoutTags, withTags } from './tag-set.ts'

/** The tables whose records have tags. */
type TaggedTable = { [K in TableName]: CellRecords[K] extends { readonly tags: TagRecord } ? K : never }[TableName]

/** One resource that can have tags. */
interface Tagged {
  readonly table: TaggedTable
  readonly key: string
  /** How ECS's messages call it. */
  readonly title: string
}

/** How to find what an ARN's `<kind>/...` means. */
const taggedKinds: Readonly<Record<string, (scope: ArnScope, arn: string, path: readonly string[]) => Tagged>> = {
  cluster: (_, __, [name = '']) => ({ table: 'clusters', key: name, title: 'cluster' }),
  service: (_, __, [cluster = '', name = '']) => ({
    table: 'services',
    key: serviceKey(cluster, name),
    title: 'service',
  }),
  'task-set': (_, __, [cluster = '', name = '', ...id]) => ({
    table: 'taskSets',
    key: ofServiceKey(serviceKey(cluster, name), id.join('/')),
    title: 'task set',
  }),
  task: (_, arn) => ({ table: 'tasks', key: shortName(arn), title: 'task' }),
  'container-instance': (_, arn) => ({ table: 'hosts', key: shortName(arn), title: 'container instance' }),
  'task-definition': (scope, arn) => {
    const { family, revision } = parseTaskDefinitionReference(scope, arn)
    if (revision === undefined) throw invalidArn()
    return { table: 'taskDefinitions', key: taskDefinitionKey(family, revision), title: 'task definition' }
  },
}

/** Tags of clusters, services, task sets, tasks, task definitions and container instances. */
export function tagHandlers(
  deps: ControlPlaneDeps,
): Pick<EcsHandlers, 'TagResource' | 'UntagResource' | 'ListTagsForResource'> {
  const { scope } = deps

  const change = (arn: string, changed: (tags: TagRecord) => TagRecord) =>
    deps.cell().transact((tx) => {
      const tagged = taggedResource(scope, arn)
      const record = findTagged(tx.tables, scope, tagged, arn)
      putTags(tx, tagged, { ...record, tags: changed(record.tags) })
      return {}
    })

  return {
    TagResource: async ({ resourceArn, tags }) => {
      if (tags.length === 0) throw invalidParameter('Tags can not be empty.')
      return change(resourceArn, (present) => withTags(present, tags))
    },

    UntagResource: async ({ resourceArn, tagKeys }) => {
      if (tagKeys.length === 0) throw invalidParameter('Tag keys can not be empty.')
      return change(resourceArn, (present) => withoutTags(present, tagKeys))
    },

    ListTagsForResource: async ({ resourceArn }) => {
      const tagged = taggedResource(scope, resourceArn)
      return deps.cell().read((tables) => ({ tags: tagListOf(findTagged(tables, scope, tagged, resourceArn).tags) }))
    },
  }
}

/** @throws InvalidParameterException for what is no ARN of a taggable resource of this account and region. */
function taggedResource(scope: ArnScope, text: string): Tagged {
  const arn = parseArn(text)
  const [kind = '', ...path] = arn?.path ?? []
  const find = Object.hasOwn(taggedKinds, kind) ? taggedKinds[kind] : undefined
  if (arn?.service !== 'ecs' || find === undefined || path.length === 0) throw invalidArn()
  if (arn.region !== scope.region || arn.account !== scope.account) throw invalidArn()
  return find(scope, text, path)
}

/** A record that has tags, as far as that is of interest. */
type TaggedRecord = CellRecords[TaggedTable]

/**
 * @throws ClusterNotFoundException for a cluster that is not there, ResourceNotFoundException for another resource;
 *   InvalidParameterException for a deleted cluster or service, or a stopped task, as ECS.
 */
function findTagged(tables: ReadonlyTables, scope: ArnScope, { table, key, title }: Tagged, arn: string): TaggedRecord {
  const record: TaggedRecord | undefined = tables[table].get(key)
  if (record === undefined || arnOf(scope, record) !== arn) {
    if (table === 'clusters') throw clusterNotFound()
    throw resourceNotFound(`The specified ${title} is not found. Specify a valid ${title} and try again.`)
  }
  if (hasEnded(table, record))
    throw invalidParameter(`The specified ${title} is inactive. Specify an active ${title} and try again.`)
  return record
}

const arnOf = (scope: ArnScope, record: TaggedRecord): string =>
  'arn' in record ? record.arn : arnOfTask(scope, record)

/** INACTIVE task definitions can still be tagged; other resources cannot once they have ended. */
const hasEnded = (table: TaggedTable, record: TaggedRecord): boolean =>
  'lastStatus' in record ? record.lastStatus === 'STOPPED' : table !== 'taskDefinitions' && record.status === 'INACTIVE'

function putTags(tx: Transaction, { table, key }: Tagged, record: TaggedRecord): void {
  tx.put(table, key, record)
}

const invalidArn = (): ApiError => invalidParameter('The specified ARN is invalid. Specify a valid ARN and try again.')
