import { existsSync } from 'node:fs'
import { CliError } from '../cli-error.ts'
import { takeClusterLock } from '../cluster/cluster-lock.ts'
import type { DataDirectory } from '../cluster/data-directory.ts'
import { endProcess } from '../cluster/end-process.ts'
import { isSupervised, readRunState, removeRunState } from '../cluster/run-state.ts'
import { endLeftovers } from '../cluster/stop-order.ts'
import type { CommandContext } from '../command-context.ts'
import { removeContainers } from '../engine/remove-containers.ts'
import { progressTo } from '../progress.ts'

export interface DownRequest {
  readonly directory: DataDirectory
  readonly keepTasks: boolean
}

/** Longer than a supervisor takes when each of its processes uses up its grace, in ms. */
const supervisorGraceMs = 90_000

/** Stops the cluster of a data directory, in order; the directory stays. @returns the exit code. */
export async function down({ directory, keepTasks }: DownRequest, context: CommandContext): Promise<number> {
  const { clock, out } = context
  const progress = progressTo(clock, out)
  const state = readRunState(directory)
  const wasUp =
    state !== undefined &&
    (await progress.step('Stopping Berth', async () => {
      if (isSupervised(state)) {
        await endProcess(clock, state.supervisor, supervisorGraceMs)
        // What it did not get to, because it had to be killed.
        await endLeftovers(clock, readRunState(directory) ?? state)
        return true
      }
      return (await endLeftovers(clock, state)).length > 0
    }))
  const lock = existsSync(directory.root) ? await takeClusterLock(directory.root) : undefined
  if (lock === undefined && existsSync(directory.root)) {
    throw new CliError(`Another "berth up" has begun in ${directory.root}: it is left alone.`)
  }
  removeRunState(directory)
  const removed = keepTasks || (await removeContainers(directory, context, progress))
  await lock?.release()
  out(wasUp ? 'Berth is down.' : `Berth was not up (data directory ${directory.root}).`)
  return removed ? 0 : 1
}
