import { describe, expect, test } from 'vitest'
import { type Plant, plants } from './plants.ts'
import { runSeed, SeedFailed } from './run-seed.ts'

/** Seeds that are tried before a planted bug counts as not noticed. */
const seedsToTry = 80

/** The first words of a run that fails without a protection for the reason that it should; else all that was said. */
async function noticed(plant: Plant, reason: RegExp): Promise<string> {
  const said: string[] = []
  for (let seed = 1; seed <= seedsToTry; seed++) {
    try {
      await runSeed({ seed, plant })
    } catch (error) {
      if (!(error instanceof SeedFailed)) throw error
      const words = error.message.split('\n', 1)[0] ?? ''
      if (reason.test(words)) return words
      said.push(words)
    }
  }
  return `noticed by nothing that should; said was: ${said.join('; ') || 'nothing'}`
}

/** What each is noticed by. */
const reasons: Readonly<Record<Plant, RegExp>> = {
  fence: /after one of epoch/,
  claims: /is promised/,
  'forward-only': /went from \w+ to \w+/,
  'orders after durability': /which was never stored/,
  'answers after durability': /was acknowledged and does not exist/,
  'container names': /there are two containers/,
}

describe('the invariants notice when a protection is missing', () => {
  test.each(Object.keys(plants) as Plant[])('%s', { timeout: 300_000 }, async (plant) => {
    expect(await noticed(plant, reasons[plant])).toMatch(reasons[plant])
  })
})
