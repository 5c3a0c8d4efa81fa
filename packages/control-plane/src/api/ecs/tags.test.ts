import { beforeEach, describe, expect, it } from 'vitest'
import { clusterHandlers } from './clusters.ts'
import { tagHandlers } from './tags.ts'
import { taskDefinitionHandlers } from './task-definitions.ts'
import { type CallOperation, callOperations } from './testing/call-operation.ts'
import { definitionOf } from './testing/definitions.ts'
import { defaultClusterArn, hostRecord, serviceRecord, taskRecord } from './testing/records.ts'
import { type TestControlPlane, testControlPlane } from './testing/test-control-plane.ts'

const arn = (resource: string) => `arn:aws:ecs:us-east-1:123456789012:${resource}`
const manyTags = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value: '' }))

let plane: TestControlPlane
let call: CallOperation
beforeEach(async () => {
  plane = testControlPlane()
  const { deps } = plane
  call = callOperations(plane, { ...clusterHandlers(deps), ...taskDefinitionHandlers(deps), ...tagHandlers(deps) })
  await call('CreateCluster', {})
  await call('RegisterTaskDefinition', definitionOf())
  await plane.put('tasks', 't1', taskRecord('t1'))
  await plane.put('hosts', 'h1', hostRecord('h1'))
  await plane.put('services', 'default/s1', serviceRecord('s1'))
})

describe.each([
  defaultClusterArn,
  arn('service/default/s1'),
  arn('task/default/t1'),
  arn('task-definition/web:1'),
  arn('container-instance/default/h1'),
])('%s', (resourceArn) => {
  it('is tagged, tagged again and untagged', async () => {
    await call('TagResource', { resourceArn, tags: [{ key: 'a', value: '1' }, { key: 'b' }] })
    await call('TagResource', { resourceArn, tags: [{ key: 'a', value: '2' }] })
    expect((await call('ListTagsForResource', { resourceArn })).tags).toEqual([
      { key: 'a', value: '2' },
      { key: 'b', value: '' },
    ])
    await call('UntagResource', { resourceArn, tagKeys: ['a', 'never there'] })
    expect((await call('ListTagsForResource', { resourceArn })).tags).toEqual([{ key: 'b', value: '' }])
  })
})

describe('tags', () => {
  const resourceArn = defaultClusterArn

  it('are 50 at most, those that are there counted', async () => {
    await call('TagResource', { resourceArn, tags: manyTags(50) })
    await call('TagResource', { resourceArn, tags: [{ key: 'k1', value: 'new' }] })
    await expect(call('TagResource', { resourceArn, tags: [{ key: 'k51', value: '' }] })).rejects.toMatchObject({
      code: 'InvalidParameterException',
    })
  })

  it.each(['aws:mine', 'AWS:mine'])('cannot have the reserved key %s', async (key) => {
    await expect(call('TagResource', { resourceArn, tags: [{ key, value: '' }] })).rejects.toThrow("'aws:'")
    await expect(call('UntagResource', { resourceArn, tagKeys: [key] })).rejects.toThrow("'aws:'")
  })

  it.each([
    ['twice the same key', [{ key: 'a' }, { key: 'a' }]],
    ['no key', [{ value: 'a' }]],
    ['none', []],
    ['a key that is too long', [{ key: 'k'.repeat(129) }]],
    ['a value that is too long', [{ key: 'k', value: 'v'.repeat(257) }]],
    ['characters that are not allowed', [{ key: 'k', value: '<' }]],
  ])('are refused: %s', async (_, tags) => {
    await expect(call('TagResource', { resourceArn, tags })).rejects.toMatchObject({ name: 'ApiError' })
    expect((await call('ListTagsForResource', { resourceArn })).tags).toEqual([])
  })

  it('may have any name, those of JavaScript included', async () => {
    await call('TagResource', { resourceArn, tags: [{ key: '__proto__', value: 'x' }] })
    expect((await call('ListTagsForResource', { resourceArn })).tags).toEqual([{ key: '__proto__', value: 'x' }])
  })
})

describe('a resource that is not there', () => {
  it.each([
    [arn('cluster/none'), 'ClusterNotFoundException', 'Cluster not found.'],
    [arn('task/default/none'), 'ResourceNotFoundException', 'The specified task is not found.'],
    [arn('task/other/t1'), 'ResourceNotFoundException', 'The specified task is not found.'],
    [arn('service/default/none'), 'ResourceNotFoundException', 'The specified service is not found.'],
    [arn('task-definition/web:2'), 'ResourceNotFoundException', 'The specified task definition is not found.'],
    [arn('task-definition/web'), 'InvalidParameterException', 'The specified ARN is invalid.'],
    [arn('constructor/x'), 'InvalidParameterException', 'The specified ARN is invalid.'],
    [arn('cluster'), 'InvalidParameterException', 'The specified ARN is invalid.'],
    ['default', 'InvalidParameterException', 'The specified ARN is invalid.'],
    [
      'arn:aws:ecs:eu-west-1:123456789012:cluster/default',
      'InvalidParameterException',
      'The specified ARN is invalid.',
    ],
  ])('%s', async (resourceArn, code, message) => {
    const refusal = { code, message: expect.stringContaining(message) as string }
    await expect(call('ListTagsForResource', { resourceArn })).rejects.toMatchObject(refusal)
    await expect(call('TagResource', { resourceArn, tags: [{ key: 'a' }] })).rejects.toMatchObject(refusal)
    await expect(call('UntagResource', { resourceArn, tagKeys: ['a'] })).rejects.toMatchObject(refusal)
  })

  it('any more, in the words that clients match on', async () => {
    await call('CreateCluster', { clusterName: 'gone' })
    await call('DeleteCluster', { cluster: 'gone' })
    await expect(call('ListTagsForResource', { resourceArn: arn('cluster/gone') })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'The specified cluster is inactive. Specify an active cluster and try again.',
    })
  })
})
