import { defineConfig } from 'vitest/config'

const ignored = ['**/node_modules/**', '**/dist/**']

/** What runs on a real engine shares its machine with others: one more try tells a fault from a bad moment, and the reporter shows it. */
const onceMore = 1

/**
 * Projects by what a test needs: `unit` needs nothing, `integration` a real Redis or Docker engine, `e2e` a whole cluster
 * and the AWS clients, `compose` docker-compose and a Debian mirror, to make the compose lab, which takes minutes;
 * `install` a Debian mirror, to make a machine with systemd, in which packages are installed.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'scripts/**/*.test.ts',
            'test/simulation/**/*.test.ts',
            'test/conformance/**/*.test.ts',
            'test/chaos/failpoints/**/*.test.ts',
          ],
          exclude: [...ignored, '**/*.integration.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          retry: onceMore,
          include: ['packages/*/src/**/*.integration.test.ts', 'test/integration/**/*.test.ts'],
          exclude: ignored,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          retry: onceMore,
          include: ['test/e2e/**/*.test.ts', 'test/chaos/*.test.ts'],
          exclude: ignored,
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'compose',
          include: ['test/compose/**/*.test.ts'],
          exclude: ignored,
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 1_200_000,
        },
      },
      {
        test: {
          name: 'install',
          include: ['test/install/**/*.test.ts'],
          exclude: ignored,
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 1_200_000,
        },
      },
    ],
  },
})
