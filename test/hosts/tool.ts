import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** How long a tool of the system may take, in ms: none of them waits for anything but its turn. */
const deadlineMs = 60_000

/** Runs a program of the system and returns what it printed. @throws Error with what it said when it fails. */
export async function tool(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, args, { timeout: deadlineMs })
  return stdout
}

/** As `tool`, where failing means that there is nothing to do: what was to be removed is gone. */
export async function tryTool(program: string, ...args: readonly string[]): Promise<void> {
  await tool(program, ...args).catch(() => {})
}
