import { systemRandom } from '@berth/shared/random.ts'
import { CliError } from './cli-error.ts'
import type { CommandContext } from './command-context.ts'
import { processClock } from './process-clock.ts'
import { berthProgram } from './program.ts'
import { reportToParent } from './up/up-report.ts'

/** Does what the process's command line says, and leaves the exit code for the process to end with. */
export async function runCommandLine(): Promise<void> {
  // A reader that went away, as `head` does, is no reason to stop a cluster.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  const context: CommandContext = {
    environment: process.env,
    clock: processClock,
    random: systemRandom(),
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
  }
  const program = berthProgram(context, (code) => {
    process.exitCode = code
  })
  try {
    await program.parseAsync()
  } catch (error) {
    const message = error instanceof CliError ? error.message : String((error as Error).stack)
    context.err(`berth: ${message}`)
    reportToParent({ kind: 'failed', message })
    process.exitCode = error instanceof CliError ? error.exitCode : 1
  }
}
