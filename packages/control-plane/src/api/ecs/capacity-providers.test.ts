import { describe, expect, it } from 'vitest'
import { capacityProviderHandlers, capacityProviderStrategyOf } from './capacity-providers.ts'
import { callOperations } from './testing/call-operation.ts'
import { testControlPlane, testScope } from './testing/test-control-plane.ts'

const plane = testControlPlane()
const call = callOperations(plane, capacityProviderHandlers(plane.deps))

describe('DescribeCapacityProviders', () => {
  it('knows FARGATE and FARGATE_SPOT', async () => {
    const { capacityProviders, failures } = await call('DescribeCapacityProviders', {})
    expect(capacityProviders).toEqual(
      ['FARGATE', 'FARGATE_SPOT'].map((name) => ({
        capacityProviderArn: `arn:aws:ecs:us-east-1:123456789012:capacity-provider/${name}`,
        name,
        status: 'ACTIVE',
        type: name,
        tags: [],
      })),
    )
    expect(failures).toEqual([])
  })

  it('finds them by name and ARN, and says which it does not know', async () => {
    const arn = 'arn:aws:ecs:us-east-1:123456789012:capacity-provider/FARGATE_SPOT'
    const { capacityProviders, failures } = await call('DescribeCapacityProviders', {
      capacityProviders: [arn, 'mine'],
    })
    expect(capacityProviders?.map(({ name }) => name)).toEqual(['FARGATE_SPOT'])
    expect(failures).toEqual([{ arn: 'arn:aws:ecs:us-east-1:123456789012:capacity-provider/mine', reason: 'MISSING' }])
  })

  it('answers in pages', async () => {
    const first = await call('DescribeCapacityProviders', { maxResults: 1 })
    const second = await call('DescribeCapacityProviders', { maxResults: 1, nextToken: first.nextToken })
    expect(second.capacityProviders?.map(({ name }) => name)).toEqual(['FARGATE_SPOT'])
    expect(second.nextToken).toBeUndefined()
  })
})

describe('a capacity provider strategy', () => {
  const both = ['FARGATE', 'FARGATE_SPOT']

  it('has weight and base filled in', () => {
    expect(
      capacityProviderStrategyOf(
        testScope,
        [
          { capacityProvider: 'FARGATE', base: 1 },
          { capacityProvider: 'FARGATE_SPOT', weight: 3 },
        ],
        both,
      ),
    ).toEqual([
      { capacityProvider: 'FARGATE', weight: 0, base: 1 },
      { capacityProvider: 'FARGATE_SPOT', weight: 3, base: 0 },
    ])
  })

  it.each([
    ['unknown', [{ capacityProvider: 'mine', weight: 1 }], both],
    ['not of the cluster', [{ capacityProvider: 'FARGATE', weight: 1 }], ['FARGATE_SPOT']],
    ['without weight', [{ capacityProvider: 'FARGATE' }], both],
    [
      'twice the same',
      [
        { capacityProvider: 'FARGATE', weight: 1 },
        { capacityProvider: 'FARGATE', weight: 1 },
      ],
      both,
    ],
    [
      'two bases',
      [
        { capacityProvider: 'FARGATE', weight: 1, base: 1 },
        { capacityProvider: 'FARGATE_SPOT', weight: 1, base: 1 },
      ],
      both,
    ],
    ['too long', Array.from({ length: 21 }, () => ({ capacityProvider: 'FARGATE', weight: 1 })), both],
  ])('is refused: %s', (_, strategy, associated) => {
    expect(() => capacityProviderStrategyOf(testScope, strategy, associated)).toThrow(
      expect.objectContaining({ code: 'InvalidParameterException' }),
    )
  })
})
