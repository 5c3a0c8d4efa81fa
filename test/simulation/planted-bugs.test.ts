import { describe, expect, test } from 'vitest'
import { type Plant, plants } from './plants.ts'
import { runSeed, SeedFailed } from './run-seed.ts'

/** Seeds that are tried before a planted bug counts as not noticed. */
const seedsToTry = 150

/** The first seed whose run fails without a protection, and what it says. */
async function firstFailure(plant: Plant): Promise<{ seed: number; message: string } | undefined> {
  for (let seed = 1; seed <= seedsToTry; seed++) {
    try {
      await runSeed({ seed, plant })
    } catch (error) {
      if (!(error instanceof SeedFailed)) throw error
      return { seed, message: error.message }
    }
  }
  return undefined
}

/** What each is noticed by. */
const noticedAs: Readonly<Record<Plant, RegExp>> = {
  fence: /after one of epoch|acknowledged|went from|does not exist/,
  claims: /is promised|is granted to tasks/,
  'forward-only': /went from \w+ to \w+|as \w+ and later as/,
  'orders after durability': /was never stored/,
  'answers after durability': /was acknowledged/,
  'container names': /two containers|is STOPPED and/,
}

describe('the invariants notice when a protection is missing', () => {
  test.each(Object.keys(plants) as Plant[])('%s', { timeout: 300_000 }, async (plant) => {
    const failure = await firstFailure(plant)
    expect(failure?.message.split('\n')[0]).toMatch(noticedAs[plant])
  })
})
