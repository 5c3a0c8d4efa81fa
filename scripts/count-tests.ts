/**
 * Adds up vitest's JSON reports: `node scripts/count-tests.ts .berth/test-results/unit ...` reads `unit.json` and so
 * on, and prints `N passed, N failed, N skipped` as its last line. Exits 1 when anything failed.
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { countTests, type TestReport } from './test-count.ts'

let passed = 0
let failed = 0
let skipped = 0
for (const path of process.argv.slice(2)) {
  const file = `${path}.json`
  const count = existsSync(file) ? countTests(JSON.parse(readFileSync(file, 'utf8')) as TestReport) : undefined
  if (count === undefined) {
    console.log(`The ${basename(path)} tests did not come to an end, or there are none: counted as one failure.`)
  }
  passed += count?.passed ?? 0
  failed += count?.failed ?? 1
  skipped += count?.skipped ?? 0
}
if (failed > 0) process.exitCode = 1
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
