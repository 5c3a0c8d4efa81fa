import type { Random } from '@berth/shared/random.ts'
import type { HostFleet } from './host-fleet.ts'
import type { BinpackField, StrategyStep } from './strategy.ts'

/** What a strategy's step sees in a host; the lowest wins. */
export type HostScore = (slot: number) => number

/** What one CPU unit weighs against one MiB: a core counts for as much as 2 GiB, the least that FARGATE gives with one. */
const MIB_PER_CPU_UNIT = 2

/** The keys of an index are 32 bits wide; hosts with more room than this are all alike. */
const MOST_ROOM = 0x7fffffff

/** What `binpack` compares: how much of the field is left, before the task is placed. */
export function binpackValue(fleet: HostFleet, field: BinpackField, slot: number): number {
  return valueLeft(field, fleet.cpuFree[slot] as number, fleet.memoryFree[slot] as number)
}

/** So much CPU and memory, as `binpack` on the field counts it. */
export function valueLeft(field: BinpackField, cpu: number, memory: number): number {
  if (field === 'cpu') return cpu
  if (field === 'memory') return memory
  return Math.min(MOST_ROOM, cpu * MIB_PER_CPU_UNIT + memory)
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

/** The strategy as it is compared: a spread alone leaves many ties, which are packed by room. */
export function completeStrategy(strategy: readonly StrategyStep[]): readonly StrategyStep[] {
  const last = strategy.at(-1)
  return last === undefined || last.type === 'spread' ? [...strategy, { type: 'binpack', field: 'room' }] : strategy
}
