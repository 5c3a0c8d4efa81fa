import type { Demand } from './demand.ts'
import { withPlaceFor } from './slot-set.ts'
import type { TaskGroup } from './task-group.ts'

/** No claim: the end of a list. */
export const NO_CLAIM = -1

const STRIDE = 5
const SLOT = 0
const NEXT_ON_HOST = 1
const PREVIOUS_ON_HOST = 2
const NEXT_IN_GROUP = 3
const PREVIOUS_IN_GROUP = 4

/**
 * What tasks hold, a number each. A claim is a link in two lists, that of its host and that of its group; the links are in
 * one typed array, because a million claims as objects cost the garbage collector, and the cache, several times as much.
 */
export class ClaimTable {
  readonly taskIds: string[] = []
  readonly demands: Demand[] = []
  readonly dynamicPorts: (readonly number[])[] = []
  readonly groups: TaskGroup[] = []
  private links = new Int32Array(64 * STRIDE)
  private readonly unused: number[] = []
  /** The first claim of each host, by slot. */
  private firstOnHost = new Int32Array(64).fill(NO_CLAIM)

  /** Makes a claim and puts it first in both lists. */
  add(slot: number, taskId: string, demand: Demand, group: TaskGroup, dynamicPorts: readonly number[]): number {
    const claim = this.unused.pop() ?? this.taskIds.length
    const at = claim * STRIDE
    this.links = withPlaceFor(at + STRIDE - 1, this.links, NO_CLAIM)
    this.firstOnHost = withPlaceFor(slot, this.firstOnHost, NO_CLAIM)
    this.taskIds[claim] = taskId
    this.demands[claim] = demand
    this.groups[claim] = group
    this.dynamicPorts[claim] = dynamicPorts
    const { links } = this
    links[at + SLOT] = slot
    const nextOnHost = this.firstOnHost[slot] as number
    links[at + NEXT_ON_HOST] = nextOnHost
    links[at + PREVIOUS_ON_HOST] = NO_CLAIM
    if (nextOnHost !== NO_CLAIM) links[nextOnHost * STRIDE + PREVIOUS_ON_HOST] = claim
    this.firstOnHost[slot] = claim
    const nextInGroup = group.first
    links[at + NEXT_IN_GROUP] = nextInGroup
    links[at + PREVIOUS_IN_GROUP] = NO_CLAIM
    if (nextInGroup !== NO_CLAIM) links[nextInGroup * STRIDE + PREVIOUS_IN_GROUP] = claim
    group.first = claim
    group.count(slot, 1)
    return claim
  }

  /** Takes a claim out of both lists; its number may be given to another. */
  remove(claim: number): void {
    const { links } = this
    const at = claim * STRIDE
    const slot = links[at + SLOT] as number
    const group = this.groups[claim] as TaskGroup
    const nextOnHost = links[at + NEXT_ON_HOST] as number
    const previousOnHost = links[at + PREVIOUS_ON_HOST] as number
    if (nextOnHost !== NO_CLAIM) links[nextOnHost * STRIDE + PREVIOUS_ON_HOST] = previousOnHost
    if (previousOnHost === NO_CLAIM) this.firstOnHost[slot] = nextOnHost
    else links[previousOnHost * STRIDE + NEXT_ON_HOST] = nextOnHost
    const nextInGroup = links[at + NEXT_IN_GROUP] as number
    const previousInGroup = links[at + PREVIOUS_IN_GROUP] as number
    if (nextInGroup !== NO_CLAIM) links[nextInGroup * STRIDE + PREVIOUS_IN_GROUP] = previousInGroup
    if (previousInGroup === NO_CLAIM) group.first = nextInGroup
    else links[previousInGroup * STRIDE + NEXT_IN_GROUP] = nextInGroup
    group.count(slot, -1)
    this.unused.push(claim)
  }

  slotOf(claim: number): number {
    return this.links[claim * STRIDE + SLOT] as number
  }

  firstOn(slot: number): number {
    return slot < this.firstOnHost.length ? (this.firstOnHost[slot] as number) : NO_CLAIM
  }

  nextOnHost(claim: number): number {
    return this.links[claim * STRIDE + NEXT_ON_HOST] as number
  }

  nextInGroup(claim: number): number {
    return this.links[claim * STRIDE + NEXT_IN_GROUP] as number
  }
}
