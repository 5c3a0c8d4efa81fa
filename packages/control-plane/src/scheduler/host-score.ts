import type { Random } from '@berth/shared/random.ts'
import type { HostFleet } from './host-fleet.ts'
import type { BinpackField, StrategyStep } from './strategy.ts'

/** What a strategy's step sees in a host; the lowest wins. */
export type HostScore = (slot: number) => number

/** What one CPU unit weighs against one MiB: a core counts for as much as 2 GiB, the least that FARGATE gives with one. */
const MIB_PER_CPU_UNIT = 2

/**
 * Room of CPU and memory is below this, so that room and GPUs make one key of 31 bits, as an index needs it. Hosts with more
 * (128 cores and 8 TiB) are all alike, and so are those with more than 15 GPUs.
 */
const ROOM_PER_GPU_RANK = 2 ** 23
const MOST_GPUS = 15

/** What `binpack` compares: how much of the field is left, before the task is placed. */
export function binpackValue(fleet: HostFleet, field: BinpackField, slot: number): number {
  return valueLeft(
    field,
    fleet.cpuFree[slot] as number,
    fleet.memoryFree[slot] as number,
    gpuRank(fleet.gpusTotal[slot] as number, fleet.gpusFree[slot] as number),
    field === 'room' ? customRoom(fleet, slot) : 0,
  )
}

/**
 * GPUs as `room` counts them, before all else: the fewest that a host has, then the fewest that are left. Tasks that need none stay off
 * hosts that have any, even if all are taken, for a task's end frees them; those that need few stay off hosts that have many; and
 * of hosts with as many those that were begun are filled up.
 */
export const gpuRank = (has: number, left: number): number =>
  Math.min(MOST_GPUS, has) * (MOST_GPUS + 1) + Math.min(MOST_GPUS, Math.max(0, left))

/**
 * So much CPU, memory, GPUs (as `gpuRank` counts them) and custom resources (as `customRoom` does), as `binpack` on the field
 * counts it: `room` by GPUs, then by all else together.
 */
export function valueLeft(field: BinpackField, cpu: number, memory: number, gpus: number, custom: number): number {
  if (field === 'cpu') return cpu
  if (field === 'memory') return memory
  const room = Math.min(ROOM_PER_GPU_RANK - 1, cpu * MIB_PER_CPU_UNIT + memory + custom)
  return gpus * ROOM_PER_GPU_RANK + room
}

/**
 * What is left of the host's custom resources, in the MiB that room is counted in: a whole one counts for as much as the host's CPU and
 * memory do on the average. So a host is not taken for empty whose third resource is used up. `tasks` of such a demand may be taken off before.
 */
export function customRoom(fleet: HostFleet, slot: number, taken?: ReadonlyMap<string, number>, tasks = 0): number {
  const free = fleet.customFree[slot]
  if (free === undefined) return 0
  const { cpu, memory, custom } = fleet.hostAt(slot)
  let shares = 0
  for (const [name, total] of custom ?? []) {
    const left = (free.get(name) ?? 0) - (taken?.get(name) ?? 0) * tasks
    if (left > 0) shares += left / total
  }
  return Math.floor(mostCustomRoom(cpu, memory, shares))
}

/** What so many custom resources count for on a host of this size when all of them are left. */
export const mostCustomRoom = (cpu: number, memory: number, resources: number): number =>
  (resources * (cpu * MIB_PER_CPU_UNIT + memory)) / 2

/**
 * The order of values of `room` in fewer bits: of room itself only as many as the largest host needs. An index cuts its keys into equal
 * buckets, and would else have most of them where no host is. Values beyond what it was made for are alike.
 */
export function compactRoom(largestRoom: number): (value: number) => number {
  const span = 2 ** (32 - Math.clz32(Math.min(ROOM_PER_GPU_RANK - 1, largestRoom)))
  return (value) =>
    Math.floor(value / ROOM_PER_GPU_RANK) * span + Math.min(span - 1, Math.max(0, value) % ROOM_PER_GPU_RANK)
}

/** What a value of `room` says: GPUs left, and CPU units twice, MiB once, and custom resources. */
export const readRoom = (value: number): { readonly gpus: number; readonly room: number } => {
  const rank = Math.floor(value / ROOM_PER_GPU_RANK)
  return { gpus: rank % (MOST_GPUS + 1), room: value - rank * ROOM_PER_GPU_RANK }
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
