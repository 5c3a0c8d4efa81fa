import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { defineConfig } from 'vitest/config'

/** Tables before properties: most mutants die of the first test that meets them, and tables are the cheaper. */
class TablesFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isProperty = ({ moduleId }: TestSpecification) => Number(moduleId.includes('.property.'))
    return Promise.resolve(files.toSorted((a, b) => isProperty(a) - isProperty(b)))
  }
}

/**
 * The tests that mutants of the scheduler are held against: its own. Properties run on fewer random cases than in `pnpm test:unit`, because each
 * mutant pays for them.
 */
export default defineConfig({
  test: {
    include: ['packages/control-plane/src/scheduler/**/*.test.ts'],
    env: { BERTH_PROPERTY_RUNS: '30' },
    testTimeout: 60_000,
    isolate: false,
    sequence: { sequencer: TablesFirst },
  },
})
