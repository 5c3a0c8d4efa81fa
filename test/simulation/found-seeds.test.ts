import { test } from 'vitest'
import { runSeed } from './run-seed.ts'

/** Seeds under which something was once wrong, and what it was. They keep their steps, which decide their lives. */
const found = [
  {
    seed: 317,
    steps: 100,
    what: 'a task of a full set was refused for a port that a task left out of that set still held',
  },
  { seed: 168, steps: 100, what: 'the same, of a port that the definition names' },
  {
    seed: 180,
    steps: 100,
    what: 'an agent died while a start was on its way to the engine, and its successor gave the task up',
  },
  {
    seed: 950,
    steps: 100,
    what: 'a report that came a second time took the health of a task back to what it had been',
  },
  { seed: 1476, steps: 100, what: 'a host was kept for somebody who could not have it any more' },
] as const

test.each(found)('seed $seed: $what', async ({ seed, steps }) => {
  await runSeed({ seed, steps })
})
