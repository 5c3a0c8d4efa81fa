import type { Clock } from '@berth/shared/clock.ts'
import { waitUntil } from '../wait-until.ts'
import { isAlive, type ProcessIdentity } from '@berth/shared/process-identity.ts'

/** A process that was killed is gone as soon as the kernel has run it once more; a minute is beyond any load. */
const killedWithinMs = 60_000

/**
 * Asks a process that need not be a child of this one to end, and kills it when it has not after the grace.
 *
 * @returns whether it had to be killed.
 */
export async function endProcess(clock: Clock, identity: ProcessIdentity, graceMs: number): Promise<boolean> {
  const gone = (deadlineMs: number) =>
    waitUntil({ clock, everyMs: 20, deadlineMs }, () => (isAlive(identity) ? undefined : true))
  signalProcess(identity, 'SIGTERM')
  if (await gone(graceMs)) return false
  signalProcess(identity, 'SIGKILL')
  await gone(killedWithinMs)
  return true
}

/** @returns whether it was there to be signalled. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false
  try {
    return process.kill(identity.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
