import { RuntimeError } from '../container-runtime.ts'
import { hostLabel } from './container-labels.ts'
import type { EngineConnection } from './engine-connection.ts'

/**
 * Docker's own bridge: where pause containers go by default. Measured on 2 cores, 4 at a time, containers started a second:
 * 7.4-8.5 here, 6.0-6.3 on a bridge made for tasks, for which Docker also runs a name server in every network namespace.
 */
export const defaultTaskNetwork = 'bridge'

/** Networks that Docker brings itself and that cannot be made. */
const builtIn: ReadonlySet<string> = new Set(['bridge', 'host', 'none'])

/**
 * Makes sure that the bridge network `name` exists. Its subnet is chosen by Docker, from its `default-address-pools`. Safe
 * to be called by several agents of one engine at once.
 */
export async function ensureTaskNetwork(
  connection: EngineConnection,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  if (builtIn.has(name) || (await exists(connection, name, signal))) return
  const body = { Name: name, Driver: 'bridge', CheckDuplicate: true, Labels: { [hostLabel]: 'every' } }
  try {
    await connection.call({ operation: 'network', method: 'POST', path: '/networks/create', body }, signal)
  } catch (error) {
    const lostTheRace = error instanceof RuntimeError && /already exists/i.test(error.message)
    if (!lostTheRace) throw error
  }
}

async function exists(connection: EngineConnection, name: string, signal: AbortSignal): Promise<boolean> {
  const query = { filters: JSON.stringify({ name: [`^${name}$`] }) }
  const found = await connection.call({ operation: 'network', method: 'GET', path: '/networks', query }, signal)
  return (found as readonly { Name: string }[]).some((network) => network.Name === name)
}
