import { describe, expect, test } from 'vitest'
import { hostIds, testCluster } from './testing/test-cluster.ts'

const [first = '', second = ''] = hostIds
const arnOf = (id: string) => `arn:aws:ecs:us-east-1:123456789012:container-instance/default/${id}`
const rack = (value: string, targetId = first) => ({ name: 'rack', value, targetId })

describe('attributes', () => {
  test('what is put is listed, asked for in placement, and deleted again', async () => {
    const { call } = await testCluster()
    const put = await call('PutAttributes', {
      attributes: [rack('1'), { name: 'rack', value: '2', targetId: arnOf(second), targetType: 'container-instance' }],
    })
    expect(put.attributes).toEqual([
      { name: 'rack', value: '1', targetType: 'container-instance', targetId: arnOf(first) },
      { name: 'rack', value: '2', targetType: 'container-instance', targetId: arnOf(second) },
    ])
    const { tasks } = await call('RunTask', {
      taskDefinition: 'web',
      placementConstraints: [{ type: 'memberOf', expression: 'attribute:rack == 2' }],
    })
    expect(tasks?.[0]?.containerInstanceArn).toBe(arnOf(second))

    const list = async (attributeValue?: string) =>
      (
        await call('ListAttributes', {
          targetType: 'container-instance',
          attributeName: 'rack',
          ...(attributeValue !== undefined && { attributeValue }),
        })
      ).attributes?.map(({ value }) => value)
    expect(await list()).toEqual(['1', '2'])
    await call('PutAttributes', { attributes: [rack('3')] })
    expect(await list('3')).toEqual(['3'])
    await call('DeleteAttributes', { attributes: [rack('1')] })
    expect(await list()).toEqual(['3', '2'])
    await call('DeleteAttributes', { attributes: [{ name: 'rack', targetId: first }] })
    expect(await list()).toEqual(['2'])
  })

  test('a host has at most ten of its own, beside those of its agent', async () => {
    const { call } = await testCluster()
    const attributes = Array.from({ length: 10 }, (_, index) => ({ name: `n${index}`, targetId: first }))
    await call('PutAttributes', { attributes })
    await call('PutAttributes', { attributes: [{ name: 'n3', value: 'again', targetId: first }] })
    await expect(call('PutAttributes', { attributes: [rack('1')] })).rejects.toMatchObject({
      code: 'AttributeLimitExceededException',
    })
  })

  test.each([
    ['a host that is not there', [rack('1', 'f'.repeat(32))], 'TargetNotFoundException'],
    ['no host', [{ name: 'rack' }], 'InvalidParameterException'],
    [
      'a name of the agent',
      [{ name: 'ecs.availability-zone', value: 'x', targetId: first }],
      'InvalidParameterException',
    ],
    ['a name that is none', [{ name: 'a b', targetId: first }], 'InvalidParameterException'],
    ['a value that is none', [{ name: 'a', value: ' b', targetId: first }], 'InvalidParameterException'],
    ['nothing', [], 'InvalidParameterException'],
    ['eleven', Array.from({ length: 11 }, () => rack('1')), 'InvalidParameterException'],
  ])('%s is refused, and nothing is kept', async (_, attributes, code) => {
    const { call } = await testCluster()
    await expect(call('PutAttributes', { attributes: [...attributes] })).rejects.toMatchObject({ code })
    const { attributes: listed } = await call('ListAttributes', {
      targetType: 'container-instance',
      attributeName: 'rack',
    })
    expect(listed).toEqual([])
  })

  test('a value alone is no filter', async () => {
    const { call } = await testCluster()
    await expect(
      call('ListAttributes', { targetType: 'container-instance', attributeValue: '1' }),
    ).rejects.toMatchObject({ code: 'InvalidParameterException' })
  })
})
