import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { CliError } from '../cli-error.ts'
import type { DataDirectory } from '../cluster/data-directory.ts'
import type { CommandContext } from '../command-context.ts'
import { ownProgram } from '../own-program.ts'
import { rotateLog } from './log-file.ts'
import { stopSignals } from './stop-signals.ts'
import type { UpReport } from './up-report.ts'

/**
 * Runs this program with `args` as a supervisor in the background, and resolves when its cluster is ready. It keeps the
 * deadlines itself: each step of a start has its own.
 *
 * @throws CliError when it does not come to that; nothing of it runs then.
 */
export async function startInBackground(
  directory: DataDirectory,
  args: readonly string[],
  { environment, clock, out }: CommandContext,
): Promise<void> {
  mkdirSync(directory.logs, { recursive: true, mode: 0o700 })
  const logPath = directory.log('supervisor')
  rotateLog(logPath)
  const output = openSync(logPath, 'a', 0o600)
  const program = ownProgram(...args)
  const child = spawn(program.command, program.args, {
    env: environment,
    cwd: '/',
    stdio: ['ignore', output, output, 'ipc'],
    detached: true,
  })
  closeSync(output)
  const signals = stopSignals(clock)
  const passOn = (): void => void child.kill('SIGTERM')
  signals.first.addEventListener('abort', passOn)
  try {
    await new Promise<void>((resolve, reject) => {
      let failure: string | undefined
      child.on('message', (message: UpReport) => {
        if (message.kind === 'says') out(message.line)
        else if (message.kind === 'ready') resolve()
        else failure = message.message
      })
      child.on('error', reject)
      child.on('exit', (code, signal) =>
        reject(
          new CliError(failure ?? `Berth stopped while it started (${signal ?? `exit code ${code}`}): ${logPath}`),
        ),
      )
    })
  } finally {
    signals.release()
    if (child.connected) child.disconnect()
    child.unref()
  }
}
