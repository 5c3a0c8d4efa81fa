import { defineConfig } from 'vitest/config'

/**
 * The tests that mutants of the scheduler are held against: its own. Properties run on fewer random cases than in `pnpm test:unit`, because each
 * mutant pays for them.
 */
export default defineConfig({
  test: {
    include: ['packages/control-plane/src/scheduler/**/*.test.ts'],
    env: { BERTH_PROPERTY_RUNS: '60' },
    testTimeout: 60_000,
  },
})
