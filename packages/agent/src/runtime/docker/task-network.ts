import { createHash } from 'node:crypto'
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
 * to be called by several agents of one engine at once: Docker lets two networks of one name come into being at the same
 * moment, so that neither can be used, but never two bridges that are one interface of the kernel.
 */
export async function ensureTaskNetwork(
  connection: EngineConnection,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  if (builtIn.has(name) || (await exists(connection, name, signal))) return
  const body = {
    Name: name,
    Driver: 'bridge',
    CheckDuplicate: true,
    Options: { 'com.docker.network.bridge.name': interfaceName(name) },
    Labels: { [hostLabel]: 'every' },
  }
  try {
    await connection.call({ operation: 'network', method: 'POST', path: '/networks/create', body }, signal)
  } catch (error) {
    const lostTheRace = error instanceof RuntimeError && /already exists|same bridge name/i.test(error.message)
    if (!lostTheRace) throw error
  }
}

/** The network's own name where the kernel takes it: at most 15 characters. */
const interfaceName = (network: string): string =>
  /^[A-Za-z0-9_-]{1,15}$/.test(network)
    ? network
    : `berth-${createHash('sha256').update(network).digest('hex').slice(0, 8)}`

async function exists(connection: EngineConnection, name: string, signal: AbortSignal): Promise<boolean> {
  const query = { filters: JSON.stringify({ name: [`^${name}$`] }) }
  const found = await connection.call({ operation: 'network', method: 'GET', path: '/networks', query }, signal)
  return (found as readonly { Name: string }[]).some((network) => network.Name === name)
}
