import { test } from 'vitest'
import { runSeed } from './run-seed.ts'

/** As many lives as take some ten seconds on an idle machine. */
const seeds = 30

test('cells with daemons and task sets live and settle', { timeout: 600_000 }, async () => {
  for (let seed = 1; seed <= seeds; seed++) await runSeed({ seed, furtherServices: true })
})
