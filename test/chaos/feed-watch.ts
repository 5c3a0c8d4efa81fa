import { setTimeout as wait } from 'node:timers/promises'
import type { TaskRecord } from '@berth/control-plane/cell/records.ts'
import { redisStore } from '@berth/control-plane/store/redis/redis-store.ts'
import { silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { taskStatusRank } from '@berth/shared/task-status.ts'
import { Redis } from 'ioredis'

/** What a reader of Redis sees of every commit. */
export interface FeedWatch {
  readonly commits: number
  readonly epochs: number
  stop(): Promise<void>
}

/**
 * Follows every batch that becomes durable, and says what may never be: a batch of an older epoch after one of a newer, a
 * store that went back, a task whose status or host changed as none may.
 */
export function watchFeed(url: string, violated: (what: string) => void): FeedWatch {
  const ending = new AbortController()
  const tasks = new Map<string, TaskRecord>()
  let sequence = 0
  let epoch = 0
  let commits = 0
  const follow = async () => {
    while (!ending.signal.aborted) {
      const store = redisStore({ address: { url }, cell: 'default', random: systemRandom(), log: silentLog })
      try {
        for await (const entry of store.feed(sequence, ending.signal)) {
          if (entry.epoch < epoch)
            violated(`batch ${entry.sequence} is of epoch ${entry.epoch}, after one of epoch ${epoch}`)
          sequence = entry.sequence
          epoch = Math.max(epoch, entry.epoch)
          commits++
          for (const { table, key, value } of entry.changes) {
            if (table === 'tasks' && value !== null) take(key, JSON.parse(value) as TaskRecord)
          }
        }
      } catch {
        // Redis is away: from where it was left.
      } finally {
        await store.close()
      }
      await wait(100)
    }
  }
  const take = (id: string, task: TaskRecord) => {
    const before = tasks.get(id)
    tasks.set(id, task)
    if (before === undefined) return
    if (taskStatusRank[task.lastStatus] < taskStatusRank[before.lastStatus])
      violated(`task ${id} went from ${before.lastStatus} to ${task.lastStatus} in the store`)
    if (before.desiredStatus === 'STOPPED' && task.desiredStatus !== 'STOPPED')
      violated(`task ${id} was to stop and is to run again in the store`)
    if (before.hostId !== undefined && task.hostId !== before.hostId) violated(`task ${id} was moved to another host`)
  }
  const watchSequence = async () => {
    const client = new Redis(url, { retryStrategy: () => 200, commandTimeout: 1000, maxRetriesPerRequest: 0 })
    client.on('error', () => {})
    let seen = { epoch: 0, sequence: 0 }
    while (!ending.signal.aborted) {
      const said = await client.hmget('{berth:default}:cell', 'epoch', 'sequence').catch(() => undefined)
      if (said !== undefined) {
        const now = { epoch: Number(said[0] ?? 0), sequence: Number(said[1] ?? 0) }
        if (now.sequence < seen.sequence) violated(`the store went back from batch ${seen.sequence} to ${now.sequence}`)
        if (now.epoch < seen.epoch) violated(`the store went back from epoch ${seen.epoch} to ${now.epoch}`)
        seen = now
      }
      await wait(100)
    }
    client.disconnect()
  }
  const working = Promise.all([follow(), watchSequence()])
  return {
    get commits() {
      return commits
    },
    get epochs() {
      return epoch
    },
    async stop() {
      ending.abort()
      await working
    },
  }
}
