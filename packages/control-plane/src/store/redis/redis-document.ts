import type { SharedDocument } from '../shared-document.ts'
import { StoreUnavailableError } from '../store.ts'
import { luaScript } from './lua-script.ts'
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts'

export interface RedisDocumentOptions extends Omit<RedisConnectionOptions, 'scripts' | 'commandTimeoutMs' | 'key'> {
  /** Name of the cell. */
  readonly cell: string
  /** Name of the document. */
  readonly name: string
  /** How many replicas must have it before it counts as written. */
  readonly waitReplicas: number
}

/**
 * Writes a document if it is what the writer thinks.
 *
 * KEYS[1]  the document (string)
 * ARGV[1]  what it is expected to be; empty for none
 * ARGV[2]  what it is to be
 *
 * Answers {0, what it is now}.
 */
const swapScript = luaScript(
  'swap-document',
  `local now = redis.call('GET', KEYS[1]) or ''
if now ~= ARGV[1] then return {0, now} end
redis.call('SET', KEYS[1], ARGV[2])
return {0, ARGV[2]}`,
)

const commandTimeoutMs = 2000
const replicationMs = 1000

/** A document in Redis, on a connection of its own. */
export function redisDocument(options: RedisDocumentOptions): SharedDocument & { close(): void } {
  const { cell, name, waitReplicas } = options
  const key = `{berth:${cell}}:document:${name}`
  const connection = new RedisConnection({ ...options, key, commandTimeoutMs, scripts: [swapScript] })
  return {
    async read() {
      await connection.usable()
      return (await connection.send((client) => client.get(key))) ?? undefined
    },
    async swap(expected, next) {
      await connection.usable()
      const swapping = connection.run(swapScript, [key], [expected ?? '', next])
      const replicating = connection.send((client) => client.wait(waitReplicas, replicationMs))
      replicating.catch(() => {})
      const [, now] = await swapping
      if ((await replicating) < waitReplicas)
        throw new StoreUnavailableError(`fewer than ${waitReplicas} replicas confirmed the document ${name}`)
      return String(now)
    },
    close: () => connection.close(),
  }
}
