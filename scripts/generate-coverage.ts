/**
 * Writes `docs/ecs-coverage.md`: `node scripts/generate-coverage.ts`. With `--check` nothing is written. It exits 1 when the page
 * is not what would be written, and when a test that the page names is not there or does not show what it should.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coveragePage, worksOnThePage } from './ecs-coverage/coverage-page.ts'
import { evidenceProblems } from './ecs-coverage/evidence.ts'

const root = join(import.meta.dirname, '..')
const page = join(root, 'docs', 'ecs-coverage.md')
const wanted = coveragePage()

const problems = evidenceProblems(worksOnThePage(), root)
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1

if (!process.argv.includes('--check')) writeFileSync(page, wanted)
else if (!existsSync(page) || readFileSync(page, 'utf8') !== wanted) {
  console.error('docs/ecs-coverage.md is not what scripts/generate-coverage.ts writes: run it and commit the result.')
  process.exitCode = 1
}
