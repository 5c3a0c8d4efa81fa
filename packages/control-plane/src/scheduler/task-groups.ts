/** How many tasks of one group are where. */
export interface GroupCounts {
  total: number
  /** Tasks by host slot; hosts without any are absent. */
  readonly bySlot: Map<number, number>
  /** For each attribute that was ever spread by: tasks by the id of the host's value, see `AttributeValues`. */
  readonly byValue: Map<string, Int32Array<ArrayBuffer>>
}

/** The value ids that hosts have for one attribute: 0 is "does not have it". */
export class AttributeValues {
  readonly name: string
  /** The value of each id, as text; `undefined` for id 0. */
  readonly texts: (string | undefined)[] = [undefined]
  private readonly ids = new Map<string, number>()
  private bySlot = new Int32Array(16)

  constructor(name: string) {
    this.name = name
  }

  setHost(slot: number, attributes: ReadonlyMap<string, string | null>): void {
    if (slot >= this.bySlot.length) {
      const longer = new Int32Array(Math.max(slot + 1, this.bySlot.length * 2))
      longer.set(this.bySlot)
      this.bySlot = longer
    }
    const value = attributes.get(this.name)
    this.bySlot[slot] = value === undefined ? 0 : this.idOf(value ?? '')
  }

  /** The id of the host's value. */
  of(slot: number): number {
    return this.bySlot[slot] as number
  }

  private idOf(text: string): number {
    let id = this.ids.get(text)
    if (id === undefined) {
      id = this.texts.length
      this.ids.set(text, id)
      this.texts.push(text)
    }
    return id
  }
}

/** Counts tasks by group, by host, and by the value of each attribute that strategies spread by. */
export class TaskGroups {
  private readonly groups = new Map<string, GroupCounts>()

  get(group: string): GroupCounts | undefined {
    return this.groups.get(group)
  }

  /** Adds `change` (of either sign) to the tasks of `group` on `slot`. */
  change(group: string, slot: number, change: number, values: ReadonlyMap<string, AttributeValues>): void {
    let counts = this.groups.get(group)
    if (counts === undefined) {
      counts = { total: 0, bySlot: new Map(), byValue: new Map() }
      this.groups.set(group, counts)
    }
    counts.total += change
    const onSlot = (counts.bySlot.get(slot) ?? 0) + change
    if (onSlot === 0) counts.bySlot.delete(slot)
    else counts.bySlot.set(slot, onSlot)
    for (const [name, array] of counts.byValue) addAt(counts, values.get(name) as AttributeValues, slot, change, array)
    if (counts.total === 0) this.groups.delete(group)
  }

  /** Tasks of `group` by value id of `attribute`; counted once and kept up to date from then on. Nothing for a group without tasks. */
  byValue(group: string, attribute: AttributeValues): Int32Array | undefined {
    const counts = this.groups.get(group)
    if (counts === undefined) return undefined
    const known = counts.byValue.get(attribute.name)
    if (known !== undefined && known.length >= attribute.texts.length) return known
    const counted = new Int32Array(attribute.texts.length + 4)
    for (const [slot, tasks] of counts.bySlot) {
      const id = attribute.of(slot)
      counted[id] = (counted[id] as number) + tasks
    }
    counts.byValue.set(attribute.name, counted)
    return counted
  }

  /** Forgets the counts by value, after a host's attributes changed. */
  forgetValues(): void {
    for (const counts of this.groups.values()) counts.byValue.clear()
  }

  /** A copy that shares nothing. */
  copy(): TaskGroups {
    const copy = new TaskGroups()
    for (const [group, counts] of this.groups) {
      copy.groups.set(group, { total: counts.total, bySlot: new Map(counts.bySlot), byValue: new Map() })
    }
    return copy
  }
}

function addAt(
  counts: GroupCounts,
  values: AttributeValues,
  slot: number,
  change: number,
  array: Int32Array<ArrayBuffer>,
): void {
  const id = values.of(slot)
  if (id < array.length) array[id] = (array[id] as number) + change
  else counts.byValue.delete(values.name)
}
