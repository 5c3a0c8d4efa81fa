import type { Parameters } from 'fast-check'

/**
 * How a property is held against random cases: against as many as it names; or, where `BERTH_PROPERTY_RUNS` says so, against fewer, always the
 * same, and no smaller case is looked for when one fails. Mutation testing runs every property once for each mutant: it cannot afford
 * them all, only asks whether one fails, and should come to the same score twice.
 */
export function propertyRuns(usual: number): Pick<Parameters, 'numRuns' | 'seed' | 'endOnFailure'> {
  const runs = process.env['BERTH_PROPERTY_RUNS']
  if (runs === undefined) return { numRuns: usual }
  return { numRuns: Math.min(usual, Number(runs)), seed: 1, endOnFailure: true }
}
