import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import type { Redis } from 'ioredis'
import {
  type AcquireLeaseOptions,
  type CommitBatch,
  type CommitOutcome,
  type FeedEntry,
  type Fence,
  type LeaderAddresses,
  type LeaseOutcome,
  type LoadedState,
  type SafetyReport,
  type Store,
  StoreUnavailableError,
} from '../store.ts'
import { commitBatchArguments, commitBatchScript } from './commit-batch.ts'
import { acquireLeaseScript, releaseLeaseScript, renewLeaseScript } from './lease-scripts.ts'
import { type RedisAddress, RedisConnection } from './redis-connection.ts'
import { readFeed } from './redis-feed.ts'
import { redisKeys } from './redis-keys.ts'
import { loadRecords } from './redis-load.ts'
import { redisSafety, settingsThatMatter } from './redis-safety.ts'
import { commitOutcome, isDone, leaseOutcome, type ScriptReply } from './script-reply.ts'

export interface RedisStoreOptions {
  readonly address: RedisAddress
  /** Name of the cell; cells of different names share a Redis without touching. */
  readonly cell: string
  readonly random: Random
  readonly log: Log
  /** How many replicas must have a batch before it counts as committed. Default 0: the primary's log alone. */
  readonly waitReplicas?: number
  /** How long they may take, in ms. Default 1000. */
  readonly waitReplicasMs?: number
  /** How long Redis may take for one answer, in ms, before it counts as gone. Default 2000. */
  readonly commandTimeoutMs?: number
  /** How many parts of up to 100 changes the feed keeps, roughly. Default 1000; 0 = no feed. */
  readonly feedLength?: number
}

/** A batch takes some ms; Sentinels begin to replace a primary that has been silent for a second at least. */
const suspiciousMs = 500

const scripts = [commitBatchScript, acquireLeaseScript, renewLeaseScript, releaseLeaseScript]

/** A cell's records in Redis. Connects by itself, and again whenever the connection is lost. */
export function redisStore(options: RedisStoreOptions): Store {
  const { waitReplicas = 0, waitReplicasMs = 1000, commandTimeoutMs = 2000, feedLength = 1000 } = options
  const keys = redisKeys(options.cell)
  const connect = () => new RedisConnection({ ...options, key: keys.cell, commandTimeoutMs, scripts })
  const connection = connect()
  let highestEpoch = 0

  const seen = (outcome: LeaseOutcome): LeaseOutcome => {
    highestEpoch = Math.max(highestEpoch, outcome.kind === 'held' ? outcome.fence.epoch : outcome.by.epoch)
    return outcome
  }

  /** To be called in the same breath as the write that it is about: it waits for all that this connection wrote. */
  const replicated = async (): Promise<void> => {
    if (waitReplicas === 0) return
    const confirmed = await connection.send((client) => client.wait(waitReplicas, waitReplicasMs))
    if (confirmed < waitReplicas)
      throw new StoreUnavailableError(`only ${confirmed} of ${waitReplicas} replicas confirmed in ${waitReplicasMs} ms`)
  }

  /** Pipelines a script and the wait for its replication. What was refused need not be replicated; what was done and is not, is not known to last. */
  const runDurably = async (...run: Parameters<RedisConnection['run']>): Promise<ScriptReply> => {
    const sentAt = performance.now()
    const running = connection.run(...run)
    const replicating = replicated()
    replicating.catch(() => {})
    const reply = await running
    if (!isDone(reply)) return reply
    await replicating
    // A primary that was away for a moment may have been replaced in it, by one that does not have this.
    if (waitReplicas > 0 && performance.now() - sentAt > suspiciousMs) await connection.stillPrimary()
    return reply
  }

  return {
    async commit(batch: CommitBatch): Promise<CommitOutcome> {
      const { keys: scriptKeys, args } = commitBatchArguments(batch, keys, feedLength)
      return commitOutcome(await runDurably(commitBatchScript, scriptKeys, args))
    },

    async load(): Promise<LoadedState> {
      await connection.usable()
      return loadRecords((command) => connection.send(command), keys)
    },

    async acquireLease(
      holder: string,
      ttlMs: number,
      leader: LeaderAddresses,
      { predecessor = '', aboveEpoch = 0 }: AcquireLeaseOptions = {},
    ): Promise<LeaseOutcome> {
      await connection.usable()
      const args = [holder, ttlMs, JSON.stringify(leader), Math.max(highestEpoch, aboveEpoch), predecessor]
      return seen(leaseOutcome(await runDurably(acquireLeaseScript, [keys.cell], args)))
    },

    async renewLease(fence: Fence, ttlMs: number): Promise<LeaseOutcome> {
      return seen(leaseOutcome(await connection.run(renewLeaseScript, [keys.cell], [fence.epoch, fence.holder, ttlMs])))
    },

    async releaseLease(fence: Fence): Promise<void> {
      await connection.run(releaseLeaseScript, [keys.cell], [fence.epoch, fence.holder])
    },

    async *feed(afterSequence: number, signal: AbortSignal): AsyncGenerator<FeedEntry> {
      // Its reads block, which on the common connection would hold up the commits.
      const reader = connect()
      const stop = () => reader.close()
      signal.addEventListener('abort', stop, { once: true })
      try {
        await reader.usable()
        yield* readFeed((command) => reader.send(command), keys.feed, afterSequence, signal)
      } catch (error) {
        if (!signal.aborted) throw error
      } finally {
        signal.removeEventListener('abort', stop)
        stop()
      }
    },

    async safety(): Promise<SafetyReport> {
      await connection.usable()
      try {
        return redisSafety(await connection.send(readSettings))
      } catch (error) {
        if ((error as Error).cause instanceof Error && /NOPERM|unknown command/i.test((error as Error).message))
          return redisSafety({})
        throw error
      }
    },

    async close(): Promise<void> {
      connection.close()
    },
  }
}

async function readSettings(client: Redis): Promise<Record<string, string>> {
  const replies = await Promise.all(
    settingsThatMatter.map(async (name) => (await client.call('CONFIG', ['GET', name])) as string[]),
  )
  return Object.fromEntries(replies.filter(({ length }) => length === 2)) as Record<string, string>
}
