import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AbstractConnector, Redis } from 'ioredis'
import type { RedisServerAddress, ClientOptions } from './redis-connection.ts'

type Stream = Awaited<ReturnType<AbstractConnector['connect']>>

export interface SlotOwnerOptions {
  readonly seeds: readonly RedisServerAddress[]
  /** A key that lies in the slot, as all keys of a cell do. */
  readonly key: string
  /** What connections to servers are made with: credentials, TLS, time limits. */
  readonly connection: ClientOptions
}

/** How long an ended socket may linger, in ms. */
const disconnectTimeoutMs = 2000

/**
 * Connects to the server of a Redis Cluster that has the slot of a cell, asked for anew at each connect. All keys of a cell share one slot, so one
 * ordinary connection does, with its order of commands and its WAIT; when the slot moves, the old server says MOVED and this connects again.
 */
export const slotOwnerConnector = ({ seeds, key, connection }: SlotOwnerOptions) =>
  class SlotOwnerConnector extends AbstractConnector {
    constructor() {
      super(disconnectTimeoutMs)
    }

    async connect(): Promise<Stream> {
      this.connecting = true
      const owner = await findOwner(seeds, key, connection)
      if (!this.connecting) throw new Error('the connection was closed')
      const stream = connection.tls ? connectTls({ ...connection.tls, ...owner }) : connectTcp(owner)
      stream.once('error', (error) => {
        this.firstError = error
      })
      this.stream = stream
      return stream
    }
  }

/** @throws the failure of the last server that was asked. */
async function findOwner(
  seeds: readonly RedisServerAddress[],
  key: string,
  connection: ClientOptions,
): Promise<RedisServerAddress> {
  let failure: unknown = new Error('no server of the Redis Cluster is known')
  for (const seed of seeds) {
    const client = new Redis({ ...connection, ...seed, lazyConnect: true, retryStrategy: () => null })
    client.on('error', () => {})
    try {
      await client.connect()
      const slot = Number(await client.call('CLUSTER', ['KEYSLOT', key]))
      const ranges = (await client.call('CLUSTER', ['SLOTS'])) as readonly SlotRange[]
      const owner = ranges.find(([first, last]) => first <= slot && slot <= last)?.[2]
      if (owner) return { host: owner[0] || seed.host, port: owner[1] }
      failure = new Error(`no server of the Redis Cluster has slot ${slot}`)
    } catch (error) {
      failure = error
    } finally {
      client.disconnect()
    }
  }
  throw failure
}

/** As CLUSTER SLOTS answers: the first server of a range is its primary; an empty host is the one that was asked. */
type SlotRange = readonly [first: number, last: number, primary: readonly [host: string, port: number]]
