import { takeClusterLock } from '../cluster/cluster-lock.ts'
import type { ClusterSettings } from '../cluster/cluster-settings.ts'
import type { DataDirectory } from '../cluster/data-directory.ts'
import { readRunState } from '../cluster/run-state.ts'
import type { CommandContext } from '../command-context.ts'
import { removeContainers } from '../engine/remove-containers.ts'
import { personLog } from '../person-log.ts'
import { progressTo } from '../progress.ts'
import { planCluster, startCluster } from './start-cluster.ts'
import { stopSignals } from './stop-signals.ts'
import { summary } from './summary.ts'
import { reportToParent } from './up-report.ts'

/**
 * Runs a cluster until a signal ends it.
 *
 * @returns the exit code; `undefined` when another process runs the cluster of this directory.
 * @throws CliError when it cannot be started; everything that was started is ended again by then.
 */
export async function runForeground(
  directory: DataDirectory,
  said: Partial<ClusterSettings>,
  context: CommandContext,
): Promise<number | undefined> {
  const lock = await takeClusterLock(directory.root)
  if (lock === undefined) return undefined
  const { clock, random, environment } = context
  const say = (line: string): void => {
    context.out(line)
    reportToParent({ kind: 'says', line })
  }
  const progress = progressTo(clock, say)
  const signals = stopSignals(clock)
  const log = personLog(clock, context.out)
  try {
    const deps = { clock, random, log, progress, environment, signal: signals.first }
    const plan = await planCluster(directory, said, deps)
    const { supervisor, ready } = startCluster(plan, deps)
    try {
      await ready
      sayReady(directory, context)
      reportToParent({ kind: 'ready' })
      await signals.received
    } finally {
      signals.second.addEventListener('abort', () => supervisor.killAll())
      await progress.step('Stopping Berth', () => supervisor.stop())
    }
  } catch (error) {
    if (!signals.first.aborted) throw error
  } finally {
    // From here on a second Ctrl-C ends this process at once.
    signals.release()
  }
  const removed = signals.name !== 'SIGINT' || (await removeContainers(directory, context, progress))
  await lock.release()
  return removed ? 0 : 1
}

/** In the background nobody reads it; whoever waits says it there. */
function sayReady(directory: DataDirectory, context: CommandContext): void {
  const state = readRunState(directory)
  if (process.connected || state === undefined) return
  summary(context, directory, state, { foreground: true }).forEach(context.out)
}
