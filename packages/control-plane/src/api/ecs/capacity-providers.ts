import type { CapacityProvider, CapacityProviderStrategyItem } from '@aws-sdk/client-ecs'
import { type ArnScope, capacityProviderArn, parseArn } from '@berth/shared/arn.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { invalidParameter } from '../errors.ts'
import type { EcsHandlers, EcsInput, EcsOutput } from '../operation.ts'
import { takePage } from '../paging.ts'

/** The capacity providers that ECS itself brings. Their names are reserved and they cannot be changed. */
export const reservedCapacityProviders = ['FARGATE', 'FARGATE_SPOT'] as const

type ReservedCapacityProvider = (typeof reservedCapacityProviders)[number]

/** ECS's own limit on the items of one strategy. */
const strategyItems = 20

/** Reads of the capacity providers FARGATE and FARGATE_SPOT. */
export function capacityProviderHandlers(deps: ControlPlaneDeps): Pick<EcsHandlers, 'DescribeCapacityProviders'> {
  return { DescribeCapacityProviders: (input) => describeCapacityProviders(deps.scope, input) }
}

function describeCapacityProviders(
  scope: ArnScope,
  input: EcsInput<'DescribeCapacityProviders'>,
): EcsOutput<'DescribeCapacityProviders'> {
  const wanted = input.capacityProviders ?? []
  if (wanted.length === 0) {
    const { items, nextToken } = takePage('DescribeCapacityProviders', input, reservedCapacityProviders, (name) => name)
    return {
      capacityProviders: items.map((name) => capacityProvider(scope, name)),
      failures: [],
      ...(nextToken === undefined ? {} : { nextToken }),
    }
  }
  const found = [...new Set(wanted)].map((nameOrArn) => ({ nameOrArn, name: findCapacityProvider(scope, nameOrArn) }))
  return {
    capacityProviders: found.flatMap(({ name }) => (name === undefined ? [] : [capacityProvider(scope, name)])),
    failures: found.flatMap(({ nameOrArn, name }) =>
      name === undefined ? [{ arn: capacityProviderArnOf(scope, nameOrArn), reason: 'MISSING' }] : [],
    ),
  }
}

/**
 * The names that `namesOrArns` mean, each once.
 *
 * @throws InvalidParameterException for one that does not exist.
 */
export function resolveCapacityProviders(
  scope: ArnScope,
  namesOrArns: readonly string[],
): readonly ReservedCapacityProvider[] {
  const names = namesOrArns.map((nameOrArn) => {
    const name = findCapacityProvider(scope, nameOrArn)
    if (name === undefined)
      throw invalidParameter(
        `The specified capacity provider '${nameOrArn}' was not found. Specify a valid name or ARN and try again.`,
      )
    return name
  })
  return [...new Set(names)]
}

/**
 * A capacity provider strategy as it is kept, weight and base filled in.
 *
 * @param associated the capacity providers of the cluster.
 * @throws InvalidParameterException when ECS would refuse the strategy.
 */
export function capacityProviderStrategyOf(
  scope: ArnScope,
  strategy: readonly CapacityProviderStrategyItem[],
  associated: readonly string[],
): readonly CapacityProviderStrategyItem[] {
  if (strategy.length === 0) return []
  if (strategy.length > strategyItems)
    throw invalidParameter(
      `The specified capacity provider strategy cannot contain more than ${strategyItems} capacity providers.`,
    )
  const items = strategy.map(({ capacityProvider, weight = 0, base = 0 }) => {
    const [name] = resolveCapacityProviders(scope, [capacityProvider ?? ''])
    return { capacityProvider: name, weight, base }
  })
  const names = new Set(items.map(({ capacityProvider }) => capacityProvider))
  if (names.size < items.length)
    throw invalidParameter('The specified capacity provider strategy cannot contain a capacity provider twice.')
  if (items.some(({ capacityProvider }) => !associated.includes(capacityProvider ?? '')))
    throw invalidParameter(
      'The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.',
    )
  if (items.filter(({ base }) => base > 0).length > 1)
    throw invalidParameter(
      'The specified capacity provider strategy cannot contain more than one capacity provider with a base value greater than 0.',
    )
  if (items.every(({ weight }) => weight === 0))
    throw invalidParameter(
      'The specified capacity provider strategy must contain at least one capacity provider with a weight greater than 0.',
    )
  return items
}

const capacityProvider = (scope: ArnScope, name: ReservedCapacityProvider): CapacityProvider => ({
  capacityProviderArn: capacityProviderArn(scope, name),
  name,
  status: 'ACTIVE',
  type: name,
  tags: [],
})

function findCapacityProvider(scope: ArnScope, nameOrArn: string): ReservedCapacityProvider | undefined {
  return reservedCapacityProviders.find((name) => name === nameOrArn || capacityProviderArn(scope, name) === nameOrArn)
}

const capacityProviderArnOf = (scope: ArnScope, nameOrArn: string): string =>
  parseArn(nameOrArn) === undefined ? capacityProviderArn(scope, nameOrArn) : nameOrArn
