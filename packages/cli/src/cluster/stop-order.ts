import type { Clock } from '@berth/shared/clock.ts'
import { endProcess } from './end-process.ts'
import { isAlive } from '@berth/shared/process-identity.ts'
import type { RunState } from './run-state.ts'

/** Who ends first, by name: agents, so that nobody starts containers any more; Redis last, when nobody writes. */
const ranks: readonly ((name: string) => boolean)[] = [
  (name) => name.startsWith('agent-'),
  (name) => name === 'control-plane',
  (name) => name === 'redis',
]

/** The processes of a cluster in the groups in which they are ended, one group after another. */
export const stopOrder = <P extends { readonly name: string }>(processes: readonly P[]): readonly (readonly P[])[] =>
  ranks.map((has) => processes.filter(({ name }) => has(name))).filter((group) => group.length > 0)

/** How long a process that nobody looks after may take to end, in ms. */
const graceMs = 20_000

/**
 * Ends in order what a supervisor that was killed has left behind.
 *
 * @returns the names of those that were still there.
 */
export async function endLeftovers(clock: Clock, state: RunState): Promise<readonly string[]> {
  const ended: string[] = []
  for (const group of stopOrder(state.processes)) {
    const left = group.flatMap(({ name, identity }) => (identity && isAlive(identity) ? [{ name, identity }] : []))
    await Promise.all(left.map(({ identity }) => endProcess(clock, identity, graceMs)))
    ended.push(...left.map(({ name }) => name))
  }
  return ended
}
