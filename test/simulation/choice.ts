import { type Random, randomBelow, randomFloat } from '@berth/shared/random.ts'

/** One of `values`. */
export const oneOf = <T>(random: Random, values: readonly T[]): T => values[randomBelow(random, values.length)] as T

/** True once in `1 / likelihood` times. */
export const happens = (random: Random, likelihood: number): boolean => randomFloat(random) < likelihood

/** One of the rows, as often as its weight says. */
export function oneByWeight<T extends { readonly weight: number }>(random: Random, rows: readonly T[]): T {
  let left = randomFloat(random) * rows.reduce((sum, { weight }) => sum + weight, 0)
  for (const row of rows) if ((left -= row.weight) < 0) return row
  return rows.at(-1) as T
}

/** A length of time in ms: mostly short, now and then long enough for a host to be lost. */
export function someTime(random: Random): number {
  const longest = oneByWeight(random, [
    { weight: 8, ms: 30 },
    { weight: 6, ms: 1000 },
    { weight: 3, ms: 8000 },
    { weight: 1, ms: 30_000 },
  ]).ms
  return randomBelow(random, longest)
}
