import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** How the agent of a container instance ends that was deregistered (see the agent's `main.ts`). */
export const deregisteredExitCode = 5

/**
 * Puts the journal of a deregistered host aside, so that the next agent on its directory is a new container instance. It stays where it was, since
 * `down` learns from it whose containers are left.
 */
export function retireJournal(directory: string): void {
  const journal = join(directory, 'agent.journal')
  rmSync(join(directory, 'host-certificate.json'), { force: true })
  if (existsSync(journal)) renameSync(journal, `${journal}.deregistered-${retiredBefore(journal) + 1}`)
}

function retiredBefore(journal: string): number {
  let count = 0
  while (existsSync(`${journal}.deregistered-${count + 1}`)) count += 1
  return count
}
