import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Table } from './table.ts'

interface Boat {
  readonly harbour?: string
  readonly masts: number
}

const fleet = () =>
  new Table<Boat, 'harbour' | 'masts', 'harbour'>(
    { harbour: ({ harbour }) => harbour, masts: ({ masts }) => String(masts) },
    { harbour: ({ harbour }) => harbour },
  )

describe('a table', () => {
  test('returns what stood where it writes', () => {
    const boats = fleet()
    expect(boats.set('a', { masts: 1 })).toBeUndefined()
    expect(boats.set('a', { masts: 2 })).toEqual({ masts: 1 })
    expect(boats.set('a', undefined)).toEqual({ masts: 2 })
    expect(boats.set('a', undefined)).toBeUndefined()
    expect(boats.size).toBe(0)
  })

  test('leaves a record without the indexed field out of that index alone', () => {
    const boats = fleet()
    boats.set('a', { masts: 1 })
    boats.set('b', { masts: 1, harbour: 'kiel' })
    expect([...boats.by('harbour', 'kiel')]).toEqual([{ masts: 1, harbour: 'kiel' }])
    expect(boats.countBy('masts', '1')).toBe(2)
    expect(boats.countBy('harbour', 'rostock')).toBe(0)
    expect([...boats.by('harbour', 'rostock')]).toEqual([])
  })

  test('keeps keys such as __proto__ apart from the table', () => {
    const boats = fleet()
    boats.set('__proto__', { masts: 1, harbour: 'constructor' })
    expect(boats.get('__proto__')).toEqual({ masts: 1, harbour: 'constructor' })
    expect(boats.get('toString')).toBeUndefined()
    expect(boats.countBy('harbour', 'constructor')).toBe(1)
  })

  test('its indexes and tallies always say what a look at every record would', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const harbour = fc.constantFrom('kiel', 'rostock', undefined)
    const boat = fc.record({ harbour, masts: fc.nat(2) })
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.option(boat, { nil: undefined }))), (writes) => {
        const boats = fleet()
        const model = new Map<string, Boat>()
        for (const [at, { harbour, masts } = {}] of writes) {
          const record = masts === undefined ? undefined : { masts, ...(harbour === undefined ? {} : { harbour }) }
          boats.set(at, record)
          if (record) model.set(at, record)
          else model.delete(at)
        }
        expect(new Map(boats.entries())).toEqual(model)
        for (const name of ['kiel', 'rostock']) {
          const expected = [...model.values()].filter((one) => one.harbour === name)
          expect(new Set(boats.by('harbour', name))).toEqual(new Set(expected))
          expect(boats.countBy('harbour', name)).toBe(expected.length)
          expect(boats.tallied('harbour', name)).toBe(expected.length)
        }
      }),
    )
  })
})
