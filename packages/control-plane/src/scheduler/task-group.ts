import type { AttributeValues } from './attribute-values.ts'

/** A task as its group knows it: a link in the list of the group's tasks. */
export interface GroupMember {
  readonly slot: number
  nextInGroup: GroupMember | undefined
  previousInGroup: GroupMember | undefined
}

/**
 * The tasks of one group. Counts by host, and by the values of an attribute, are made when they are first asked for and
 * kept up to date from then on: most groups are never asked.
 */
export class TaskGroup {
  readonly name: string
  total = 0
  private first: GroupMember | undefined
  private bySlot: Map<number, number> | undefined
  private byValue: Map<AttributeValues, Int32Array<ArrayBuffer>> | undefined

  constructor(name: string) {
    this.name = name
  }

  add(member: GroupMember): void {
    member.nextInGroup = this.first
    if (this.first !== undefined) this.first.previousInGroup = member
    this.first = member
    this.total++
    this.count(member.slot, 1)
  }

  remove(member: GroupMember): void {
    const { nextInGroup, previousInGroup } = member
    if (nextInGroup !== undefined) nextInGroup.previousInGroup = previousInGroup
    if (previousInGroup === undefined) this.first = nextInGroup
    else previousInGroup.nextInGroup = nextInGroup
    this.total--
    this.count(member.slot, -1)
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

  private *slots(): Iterable<number> {
    for (let member = this.first; member !== undefined; member = member.nextInGroup) yield member.slot
  }

  private count(slot: number, change: 1 | -1): void {
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
}
