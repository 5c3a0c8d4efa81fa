/**
 * How many random cases a property is held against: as many as it names, or fewer where `BERTH_PROPERTY_RUNS` says so. Mutation testing
 * runs every property once for each mutant, and cannot afford them all.
 */
export function propertyRuns(usual: number): { readonly numRuns: number } {
  return { numRuns: Math.min(usual, Number(process.env['BERTH_PROPERTY_RUNS'] ?? usual)) }
}
