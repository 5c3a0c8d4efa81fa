import { describe, expect, it } from 'vitest'
import { ecsModel } from '../model/gen/ecs-model.ts'
import { structureMembers, type TypeExpression } from '../model/service-model.ts'
import { unsupportedOperations } from '../unsupported-operations.ts'
import { asPartOfWhatIsRefused, type FieldSupport } from './field-support.ts'
import { fieldsOf, refuseUnsupportedFields } from './refused-fields.ts'
import { requestDecoders } from './request-decoder.ts'

type Path = readonly { readonly structure: string; readonly member: string }[]

const typeOf = ({ structure, member }: Path[number]): TypeExpression => {
  const shape = structureMembers(ecsModel, structure).get(member)
  if (shape === undefined) throw new Error(`${structure} has no ${member}`)
  return shape.type
}

/** Any value of a type that says something. */
function sample(type: TypeExpression, depth = 0): unknown {
  if (type.kind === 'list') return [sample(type.of, depth)]
  if (type.kind === 'map') return { key: sample(type.of, depth) }
  if (type.kind === 'boolean') return true
  if (type.kind !== 'named') return type.kind === 'string' ? 'x' : 1
  const values = ecsModel.enums[type.name]
  if (values !== undefined) return values[0]
  const members = depth > 3 ? [] : [...structureMembers(ecsModel, type.name)]
  return Object.fromEntries(members.map(([member, shape]) => [member, sample(shape.type, depth + 1)]))
}

/** A request with nothing in it but `value` at the end of `path`, and how an error names that place. */
function requestWith(path: Path, value: unknown): { readonly input: object; readonly named: string } {
  const [first, ...rest] = path
  if (first === undefined) throw new Error('a path leads somewhere')
  const type = typeOf(first)
  const inner = rest.length === 0 ? undefined : requestWith(rest, value)
  const isList = type.kind === 'list'
  const held =
    inner === undefined ? (isList && !Array.isArray(value) ? [value] : value) : isList ? [inner.input] : inner.input
  const here = inner !== undefined && isList ? `${first.member}[0]` : first.member
  return { input: { [first.member]: held }, named: inner === undefined ? here : `${here}.${inner.named}` }
}

/** Every way into a request, but not through what is refused. */
function* pathsOf(structure: string, before: Path = []): Generator<{ path: Path; support: FieldSupport | undefined }> {
  for (const { member, support, structure: inner } of fieldsOf(structure)) {
    const path = [...before, { structure, member }]
    yield { path, support }
    if (inner !== undefined && support?.kind !== 'refused' && !before.some((step) => step.structure === inner))
      yield* pathsOf(inner, path)
  }
}

interface RefusalCase {
  readonly operation: string
  readonly named: string
  readonly input: object
  readonly why: string
}

const cases: readonly RefusalCase[] = Object.entries(ecsModel.operations)
  .filter(([operation]) => !(operation in unsupportedOperations))
  .flatMap(([operation, { input: structure }]) =>
    Array.from(pathsOf(structure), ({ path, support }): RefusalCase[] => {
      const last = path.at(-1)
      if (last === undefined || support === undefined) return []
      if (support.kind === 'refused')
        return support.why === asPartOfWhatIsRefused
          ? []
          : [{ operation, why: support.why, ...requestWith(path, sample(typeOf(last))) }]
      return Object.entries(support.refusedValues ?? {}).map(([value, why]) => {
        const { input, named } = requestWith(path, value)
        return { operation, why, input, named: `${named} '${value}'` }
      })
    }).flat(),
  )

const messageOf = ({ operation, input }: RefusalCase): string => {
  try {
    refuseUnsupportedFields(ecsModel.operations[operation]?.input ?? '', input)
    return 'it is taken'
  } catch (error) {
    return (error as Error).message
  }
}

describe('what the table says is refused', () => {
  it('is found in many requests', () => {
    expect(new Set(cases.map(({ operation }) => operation)).size).toBeGreaterThanOrEqual(9)
    expect(cases.length).toBeGreaterThan(60)
  })

  it.each(cases)('$operation refuses $named', (refused) => {
    const message = messageOf(refused)
    expect(message).toContain(refused.why)
    if (!message.includes('does not exist'))
      expect(message).toBe(`${refused.named} is not supported by Berth: ${refused.why}.`)
  })
})

describe('a request', () => {
  const decode = requestDecoders()('CreateServiceRequest')

  it('is refused when it is read, before anybody looks for its cluster', () => {
    expect(() => decode({ serviceName: 'web', cluster: 'nowhere', gatewayConnectors: [{ portName: 'x' }] })).toThrow(
      'gatewayConnectors is not supported by Berth: it has no gateways.',
    )
  })

  it.each([
    {},
    { loadBalancers: [], serviceRegistries: [], vpcLatticeConfigurations: [], volumeConfigurations: [] },
    { serviceConnectConfiguration: { enabled: false, namespace: 'n', services: [{ portName: 'x' }] } },
    { deploymentConfiguration: { alarms: { alarmNames: ['a'], enable: false, rollback: false } } },
    { monitoring: { metricConfigurations: [] } },
  ])('that asks for nothing of what is refused is taken: %j', (members) => {
    expect(decode({ serviceName: 'web', ...members })).toMatchObject({ serviceName: 'web' })
  })
})
