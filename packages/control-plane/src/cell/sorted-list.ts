/**
 * A list in order that is mostly added to at its end and taken from at its front, both in constant time. Anything else is put in its place when the
 * list is next looked at, so that filling it in any order costs one sort.
 */
export class SortedList<T> {
  readonly #compare: (a: T, b: T) => number
  #items: T[] = []
  /** What stands before it was taken from the front. */
  #from = 0
  #inOrder = true

  /** @param compare never 0 for two items that are in the list at once. */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#items.length - this.#from
  }

  add(item: T): void {
    const last = this.#items.at(-1)
    if (this.size > 0 && last !== undefined && this.#compare(last, item) > 0) this.#inOrder = false
    this.#items.push(item)
  }

  /** Takes the item that compares equal out, if there is one. */
  remove(item: T): void {
    const items = this.#ordered()
    const at = this.#position(items, item)
    const found = items[at]
    if (found === undefined || this.#compare(found, item) !== 0) return
    if (at > this.#from) items.splice(at, 1)
    else if (++this.#from * 2 > items.length) this.#dropTaken()
  }

  first(): T | undefined {
    return this.#ordered()[this.#from]
  }

  /** How many come before `item`, which need not be in the list. */
  countBefore(item: T): number {
    return this.#position(this.#ordered(), item) - this.#from
  }

  /** The first `count` items, in order. */
  firstOnes(count: number): T[] {
    return this.#ordered().slice(this.#from, this.#from + count)
  }

  #position(items: readonly T[], item: T): number {
    let low = this.#from
    let high = items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compare(items[middle] as T, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #ordered(): T[] {
    if (!this.#inOrder) {
      this.#dropTaken()
      this.#items.sort(this.#compare)
      this.#inOrder = true
    }
    return this.#items
  }

  #dropTaken(): void {
    this.#items = this.#items.slice(this.#from)
    this.#from = 0
  }
}
