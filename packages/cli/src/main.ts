import { becomePart, partOf } from './parts.ts'

/** The command `berth` as a process, or one of the programs that it starts. */
async function main(): Promise<void> {
  const part = partOf(process.argv)
  if (part !== undefined) return becomePart(part)
  const { runCommandLine } = await import('./command-line.ts')
  await runCommandLine()
}

main().catch((error: unknown) => {
  process.stderr.write(`berth: ${String((error as Error).stack)}\n`)
  process.exitCode = 1
})
