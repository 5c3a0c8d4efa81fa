import { describe, expect, it } from 'vitest'
import { ApiError } from '../errors.ts'
import { compileDecoder } from './compile-decoder.ts'
import { ecsConstraints } from './ecs-constraints.ts'
import { ecsModel } from './gen/ecs-model.ts'
import type { ServiceModel } from './service-model.ts'

const decoderOf = compileDecoder(ecsModel, ecsConstraints)
const decode = (structure: string, json: unknown) => decoderOf(structure)(json, [])

function refusal(structure: string, json: unknown): string {
  try {
    decode(structure, json)
  } catch (error) {
    if (error instanceof ApiError) return `${error.code}: ${error.message}`
    throw error
  }
  return 'taken'
}

describe('decoding a request', () => {
  it('takes every structure of the model', () => {
    expect(() => Object.keys(ecsModel.structures).forEach(decoderOf)).not.toThrow()
  })

  it('gives timestamps as Date, to the millisecond', () => {
    expect(decode('SubmitTaskStateChangeRequest', { pullStartedAt: 1_700_000_000.123 })).toEqual({
      pullStartedAt: new Date(1_700_000_000_123),
    })
  })

  it('takes null for an absent member', () => {
    expect(decode('ListTasksRequest', { cluster: null, maxResults: 5 })).toEqual({ maxResults: 5 })
  })

  it('keeps an empty list apart from an absent one', () => {
    expect(decode('RunTaskRequest', { taskDefinition: 'a', capacityProviderStrategy: [] })).toEqual({
      taskDefinition: 'a',
      capacityProviderStrategy: [],
    })
  })

  it('counts an unknown protocol of a port mapping as tcp', () => {
    expect(decode('PortMapping', { protocol: 'sctp' })).toEqual({ protocol: 'tcp' })
    expect(decode('PortMapping', { protocol: 'udp' })).toEqual({ protocol: 'udp' })
  })

  it('tolerates lone surrogates', () => {
    expect(decode('ListTasksRequest', { family: '\ud800' })).toEqual({ family: '\ud800' })
  })

  const container = { containerDefinitions: [{ name: 'a' }, { name: 'b', cpu: '12x' }], family: 'f' }
  it.each([
    [
      'RegisterTaskDefinitionRequest',
      container,
      'SerializationException: STRING_VALUE cannot be converted to Integer (at containerDefinitions[1].cpu)',
    ],
    [
      'RegisterTaskDefinitionRequest',
      { family: 5, containerDefinitions: [] },
      'SerializationException: NUMBER_VALUE cannot be converted to String (at family)',
    ],
    [
      'RegisterTaskDefinitionRequest',
      { containerDefinitions: 'oops' },
      'SerializationException: Expected list or null (at containerDefinitions)',
    ],
    [
      'RegisterTaskDefinitionRequest',
      { containerDefinitions: [null] },
      'SerializationException: null is not allowed as a value of a list or map (at containerDefinitions[0])',
    ],
    [
      'RegisterTaskDefinitionRequest',
      { family: {} },
      'SerializationException: Start of structure or map found where not expected. (at family)',
    ],
    [
      'RegisterTaskDefinitionRequest',
      { family: 'f' },
      "InvalidParameterException: 1 validation error detected: Value null at 'containerDefinitions' failed to satisfy constraint: Member must not be null",
    ],
    ['ListTasksRequest', [], 'SerializationException: Expected structure or map or null'],
    [
      'ListTasksRequest',
      { maxResults: 2 ** 31 },
      'SerializationException: NUMBER_VALUE cannot be converted to Integer (at maxResults)',
    ],
    [
      'ListTasksRequest',
      { maxResults: 1.5 },
      'SerializationException: NUMBER_VALUE cannot be converted to Integer (at maxResults)',
    ],
    [
      'ListTasksRequest',
      { desiredStatus: 'running' },
      "InvalidParameterException: 1 validation error detected: Value 'running' at 'desiredStatus' failed to satisfy constraint: Member must satisfy enum value set: [PENDING, RUNNING, STOPPED]",
    ],
    ['ListTasksRequest', { colour: 'red' }, 'ClientException: Unknown parameter in input: "colour".'],
    ['ListTasksRequest', { toString: 'x' }, 'ClientException: Unknown parameter in input: "toString".'],
    [
      'RunTaskRequest',
      { taskDefinition: 'a', overrides: { containerOverrides: [{ nam: 'x' }] } },
      'ClientException: Unknown parameter in input: "overrides.containerOverrides[0].nam".',
    ],
    [
      'CapacityProviderStrategyItem',
      { capacityProvider: 'a', base: -1 },
      "InvalidParameterException: 1 validation error detected: Value '-1' at 'base' failed to satisfy constraint: Member must have value greater than or equal to 0",
    ],
    [
      'TagResourceRequest',
      { resourceArn: 'a', tags: [{ key: '' }] },
      "InvalidParameterException: 1 validation error detected: Value '' at 'tags[0].key' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'TagResourceRequest',
      { resourceArn: 'a', tags: [{ key: 'a?b' }] },
      "InvalidParameterException: 1 validation error detected: Value 'a?b' at 'tags[0].key' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*$",
    ],
    [
      'TagResourceRequest',
      { resourceArn: 'a', tags: Array.from({ length: 51 }, () => ({ key: 'a' })) },
      "InvalidParameterException: 1 validation error detected: Value 'list of 51' at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50",
    ],
    ['SharingStrategy', {}, 'SerializationException: Exactly one of nvidiaMps must be set'],
  ])('refuses %s %j', (structure, json, expected) => {
    expect(refusal(structure, json)).toBe(expected)
  })

  it('refuses __proto__ as a member and as a key of a map', () => {
    const body = JSON.parse('{"__proto__":{"polluted":true}}') as unknown
    expect(refusal('ListTasksRequest', body)).toBe('ClientException: Unknown parameter in input: "__proto__".')
    const labels = JSON.parse('{"dockerLabels":{"__proto__":"x"}}') as unknown
    expect(refusal('ContainerDefinition', labels)).toBe(
      'ClientException: The key "dockerLabels.__proto__" is not allowed.',
    )
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('is not troubled by nesting without end, even where any JSON is allowed', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown
    expect(refusal('ListTasksRequest', { cluster: deep })).toContain('Start of structure')
    expect(refusal('DeploymentLifecycleHook', { hookDetails: deep })).toBe(
      'SerializationException: The value is nested too deeply (at hookDetails)',
    )
  })

  it('will not be compiled for a structure that contains itself', () => {
    const recursive: ServiceModel = { ...ecsModel, structures: { Tree: { children: 'list<Tree>' } } }
    expect(() => compileDecoder(recursive, {})('Tree')).toThrow('the structure Tree contains itself')
  })
})

describe('the constraints', () => {
  it('are about members that the model has', () => {
    const members = Object.entries(ecsModel.structures).flatMap(([name, shape]) =>
      Object.keys(shape).map((member) => `${name}.${member}`),
    )
    const types = new Set(Object.values(ecsModel.structures).flatMap((shape) => Object.values(shape)))
    expect(Object.keys(ecsConstraints).filter((key) => !members.includes(key) && !types.has(key))).toEqual([])
  })
})
