import type { AttributeValues } from './attribute-values.ts'
import { type ClaimTable, NO_CLAIM } from './claim-table.ts'

/**
 * The tasks of one group. Counts by host, and by the values of an attribute, are made when they are first asked for and
 * kept up to date from then on: most groups are never asked.
 */
export class TaskGroup {
  readonly name: string
  /** How many tasks there are. */
  total = 0
  /** The first claim in the group's list, which the table of claims keeps. */
  first = NO_CLAIM
  private readonly claims: ClaimTable
  private bySlot: Map<number, number> | undefined
  private byValue: Map<AttributeValues, Int32Array<ArrayBuffer>> | undefined

  constructor(name: string, claims: ClaimTable) {
    this.name = name
    this.claims = claims
  }

  /** How many of the tasks are on a host. */
  countOn(slot: number): number {
    return this.countsBySlot().get(slot) ?? 0
  }

  /** The tasks by host; hosts without any are absent. */
  countsBySlot(): ReadonlyMap<number, number> {
    if (this.bySlot !== undefined) return this.bySlot
    const counts = new Map<number, number>()
    for (const slot of this.slots()) counts.set(slot, (counts.get(slot) ?? 0) + 1)
    this.bySlot = counts
    return counts
  }

  /** The tasks by the value id of their host; ids beyond the end have none. */
  countsByValue(attribute: AttributeValues): Int32Array {
    const known = this.byValue?.get(attribute)
    if (known !== undefined) return known
    const counts = new Int32Array(attribute.texts.length + 4)
    for (const slot of this.slots()) {
      const id = attribute.of(slot)
      counts[id] = (counts[id] as number) + 1
    }
    this.byValue ??= new Map<AttributeValues, Int32Array<ArrayBuffer>>()
    this.byValue.set(attribute, counts)
    return counts
  }

  /** Forgets the counts by value, after a host's attributes changed. */
  forgetValues(): void {
    this.byValue = undefined
  }

  /** Notes that a task came to a host, or went. */
  count(slot: number, change: 1 | -1): void {
    this.total += change
    if (this.bySlot !== undefined) {
      const onSlot = (this.bySlot.get(slot) ?? 0) + change
      if (onSlot === 0) this.bySlot.delete(slot)
      else this.bySlot.set(slot, onSlot)
    }
    if (this.byValue === undefined) return
    for (const [attribute, counts] of this.byValue) {
      const id = attribute.of(slot)
      if (id < counts.length) counts[id] = (counts[id] as number) + change
      else this.byValue.delete(attribute)
    }
  }

  private *slots(): Iterable<number> {
    for (let claim = this.first; claim !== NO_CLAIM; claim = this.claims.nextInGroup(claim))
      yield this.claims.slotOf(claim)
  }
}
