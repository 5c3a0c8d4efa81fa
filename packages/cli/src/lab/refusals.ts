/** Counts why tasks were not placed. */
export class Refusals {
  readonly #counts = new Map<string, number>()

  add(reason: string, times = 1): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + times)
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** The commonest first. */
  byReason(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].toSorted(([, a], [, b]) => b - a))
  }
}

/** Longer sentences differ in what no table shows. */
const longestReason = 160

/**
 * The reason in a service's event that it could not place a task; `undefined` for any other event. Names and ids are left
 * out, so that equal reasons are counted together.
 */
export function refusalInEvent(message: string): string | undefined {
  const reason = /was unable to place a task(?: because)?(?: |\. )?(.*)$/s.exec(message)?.[1]
  if (reason === undefined) return undefined
  const plain = reason
    .replaceAll(/\(container-instance [^)]*\) ?/g, '')
    .replaceAll(/arn:\S+/g, '')
    .replaceAll(/\b[0-9a-f]{32}\b/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return `service: ${plain.length > longestReason ? `${plain.slice(0, longestReason)} ...` : plain}`
}
