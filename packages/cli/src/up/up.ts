import { mkdirSync } from 'node:fs'
import { takeClusterLock } from '../cluster/cluster-lock.ts'
import { type ClusterSettings, readSettings, settleSettings } from '../cluster/cluster-settings.ts'
import type { DataDirectory } from '../cluster/data-directory.ts'
import { readRunState, type RunState } from '../cluster/run-state.ts'
import { CliError } from '../cli-error.ts'
import { type CommandContext, commandLine } from '../command-context.ts'
import { progressTo } from '../progress.ts'
import { waitUntil } from '../wait-until.ts'
import { startInBackground } from './detach.ts'
import { runForeground } from './run-foreground.ts'
import { summary } from './summary.ts'

export interface UpRequest {
  readonly directory: DataDirectory
  /** What the user has said; the rest is as it was, or as usual. */
  readonly said: Partial<ClusterSettings>
  readonly detach: boolean
  /** The command line that runs the same in the foreground. */
  readonly foregroundArgs: readonly string[]
}

/** Starts a cluster, unless it is up. @returns the exit code. @throws CliError when it cannot be started. */
export async function up(request: UpRequest, context: CommandContext): Promise<number> {
  const { directory, said } = request
  mkdirSync(directory.root, { recursive: true, mode: 0o700 })
  settleSettings(directory, said, readSettings(directory))

  const running = await runningElsewhere(directory, context)
  if (running !== undefined) return sayItIsUp(running, request, context)
  if (!request.detach) {
    const code = await runForeground(directory, said, context)
    if (code === undefined) throw new CliError(`Another "berth up" has just begun in ${directory.root}.`)
    return code
  }
  await startInBackground(directory, request.foregroundArgs, context)
  const state = readRunState(directory)
  if (state !== undefined) summary(context, directory, state, { foreground: false }).forEach(context.out)
  return 0
}

/** How long another `berth up` may take to be ready, or a `berth down` to finish, in ms. */
const settledWithinMs = 120_000

/**
 * The cluster of this directory that another process runs, once it is ready; `undefined` when there is none, or none any
 * more.
 */
async function runningElsewhere(
  directory: DataDirectory,
  { clock, out }: CommandContext,
): Promise<RunState | undefined> {
  const free = async (): Promise<boolean> => {
    const lock = await takeClusterLock(directory.root)
    await lock?.release()
    return lock !== undefined
  }
  if (await free()) return undefined
  const settled = await progressTo(clock, out).step('Waiting for another "berth up" or "berth down"', () =>
    waitUntil({ clock, everyMs: 50, deadlineMs: settledWithinMs }, async () => {
      const state = readRunState(directory)
      if (state?.phase === 'ready') return { state }
      return (await free()) ? { state: undefined } : undefined
    }),
  )
  if (settled === undefined) throw new CliError(`Another "berth up" in ${directory.root} does not get ready.`)
  return settled.state
}

function sayItIsUp(state: RunState, { directory, said }: UpRequest, context: CommandContext): number {
  context.out(`Berth is already up at ${state.endpoint} (data directory ${directory.root}).`)
  if (Object.keys(said).length > 0) {
    context.out(`To run it otherwise, end it first: ${commandLine(context, directory, 'down')}`)
  }
  return 0
}
