import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

/** What a command came to. */
export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Longer than the AWS CLI's own waiters may take in these tests, in ms. */
const deadlineMs = 180_000

/** Runs a command to its end; one that fails is a result as well. @throws when it cannot be started or does not end. */
export async function runCommand(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<CommandResult> {
  const child = spawn(command, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'], timeout: deadlineMs })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code))
  })
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { code, stdout, stderr }
}

/** @throws Error that shows what the command said, when it did not succeed. */
export function succeeded(what: string, { code, stdout, stderr }: CommandResult): string {
  if (code === 0) return stdout
  throw new Error(`${what} ended with ${code}\n${stdout}${stderr}`)
}
