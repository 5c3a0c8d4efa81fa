import { describe, expect, test } from 'vitest'
import { clientTokenOf, requestFingerprint } from './request-fingerprint.ts'

describe('requestFingerprint', () => {
  test('is equal for equal requests, whatever their tokens and the order of their members', () => {
    const a = { clientToken: '1', count: 2, nested: { x: 1, y: [1, 2] } }
    const b = { nested: { y: [1, 2], x: 1 }, count: 2, clientToken: '2' }
    expect(requestFingerprint(a)).toBe(requestFingerprint(b))
  })

  test.each([{ count: 3 }, { count: 2, nested: { x: 1, y: [2, 1] } }, {}])('differs for %j', (other) => {
    expect(requestFingerprint(other)).not.toBe(requestFingerprint({ count: 2, nested: { x: 1, y: [1, 2] } }))
  })
})

describe('clientTokenOf', () => {
  test('takes up to 64 printable characters, and none for an empty one', () => {
    expect(clientTokenOf({ clientToken: 'x'.repeat(64) })).toHaveLength(64)
    expect(clientTokenOf({ clientToken: '' })).toBeUndefined()
  })

  test.each(['x'.repeat(65), 'a b', 'é'])('refuses %s', (clientToken) => {
    expect(() => clientTokenOf({ clientToken })).toThrow('clientToken must have')
  })
})
