import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { SealError, sealer } from './seal.ts'

const key = randomBytes(32)

describe('what is sealed', () => {
  test('opens with the same key for the same context', () => {
    const { seal } = sealer(key)
    expect(sealer(key).open(seal('ünlocked', 'a'), 'a')).toBe('ünlocked')
    expect(sealer(key).open(seal('', 'a'), 'a')).toBe('')
  })

  test('does not show the secret, and looks different each time', () => {
    const { seal } = sealer(key)
    expect(seal('open sesame', 'a')).not.toContain('sesame')
    expect(seal('open sesame', 'a')).not.toBe(seal('open sesame', 'a'))
  })

  test('opens with the key that was exchanged for another one, as long as that is still told', () => {
    const [next, other] = [randomBytes(32), randomBytes(32)]
    const sealed = sealer(key).seal('secret', 'a')
    expect(sealer(next, other, key).open(sealed, 'a')).toBe('secret')
    const again = sealer(next, key).seal('secret', 'a')
    expect(sealer(next).open(again, 'a')).toBe('secret')
    expect(() => sealer(key).open(again, 'a')).toThrow(SealError)
  })

  test.each([
    ['another context', (sealed: string) => sealer(key).open(sealed, 'b')],
    ['another key', (sealed: string) => sealer(randomBytes(32)).open(sealed, 'a')],
    ['a changed end', (sealed: string) => sealer(key).open(`${sealed.slice(0, -2)}AA`, 'a')],
    ['no end', (sealed: string) => sealer(key).open(sealed.slice(0, 20), 'a')],
    ['another form', (sealed: string) => sealer(key).open(sealed.replace('s1.', 's2.'), 'a')],
  ])('does not open with %s', (_, open) => {
    const sealed = sealer(key).seal('secret that is long enough', 'a')
    expect(() => open(sealed)).toThrow(SealError)
  })
})
