import { test } from 'vitest'
import { runSeed } from './run-seed.ts'

/** Longest time that a file of seeds may take, in ms: many times what it does, on a machine that is busy with other things. */
const longestMs = 600_000

/** A test that runs whole cells from seeds that follow one another. One of several files, so that cores share the work. */
export function runSeeds({ first, count }: { readonly first: number; readonly count: number }): void {
  const last = first + count - 1
  test(`whole cells live and settle, seeds ${first} to ${last}`, { timeout: longestMs }, async () => {
    for (let seed = first; seed <= last; seed++) await runSeed({ seed })
  })
}
