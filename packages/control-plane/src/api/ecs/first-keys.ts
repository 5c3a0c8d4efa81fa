/**
 * The first `count` of `items` in the order of their keys, among those whose key is greater than `after`, sorted. Costs little more
 * than looking at each once, where sorting all of a million would take a second.
 */
export function firstByKey<Item>(
  items: Iterable<Item>,
  keyOf: (item: Item) => string,
  { after, count }: { readonly after: string | undefined; readonly count: number },
): Item[] {
  const first: { readonly key: string; readonly item: Item }[] = []
  for (const item of items) {
    const key = keyOf(item)
    if (after !== undefined && key <= after) continue
    if (first.length === count && key >= (first.at(-1)?.key ?? '')) continue
    first.splice(positionOf(first, key), 0, { key, item })
    if (first.length > count) first.pop()
  }
  return first.map(({ item }) => item)
}

function positionOf(sorted: readonly { readonly key: string }[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle]?.key ?? '') < key) low = middle + 1
    else high = middle
  }
  return low
}
