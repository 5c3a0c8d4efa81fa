import { array, assert, double, integer, property } from 'fast-check'
import { expect, test } from 'vitest'
import { percentile, spreadOf } from './percentiles.ts'

test('of a hundred figures the nth percentile is the nth', () => {
  const figures = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect(spreadOf(figures)).toEqual({ count: 100, mean: 50.5, p50: 50, p90: 90, p99: 99, max: 100 })
})

test('of one figure every percentile is that one, and of none it is 0', () => {
  expect(spreadOf([7])).toEqual({ count: 1, mean: 7, p50: 7, p90: 7, p99: 7, max: 7 })
  expect(spreadOf([])).toEqual({ count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 })
})

test('a percentile is the least figure that so large a part does not exceed', () => {
  const figures = array(integer(), { minLength: 1 })
  assert(
    property(figures, double({ min: 0.01, max: 1, noNaN: true }), (some, part) => {
      const sorted = some.toSorted((a, b) => a - b)
      const found = percentile(sorted, part)
      const notAbove = sorted.filter((figure) => figure <= found).length
      const below = sorted.filter((figure) => figure < found).length
      expect(notAbove).toBeGreaterThanOrEqual(sorted.length * part - 1e-6)
      expect(below).toBeLessThan(sorted.length * part + 1e-6)
    }),
  )
})
