import type { Attribute } from '@aws-sdk/client-ecs'
import type { Transaction } from '../../cell/cell.ts'
import type { HostAttributeRecord, HostRecord } from '../../cell/records.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { ApiError, invalidParameter } from '../errors.ts'
import type { EcsHandlers, EcsInput, EcsOutput } from '../operation.ts'
import { takePage } from '../paging.ts'
import { findContainerInstance, resolveCluster } from './arn-references.ts'

/** ECS's own limits: attributes of one call, and custom attributes of one resource. */
const attributesPerCall = 10
const attributesPerTarget = 10

/** Names that begin so are of the agent, and tell what a host can do. */
const reservedPrefixes = ['ecs.', 'com.amazonaws.']

const namePattern = /^[A-Za-z0-9_./\\-]{1,128}$/
const valuePattern = /^[A-Za-z0-9_./\\@:\s-]{1,128}$/

/** Attributes that users give to container instances, for placement to ask. */
export function attributeHandlers(
  deps: ControlPlaneDeps,
): Pick<EcsHandlers, 'PutAttributes' | 'DeleteAttributes' | 'ListAttributes'> {
  const { scope } = deps

  /** Changes the attributes of the hosts that a request names, one after the other, and answers with what was named. */
  const change = (
    input: { readonly cluster?: string | undefined; readonly attributes: readonly Attribute[] },
    changed: (host: HostRecord, attribute: NamedAttribute) => readonly HostAttributeRecord[],
  ) =>
    deps.cell().transact((tx) => {
      const cluster = resolveCluster(tx.tables, scope, input.cluster)
      assertNumber(input.attributes)
      return {
        attributes: input.attributes.map((given) => {
          const attribute = usableAttribute(given)
          const host = targetOf(tx, cluster.name, given)
          tx.put('hosts', host.id, { ...host, attributes: changed(host, attribute), version: host.version + 1 })
          return answer(host, attribute)
        }),
      }
    })

  function targetOf(tx: Transaction, cluster: string, { targetId, targetType }: Attribute): HostRecord {
    if (targetType !== undefined && targetType !== 'container-instance')
      throw invalidParameter('The target type must be container-instance.')
    if (targetId === undefined || targetId === '') throw invalidParameter('targetId can not be empty.')
    const host = findContainerInstance(tx.tables, scope, cluster, targetId)
    if (host === undefined || host.status === 'INACTIVE')
      throw new ApiError('TargetNotFoundException', `The specified target wasn't found: ${targetId}`)
    return host
  }

  return {
    PutAttributes: async (input) => change(input, putAttribute),
    DeleteAttributes: async (input) => change(input, deleteAttribute),
    ListAttributes: async (input) =>
      deps.cell().read((tables) => {
        const cluster = resolveCluster(tables, scope, input.cluster)
        return listAttributes(tables, cluster.name, input)
      }),
  }
}

interface NamedAttribute {
  readonly name: string
  readonly value?: string
}

function assertNumber(attributes: readonly Attribute[]): void {
  if (attributes.length === 0) throw invalidParameter('Attributes cannot be empty.')
  if (attributes.length > attributesPerCall)
    throw invalidParameter(`Attributes cannot have more than ${attributesPerCall} elements.`)
}

function usableAttribute({ name, value }: Attribute): NamedAttribute {
  if (name === undefined || !namePattern.test(name)) throw invalidParameter(`Invalid attribute name: ${name ?? ''}`)
  if (reservedPrefixes.some((prefix) => name.startsWith(prefix)))
    throw invalidParameter(`Attribute names that begin with ${reservedPrefixes.join(' or ')} are reserved: ${name}`)
  if (value === undefined || value === '') return { name }
  if (!valuePattern.test(value) || value !== value.trim())
    throw invalidParameter(`Invalid value for attribute ${name}: ${value}`)
  return { name, value }
}

function putAttribute(host: HostRecord, { name, value }: NamedAttribute): readonly HostAttributeRecord[] {
  const attribute = { name, ...(value !== undefined && { value }), fromAgent: false }
  const others = host.attributes.filter((other) => other.name !== name)
  if (others.filter(({ fromAgent }) => !fromAgent).length >= attributesPerTarget)
    throw new ApiError(
      'AttributeLimitExceededException',
      `A container instance can have at most ${attributesPerTarget} custom attributes.`,
    )
  return [...others, attribute]
}

/** With a value, only the attribute of that value is deleted; one that is not there is no mistake. */
function deleteAttribute(host: HostRecord, { name, value }: NamedAttribute): readonly HostAttributeRecord[] {
  return host.attributes.filter(
    (attribute) => attribute.name !== name || (value !== undefined && attribute.value !== value),
  )
}

const answer = (host: HostRecord, { name, value }: NamedAttribute): Attribute => ({
  name,
  ...(value !== undefined && { value }),
  targetType: 'container-instance',
  targetId: host.arn,
})

function listAttributes(
  tables: ReadonlyTables,
  cluster: string,
  input: EcsInput<'ListAttributes'>,
): EcsOutput<'ListAttributes'> {
  const { attributeName, attributeValue } = input
  if (attributeValue !== undefined && attributeName === undefined)
    throw invalidParameter('attributeName must be specified when filtering by attributeValue.')
  const found = [...tables.hosts.by('cluster', cluster)]
    .filter(({ status }) => status !== 'INACTIVE')
    .flatMap((host) =>
      host.attributes
        .filter(({ name }) => attributeName === undefined || name === attributeName)
        .filter(({ value }) => attributeValue === undefined || value === attributeValue)
        .map((attribute) => ({ key: `${attribute.name} ${host.id}`, attribute: answer(host, attribute) })),
    )
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  const { items, nextToken } = takePage('ListAttributes', input, found, ({ key }) => key)
  return { attributes: items.map(({ attribute }) => attribute), ...(nextToken !== undefined && { nextToken }) }
}
