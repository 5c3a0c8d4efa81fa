import type { Random } from '@berth/shared/random.ts'
import type { Demand } from './demand.ts'
import type { HostFleet } from './host-fleet.ts'
import type { PlacementRequest } from './placement-request.ts'
import type { BinpackField, StrategyStep } from './strategy.ts'

/** What a strategy's step sees in a host; the lowest wins. */
export type HostScore = (slot: number) => number

/** What one CPU unit weighs against one MiB: a core counts for as much as 2 GiB, the least that FARGATE gives with one. */
const MIB_PER_CPU_UNIT = 2

/** Room of CPU and memory is below this: hosts with more (128 cores and 8 TiB) are all alike. GPUs are the bits above it. */
const ROOM_PER_GPU_RANK = 2 ** 23

/** How `room` ranks a host's GPUs, before all else. */
const GPU_RANK = { none: 0, taken: 1, begun: 2, untouched: 3 } as const
const GPU_RANKS = ['none', 'taken', 'begun', 'untouched'] as const

/** The least rank of a host with a GPU left. */
const LEAST_RANK_WITH_GPUS = GPU_RANK.begun

/** What `valueFor` adds to a host that the task overdraws: more than any value of `room`. */
const OVERDRAWN = (GPU_RANK.untouched + 1) * ROOM_PER_GPU_RANK

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
 * What `binpack` on the field compares for a task of the demand: `binpackValue`, and hosts that the task `overdraws` behind all
 * others.
 */
export function valueFor(fleet: HostFleet, field: BinpackField, demand: Demand, slot: number): number {
  const value = binpackValue(fleet, field, slot)
  return overdraws(fleet, field, demand, slot) ? value + OVERDRAWN : value
}

/** Whether `overdraws` can be true of any host. */
export const mayOverdraw = (field: BinpackField, { gpus }: Demand): boolean => field === 'room' && gpus > 0

/**
 * Whether a task with GPUs that is packed by room would take a larger part of the CPU or memory that the host has left than of its GPUs,
 * and so leave GPUs that nobody can use. If so, an equal task behind it overdraws the host too, and if not, neither does that.
 */
export function overdraws(fleet: HostFleet, field: BinpackField, demand: Demand, slot: number): boolean {
  if (!mayOverdraw(field, demand)) return false
  const { cpu, memory, gpus } = demand
  const gpusFree = fleet.gpusFree[slot] as number
  return (
    cpu * gpusFree > (fleet.cpuFree[slot] as number) * gpus ||
    memory * gpusFree > (fleet.memoryFree[slot] as number) * gpus
  )
}

/**
 * GPUs as `room` ranks them: hosts that have none come first, so that tasks that need none stay off the others; then those whose GPUs are
 * all taken; then those that were begun, which are filled up before another is.
 */
export function gpuRank(has: number, left: number): number {
  if (has <= 0) return GPU_RANK.none
  if (left <= 0) return GPU_RANK.taken
  return left < has ? GPU_RANK.begun : GPU_RANK.untouched
}

/** The least that `binpackValue` can be of a host with enough for the demand. */
export const leastValue = (field: BinpackField, { cpu, memory, gpus }: Demand): number =>
  valueLeft(field, cpu, memory, gpus > 0 ? LEAST_RANK_WITH_GPUS : GPU_RANK.none, 0)

/**
 * So much CPU, memory, GPUs (as `gpuRank` ranks them) and custom resources (as `customRoom` does), as `binpack` on the field
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

/** The host's GPUs, and CPU units twice, MiB once, and custom resources, as a value of `room` says them. */
export interface Room {
  readonly gpus: (typeof GPU_RANKS)[number]
  readonly isOverdrawn: boolean
  readonly room: number
}

/** What a value of `room` says. */
export function readRoom(value: number): Room {
  const isOverdrawn = value >= OVERDRAWN
  const rank = Math.floor((isOverdrawn ? value - OVERDRAWN : value) / ROOM_PER_GPU_RANK)
  return { gpus: GPU_RANKS[rank] ?? 'none', isOverdrawn, room: value % ROOM_PER_GPU_RANK }
}

/** How one step of a strategy scores hosts for a task of the request, as long as no task of its group comes or goes. */
export function scoreOf(
  fleet: HostFleet,
  step: StrategyStep,
  { group, demand }: Pick<PlacementRequest, 'group' | 'demand'>,
  random: Random,
): HostScore {
  if (step.type === 'random') return () => random.uint32()
  if (step.type === 'binpack') {
    const { field } = step
    return (slot) => valueFor(fleet, field, demand, slot)
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
