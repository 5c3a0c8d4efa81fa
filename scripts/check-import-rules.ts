/**
 * Holds every import of `packages/` and `test/` against the table in `import-rules/rooms.ts`:
 * `node scripts/check-import-rules.ts [root]`. Prints what breaks a rule and exits 1, or says how much it has read.
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { violationsOf } from './import-rules/violations.ts'

const root = process.argv[2] ?? join(import.meta.dirname, '..')
const files = globSync(['packages/*/src/**/*.ts', 'test/**/*.ts'], {
  cwd: root,
  exclude: (name) => name === 'node_modules' || name === 'dist',
}).toSorted()

const violations = files.flatMap((file) => violationsOf(file, readFileSync(join(root, file), 'utf8')))
for (const violation of violations) console.error(violation)

if (files.length === 0) {
  console.error(`No source found under ${root}: nothing was checked.`)
  process.exitCode = 1
} else if (violations.length > 0) {
  console.error(`\n${violations.length} imports break the rules of who may know whom (scripts/import-rules/rooms.ts).`)
  process.exitCode = 1
} else {
  console.log(`Import rules hold in ${files.length} files.`)
}
