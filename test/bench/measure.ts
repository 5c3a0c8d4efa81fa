/** CPU seconds of this process, all threads, that `work` took. */
export function cpuSeconds(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** The middle one of the figures; the lower of the two middle ones for an even number. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
}

/** The figure that this part (0 to 1) of all figures does not exceed. */
export function quantile(figures: readonly number[], part: number): number {
  const sorted = figures.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** What is measured against each other: `work` does `operations` of something. */
export interface Contender {
  readonly name: string
  readonly operations: number
  readonly work: () => void
}

/**
 * Operations per CPU second of each contender, the median of the rounds. Each round runs all of them in turn, so that
 * what slows the machine slows them alike.
 */
export function race(contenders: readonly Contender[], rounds: number): number[] {
  const rates = contenders.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [at, { operations, work }] of contenders.entries()) {
      rates[at]?.push(operations / Math.max(1e-6, cpuSeconds(work)))
    }
  }
  return rates.map(median)
}

/** One line of a benchmark's table. */
export interface Row {
  readonly what: string
  readonly figure: number
  readonly unit: string
  /** What the figure must reach, in words, where something is asked. */
  readonly asked?: string
  /** Whether it does. */
  readonly reached?: boolean
}

/** The rows as a table for people. */
export function renderTable(rows: readonly Row[]): string {
  const cells = rows.map(({ what, figure, unit, asked = '', reached }) => [
    what,
    `${formatFigure(figure)} ${unit}`,
    asked,
    reached === undefined ? '' : reached ? 'yes' : 'NO',
  ])
  const table = [['what', 'measured', 'asked', 'reached'], ...cells]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((line) => (line[column] ?? '').length)))
  return table
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function formatFigure(figure: number): string {
  if (Math.abs(figure) >= 1000) return Math.round(figure).toLocaleString('en')
  return figure.toFixed(Math.abs(figure) >= 10 ? 1 : 3)
}
