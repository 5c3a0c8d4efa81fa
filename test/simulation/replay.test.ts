import { expect, test } from 'vitest'
import { runSeed } from './run-seed.ts'
import { type Experience, experiences } from './tally.ts'

/** Enough seeds for everything rare to have happened. */
const seeds = 60

test('a seed replays: the same happens at the same moments', async () => {
  for (const seed of [1, 2, 3]) {
    const first = await runSeed({ seed })
    const second = await runSeed({ seed })
    expect(second).toEqual(first)
  }
  expect((await runSeed({ seed: 4 })).fingerprint).not.toBe((await runSeed({ seed: 5 })).fingerprint)
})

test('the seeds go through everything that a cell can go through', { timeout: 300_000 }, async () => {
  const seen = new Set<Experience>()
  for (let seed = 1; seed <= seeds; seed++)
    for (const experience of (await runSeed({ seed })).counts.keys()) seen.add(experience)
  expect(experiences.filter((experience) => !seen.has(experience))).toEqual([])
})
