import { test } from 'vitest'
import { runSeed } from './run-seed.ts'

/** What a failed seed names to be run again: `SEED=... [STEPS=...] pnpm vitest run ...`. */
const { SEED, STEPS, HOSTS } = process.env

test.runIf(SEED !== undefined)(`seed ${SEED}`, async () => {
  await runSeed({ seed: Number(SEED), ...(STEPS && { steps: Number(STEPS) }), ...(HOSTS && { hosts: Number(HOSTS) }) })
})
