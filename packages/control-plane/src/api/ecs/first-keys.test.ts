import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstByKey } from './first-keys.ts'

test('gives what sorting, skipping and cutting would', () => {
  const keys = fc.uniqueArray(fc.string({ maxLength: 3 }))
  const after = fc.option(fc.string({ maxLength: 3 }), { nil: undefined })
  fc.assert(
    fc.property(keys, after, fc.integer({ min: 1, max: 20 }), (keys, after, count) => {
      const expected = [...keys]
        .sort((a, b) => (a < b ? -1 : 1))
        .filter((key) => after === undefined || key > after)
        .slice(0, count)
      expect(firstByKey(keys, (key) => key, { after, count })).toEqual(expected)
    }),
  )
})
