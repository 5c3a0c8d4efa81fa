import { type Random, randomBelow, randomFloat } from '@berth/shared/random.ts'

/** An integer from `least` to `most`, both included. */
export const between = (random: Random, least: number, most: number): number =>
  least + randomBelow(random, most - least + 1)

export const chance = (random: Random, probability: number): boolean => randomFloat(random) < probability

/** One of a list, which must not be empty. */
export const oneOf = <T>(random: Random, list: readonly T[]): T => list[randomBelow(random, list.length)] as T
