import { withPlaceFor } from './slot-set.ts'

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
    this.bySlot = withPlaceFor(slot, this.bySlot, 0)
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
