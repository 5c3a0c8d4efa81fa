import { assert, nat, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseGoDuration } from './go-duration.ts'

describe("Go's durations", () => {
  it.each([
    ['30s', 30_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['1500us', 2],
    ['0', 0],
    ['0s', 0],
  ])('%s', (text, ms) => {
    expect(parseGoDuration(text)).toBe(ms)
  })

  it.each(['', '30', '-5s', '5 s', '1d', 's', '1h30', 'abc', '.5s.'])('%s is none', (text) => {
    expect(parseGoDuration(text)).toBeUndefined()
  })

  it('add up', () => {
    assert(
      property(nat(99), nat(59), nat(59), (hours, minutes, seconds) => {
        expect(parseGoDuration(`${hours}h${minutes}m${seconds}s`)).toBe(((hours * 60 + minutes) * 60 + seconds) * 1000)
      }),
    )
  })
})
