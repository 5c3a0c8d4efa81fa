/**
 * Writes the generated code that is checked in: `node scripts/generate.ts`. With `--check` nothing is written, and
 * it exits 1 when a file is not what would be written. Works without a network.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Generator {
  /** What it makes, as a person says it. */
  readonly makes: string
  /** Writes its files, or with `check` compares them. Says what is wrong: nothing, when nothing is. */
  readonly run: (check: boolean) => string[]
}

const root = join(import.meta.dirname, '..')

const generators: readonly Generator[] = [
  { makes: 'the agent protocol from proto/', run: generateProtocol },
  { makes: "the ECS model from the SDK's schemas", run: (check) => runScript('generate-ecs-model.ts', check) },
  { makes: 'the page of what works of ECS', run: (check) => runScript('generate-coverage.ts', check) },
]

/** The whole of this folder is generated: a file that no longer comes out of `proto/` goes. */
const PROTOCOL_OUTPUT = join(root, 'packages/shared/src/gen')

function generateProtocol(check: boolean): string[] {
  const fresh = mkdtempSync(join(tmpdir(), 'berth-generate-'))
  try {
    const buf = join(root, 'node_modules/.bin/buf')
    const template = ['--template', 'proto/buf.gen.yaml', '--include-imports', '--include-wkt']
    const problems = runProgram(buf, ['generate', 'proto', ...template, '-o', fresh])
    if (problems.length > 0) return problems
    if (check) return differences(PROTOCOL_OUTPUT, fresh)
    rmSync(PROTOCOL_OUTPUT, { recursive: true, force: true })
    cpSync(fresh, PROTOCOL_OUTPUT, { recursive: true })
    return []
  } finally {
    rmSync(fresh, { recursive: true })
  }
}

function differences(checkedIn: string, fresh: string): string[] {
  const there = filesUnder(checkedIn)
  const wanted = filesUnder(fresh)
  return [...new Set([...there.keys(), ...wanted.keys()])].toSorted().flatMap((file) => {
    if (there.get(file) === wanted.get(file)) return []
    if (!there.has(file)) return [`${join(checkedIn, file)} is missing`]
    if (!wanted.has(file)) return [`${join(checkedIn, file)} is no longer generated`]
    return [`${join(checkedIn, file)} differs`]
  })
}

function filesUnder(folder: string): Map<string, string> {
  const files = globSync('**/*.ts', { cwd: folder })
  return new Map(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]))
}

function runScript(script: string, check: boolean): string[] {
  return runProgram(process.execPath, [join(import.meta.dirname, script), ...(check ? ['--check'] : [])])
}

function runProgram(program: string, args: readonly string[]): string[] {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8' })
  if (error !== undefined) return [error.message]
  return status === 0 ? [] : [`${stdout}${stderr}`.trim() || `${program} ended with ${status}`]
}

const checkOnly = process.argv.includes('--check')
let failed = false
for (const { makes, run } of generators) {
  const problems = run(checkOnly)
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) failed = true
  else console.log(`${checkOnly ? 'Up to date' : 'Generated'}: ${makes}.`)
}
if (failed) {
  if (checkOnly) console.error('\nGenerated code is not what `pnpm generate` writes: run it and commit the result.')
  process.exitCode = 1
}
