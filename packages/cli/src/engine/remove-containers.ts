import type { DataDirectory } from '../cluster/data-directory.ts'
import type { CommandContext } from '../command-context.ts'
import type { Progress } from '../progress.ts'

/** Stopping a container is the longest that is asked: its ten seconds, and as much as a loaded engine may take. In ms. */
const silentForMs = 60_000

/**
 * Stops and removes the containers of every host that this cluster has, or had.
 *
 * @returns whether none is left; when some may be, the user has been told why.
 */
export async function removeContainers(
  directory: DataDirectory,
  { environment, out, err }: CommandContext,
  progress: Progress,
): Promise<boolean> {
  // Loaded here, since they take longer to load than everything else.
  const [{ hostIdsUnder }, { connectEngine }, { removeHostContainers }] = await Promise.all([
    import('./host-ids.ts'),
    import('./docker-engine.ts'),
    import('./remove-host-containers.ts'),
  ])
  const hostIds = hostIdsUnder(directory.agents)
  if (hostIds.size === 0) return true
  const { docker, address } = connectEngine(environment, silentForMs)
  try {
    const removed = await progress.step('Stopping the containers of tasks', () => removeHostContainers(docker, hostIds))
    if (removed > 0) out(`Removed ${removed === 1 ? '1 container' : `${removed} containers`}.`)
    return true
  } catch (error) {
    err(`Containers may be left: the Docker engine at ${address} says: ${(error as Error).message}`)
    return false
  }
}
