/** What happened in a run, in its order. */
export interface History {
  note(who: string, what: string): void
  /** The last lines, or all. */
  lines(last?: number): readonly string[]
}

export function history(): History {
  const began = performance.now()
  const all: string[] = []
  return {
    note(who, what) {
      const seconds = ((performance.now() - began) / 1000).toFixed(2).padStart(7)
      all.push(`${seconds} s  ${who.padEnd(8)} ${what}`)
    },
    lines: (last = all.length) => all.slice(-last),
  }
}
