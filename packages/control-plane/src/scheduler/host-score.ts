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
  return shareLeft(cpu, fleet.cpuTotal[slot] as number, memory, fleet.memoryTotal[slot] as number)
}

/** The larger of two parts left, in 1/65536. */
export function shareLeft(cpu: number, cpuTotal: number, memory: number, memoryTotal: number): number {
  const cpuShare = (cpu * SHARE_SCALE) / Math.max(1, cpuTotal)
  const memoryShare = (memory * SHARE_SCALE) / Math.max(1, memoryTotal)
  return Math.trunc(Math.max(cpuShare, memoryShare))
}

/** How one step of a strategy scores hosts for a task of `group`, as long as no task of it comes or goes. */
export function scoreOf(fleet: HostFleet, step: StrategyStep, group: string, random: Random): HostScore {
  if (step.type === 'random') return () => random.uint32()
  if (step.type === 'binpack') {
    const { field } = step
    return (slot) => binpackValue(fleet, field, slot)
  }
  if (step.by.kind === 'host') return (slot) => fleet.groupCount(group, slot)
  const values = fleet.attributeValues(step.by.name)
  const counts = fleet.group(group)?.countsByValue(values)
  return (slot) => counts?.[values.of(slot)] ?? 0
}

/** The strategy as it is compared: a spread alone leaves many ties, which are packed by dominant share. */
export function completeStrategy(strategy: readonly StrategyStep[]): readonly StrategyStep[] {
  const last = strategy.at(-1)
  return last === undefined || last.type === 'spread' ? [...strategy, { type: 'binpack', field: 'share' }] : strategy
}
