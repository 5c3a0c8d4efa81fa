import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeNextToken, encodeNextToken, pageSize, takePage } from './paging.ts'

const keys = (count: number) => Array.from({ length: count }, (_, i) => `key-${String(i).padStart(4, '0')}`)
const self = (key: string) => key

describe('takePage', () => {
  it('gives each item once, in order, whatever the page size', () => {
    const someKeys = fc.uniqueArray(fc.string({ unit: 'binary' }), { maxLength: 60 })
    fc.assert(
      fc.property(
        someKeys,
        fc.integer({ min: 1, max: 100 }),
        fc.constantFrom('ASC', 'DESC'),
        (some, maxResults, order) => {
          const ascending = some.filter((key) => key.isWellFormed()).sort()
          const sorted = order === 'ASC' ? ascending : ascending.reverse()
          const seen: string[] = []
          let nextToken: string | undefined
          do {
            const page = takePage('ListTasks', { maxResults, nextToken }, sorted, self, order)
            seen.push(...page.items)
            nextToken = page.nextToken
          } while (nextToken !== undefined)
          expect(seen).toEqual(sorted)
        },
      ),
    )
  })

  it('goes on after the last key when that item has gone in between', () => {
    const before = keys(5)
    const { nextToken } = takePage('ListTasks', { maxResults: 2 }, before, self)
    const after = before.filter((key) => key !== 'key-0001')
    expect(takePage('ListTasks', { maxResults: 2, nextToken }, after, self).items).toEqual(['key-0002', 'key-0003'])
  })

  it('gives no token with the last page, even a full one', () => {
    expect(takePage('ListTasks', { maxResults: 5 }, keys(5), self)).toEqual({ items: keys(5) })
  })

  it('has a default of 10 for services and of 100 for the rest', () => {
    expect(takePage('ListServices', {}, keys(200), self).items).toHaveLength(10)
    expect(takePage('ListTasks', {}, keys(200), self).items).toHaveLength(100)
  })
})

describe('pageSize', () => {
  it.each([0, -1, 101])('refuses %i', (maxResults) => {
    expect(() => pageSize('ListTasks', maxResults)).toThrow('maxResults must be between 1 and 100')
  })
})

describe('decodeNextToken', () => {
  it('gives back the key of its own tokens', () => {
    expect(decodeNextToken('ListTasks', encodeNextToken('ListTasks', 'a/ü'))).toBe('a/ü')
  })

  it.each([
    'nonsense',
    '!!!',
    encodeNextToken('ListClusters', 'key'),
    `${encodeNextToken('ListTasks', 'key')}=`,
    Buffer.from('["ListTasks",1]').toString('base64url'),
    Buffer.from('null').toString('base64url'),
  ])('refuses %s', (token) => {
    expect(() => decodeNextToken('ListTasks', token)).toThrow('Invalid token.')
  })
})
