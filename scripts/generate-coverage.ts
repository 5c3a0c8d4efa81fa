/**
 * Writes `docs/ecs-coverage.md`: `node scripts/generate-coverage.ts`. With `--check` nothing is written, and it exits 1 when
 * the page is not what would be written.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coveragePage } from './coverage-page.ts'

const page = join(import.meta.dirname, '..', 'docs', 'ecs-coverage.md')
const wanted = coveragePage()

if (!process.argv.includes('--check')) writeFileSync(page, wanted)
else if (!existsSync(page) || readFileSync(page, 'utf8') !== wanted) {
  console.error('docs/ecs-coverage.md is not what scripts/generate-coverage.ts writes: run it and commit the result.')
  process.exitCode = 1
}
