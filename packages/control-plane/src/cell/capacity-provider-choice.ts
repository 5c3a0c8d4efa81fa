import type * as ecs from '@aws-sdk/client-ecs'

/**
 * Says which capacity provider each of the next `count` tasks goes to: first the one with a `base` that is not met, then
 * the one that is furthest behind its share by `weight`. `existing` counts the tasks that each provider has already.
 */
export function chooseCapacityProviders(
  strategy: readonly ecs.CapacityProviderStrategyItem[],
  count: number,
  existing: ReadonlyMap<string, number> = new Map(),
): string[] {
  const shares = strategy.map(({ capacityProvider = '', weight = 0, base = 0 }) => ({
    name: capacityProvider,
    weight,
    base,
    tasks: existing.get(capacityProvider) ?? 0,
  }))
  return Array.from({ length: count }, () => {
    const next = shares.find(({ base, tasks }) => tasks < base) ?? furthestBehind(shares)
    if (next === undefined) return ''
    next.tasks++
    return next.name
  })
}

interface Share {
  readonly weight: number
  readonly base: number
  readonly tasks: number
}

/** How full a provider's share would be with one more task; the base does not count. */
const fullness = ({ weight, base, tasks }: Share): number => (tasks - base + 1) / weight

/** Among equals the one that the strategy names first. */
function furthestBehind<S extends Share>(shares: readonly S[]): S | undefined {
  let best: S | undefined
  for (const share of shares) {
    if (share.weight === 0) continue
    if (best === undefined || fullness(share) < fullness(best)) best = share
  }
  return best
}

/** Whether a capacity provider is one of FARGATE's. */
export const isFargateProvider = (name: string): boolean => name === 'FARGATE' || name === 'FARGATE_SPOT'
