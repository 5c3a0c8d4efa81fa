import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { createServer } from 'node:net'

/** The right to run the cluster of a data directory. */
export interface ClusterLock {
  release(): Promise<void>
}

/**
 * Takes the right to run the cluster of a data directory; `undefined` while another process has it. It is a socket in
 * Linux's abstract namespace: the kernel gives its name to one process only, and frees it however that process ends.
 */
export async function takeClusterLock(dataDirectory: string): Promise<ClusterLock | undefined> {
  const name = createHash('sha256').update(realpathSync(dataDirectory)).digest('hex').slice(0, 32)
  const server = createServer((socket) => socket.destroy())
  server.listen({ path: `\0berth-cluster-${name}` })
  try {
    await once(server, 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined
    throw error
  }
  server.unref()
  return {
    release: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
