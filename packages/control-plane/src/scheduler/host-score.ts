import type { Random } from '@berth/shared/random.ts'
import type { HostFleet } from './host-fleet.ts'
import type { BinpackField, StrategyStep } from './strategy.ts'

/** What a strategy's step sees in a host; the lowest wins. */
export type HostScore = (slot: number) => number

/** Shares are compared in steps of 1/65536 of a host. */
export const SHARE_SCALE = 65_536

/**
 * What `binpack` compares: how much of the field is left, before the task is placed. For `share`: of the dimension of which
 * the host has the largest part left, that part in 1/65536.
 */
export function binpackValue(fleet: HostFleet, field: BinpackField, slot: number): number {
  const cpu = fleet.cpuFree[slot] as number
  const memory = fleet.memoryFree[slot] as number
  if (field === 'cpu') return cpu
  if (field === 'memory') return memory
  const cpuShare = (cpu * SHARE_SCALE) / Math.max(1, fleet.cpuTotal[slot] as number)
  const memoryShare = (memory * SHARE_SCALE) / Math.max(1, fleet.memoryTotal[slot] as number)
  return Math.trunc(Math.max(cpuShare, memoryShare))
}

/** How one step of a strategy scores hosts for a task of `group`; reads the fleet as it is at each call. */
export function scoreOf(fleet: HostFleet, step: StrategyStep, group: string, random: Random): HostScore {
  if (step.type === 'random') return () => random.uint32()
  if (step.type === 'binpack') {
    const { field } = step
    return (slot) => binpackValue(fleet, field, slot)
  }
  if (step.by.kind === 'host') return (slot) => fleet.groupCount(group, slot)
  const values = fleet.attributeValues(step.by.name)
  return (slot) => fleet.groups.byValue(group, values)[values.of(slot)] ?? 0
}

/** The strategy as it is compared: a chain that leaves ties is ended by packing by dominant share. */
export function completeStrategy(strategy: readonly StrategyStep[]): readonly StrategyStep[] {
  const last = strategy.at(-1)
  if (last !== undefined && (last.type === 'random' || (last.type === 'binpack' && last.field === 'share')))
    return strategy
  return [...strategy, { type: 'binpack', field: 'share' }]
}
