import { randomFillSync } from 'node:crypto'

/** Where chance comes from: always passed in, so that a seed replays a whole run. */
export interface Random {
  /** An integer from 0 to 2^32 - 1, each equally likely. */
  uint32(): number
}

/** Chance from the operating system, buffered: for ids and jitter in production. */
export function systemRandom(): Random {
  const pool = new Uint32Array(256)
  let next = pool.length
  return {
    uint32() {
      if (next === pool.length) {
        randomFillSync(pool)
        next = 0
      }
      return pool[next++] as number
    },
  }
}

/** A repeatable sequence from `seed` (sfc32, warmed up): the same seed gives the same run on every machine. */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9
  let b = 0x243f6a88
  let c = seed | 0
  let counter = 1
  const step = () => {
    const out = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + out
    return out >>> 0
  }
  for (let i = 0; i < 16; i++) step()
  return { uint32: step }
}

/** A float in [0, 1). */
export const randomFloat = (random: Random): number => random.uint32() / 2 ** 32

/** An integer in [0, bound). `bound` must be from 1 to 2^32. */
export const randomBelow = (random: Random, bound: number): number => Math.floor((random.uint32() / 2 ** 32) * bound)

/** `digits` lower-case hex digits. */
export function randomHex(random: Random, digits: number): string {
  // By bytes and not by concatenation: ids are kept by the million, and a string that was put together keeps its pieces.
  const bytes = Buffer.allocUnsafe(Math.ceil(digits / 8) * 4)
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(random.uint32(), at)
  return bytes.toString('hex', 0, Math.ceil(digits / 2)).slice(0, digits)
}

/** `digits` decimal digits, the first not 0. */
export function randomDecimal(random: Random, digits: number): string {
  let text = String(1 + randomBelow(random, 9))
  while (text.length < digits) text += String(randomBelow(random, 10))
  return text
}

/** A version 4 UUID. */
export function randomUuid(random: Random): string {
  const hex = randomHex(random, 32)
  const variant = '89ab'[randomBelow(random, 4)]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
}
