import { isIP } from 'node:net'
import { Redis } from 'ioredis'
import type { ClientOptions, RedisServerAddress } from './redis-connection.ts'

export interface SentinelGroup {
  readonly sentinels: readonly RedisServerAddress[]
  /** By which they know the primary. */
  readonly name: string
  /** What a connection to one of them is made with: TLS, time limits. */
  readonly connection: ClientOptions
}

/** What one Sentinel says: whom it would name as the primary, and how it stands with the one that it watches. */
export interface SentinelWord {
  readonly named: string
  readonly watched: string
  readonly flags: readonly string[]
}

/** Flags of a primary that is being replaced, or may be so at any moment. */
const onItsWayOut: readonly string[] = ['o_down', 'failover_in_progress']

/**
 * Says why `server` cannot be taken for the primary, or nothing when it can.
 *
 * A fail-over has chosen its replica before the Sentinels name another primary. Until then an old primary that was away for a moment still takes
 * writes, and a replica that does not yet follow the chosen one confirms them: they would be acknowledged, and gone with the old primary. So more
 * than half of the Sentinels must answer, all that do must name the same, and none may be about to replace it.
 *
 * @param server its address, as far as it is known as an IP address and a port
 */
export function whyNotPrimary(words: readonly SentinelWord[], sentinels: number, server?: string): string | undefined {
  if (words.length * 2 <= sentinels) return `only ${words.length} of ${sentinels} Sentinels answer`
  const named = [...new Set(words.map((word) => word.named))]
  if (named.length > 1) return `the Sentinels do not agree on the primary: ${named.join(', ')}`
  const [primary = ''] = named
  if (server !== undefined && isIP(hostOf(primary)) !== 0 && primary !== server)
    return `the Sentinels name ${primary} as the primary, not ${server}`
  // One that has already been replaced is watched until all replicas follow the new one.
  const replaced = words.some(
    ({ watched, flags }) => watched === primary && flags.some((flag) => onItsWayOut.includes(flag)),
  )
  return replaced ? `the Sentinels are about to replace ${primary}` : undefined
}

/** Asks all Sentinels at once; those that do not answer in time say nothing. */
export async function askSentinels({ sentinels, name, connection }: SentinelGroup): Promise<readonly SentinelWord[]> {
  const words = await Promise.all(sentinels.map((sentinel) => ask(sentinel, name, connection).catch(() => undefined)))
  return words.filter((word) => word !== undefined)
}

async function ask(sentinel: RedisServerAddress, name: string, connection: ClientOptions): Promise<SentinelWord> {
  const client = new Redis({ ...connection, ...sentinel, lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => {})
  try {
    await client.connect()
    const [address, state] = (await Promise.all([
      client.call('SENTINEL', ['GET-MASTER-ADDR-BY-NAME', name]),
      client.call('SENTINEL', ['MASTER', name]),
    ])) as [readonly string[], readonly string[]]
    const field = (key: string) => state[state.indexOf(key) + 1] ?? ''
    return {
      named: address.join(':'),
      watched: `${field('ip')}:${field('port')}`,
      flags: field('flags').split(','),
    }
  } finally {
    client.disconnect()
  }
}

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'))
