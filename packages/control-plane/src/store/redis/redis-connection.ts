import { backoffDelay, type BackoffOptions } from '@berth/shared/backoff.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import { Redis, type RedisOptions } from 'ioredis'
import { StoreUnavailableError } from '../store.ts'
import type { LuaScript } from './lua-script.ts'
import type { ScriptReply } from './script-reply.ts'
import { askSentinels, type SentinelGroup, whyNotPrimary } from './sentinel-agreement.ts'
import { slotOwnerConnector } from './slot-owner-connector.ts'

/** Options of a client whose answers are those that the rest of this room reads. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>

export interface RedisServerAddress {
  readonly host: string
  readonly port: number
}

/** How a server is spoken to, and what it wants to know. */
interface RedisAccess {
  readonly username?: string
  readonly password?: string
  readonly tls: boolean
  /** Certificates in PEM that servers are known by; default: those that Node knows. */
  readonly ca?: string
}

/** Where Redis is: one server, the Sentinels that know which one, or servers of a Redis Cluster. */
export type RedisAddress =
  | { readonly url: string }
  | (RedisAccess & { readonly kind: 'server'; readonly server: RedisServerAddress; readonly database: number })
  | (RedisAccess & {
      readonly kind: 'sentinel'
      readonly sentinels: readonly RedisServerAddress[]
      readonly name: string
    })
  | (RedisAccess & { readonly kind: 'cluster'; readonly seeds: readonly RedisServerAddress[] })

export interface RedisConnectionOptions {
  readonly address: RedisAddress
  /** A key like those that will be used: in a Redis Cluster it says which server has them. */
  readonly key: string
  readonly random: Random
  readonly log: Log
  /** How long Redis may take for one answer, in ms, before it counts as gone. */
  readonly commandTimeoutMs: number
  /** Loaded at each connect, before anything else is sent. */
  readonly scripts: readonly LuaScript[]
}

/** How long to wait between connects: short, since a cell waits for it. */
const reconnect: BackoffOptions = { baseMs: 50, maxMs: 1000 }

/** Answers after which this connection is of no use: it leads to a replica, or to a primary on its way out. */
const wrongServer = /^(READONLY|MASTERDOWN|LOADING|MOVED|ASK|CLUSTERDOWN)/

/**
 * One connection to the primary. What is sent while there is none fails at once; nothing is ever sent twice; what is not
 * answered in time fails. It connects again by itself, for ever, and takes no server that is not a primary.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions
  readonly #client: Redis
  readonly #sentinels: SentinelGroup | undefined
  #usable = false
  #closed = false
  #timesEnded = 0
  #lastWord: Promise<void> = Promise.resolve()
  #nextWord: Promise<void> | undefined
  #waiting: { resolve(): void; reject(error: Error): void }[] = []
  #connectionsMade = 0

  constructor(options: RedisConnectionOptions) {
    this.#options = options
    this.#client = createClient(options)
    this.#sentinels = sentinelsOf(options)
    this.#client.on('ready', () => void this.#prepare(++this.#connectionsMade))
    this.#client.on('close', () => this.#lost())
    this.#client.on('end', () => this.#connectAgain())
    // A client without a listener throws; what matters of it is said by `close` and by each command's own failure.
    this.#client.on('error', (error: Error) => options.log.debug('connection to Redis', { reason: error.message }))
  }

  /** Resolves once there is a connection to a primary. @throws StoreUnavailableError after the command timeout. */
  async usable(): Promise<void> {
    if (this.#usable) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { resolve, reject }
    const timer = setTimeout(() => reject(noConnection()), this.#options.commandTimeoutMs)
    this.#waiting.push(waiter)
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#waiting = this.#waiting.filter((other) => other !== waiter)
    }
  }

  /** Runs a script, sent before this returns. @throws StoreUnavailableError */
  async run(script: LuaScript, keys: readonly string[], args: readonly (string | number)[]): Promise<ScriptReply> {
    return (await this.send((client) =>
      client.call('EVALSHA', [script.sha, keys.length, ...keys, ...args]),
    )) as ScriptReply
  }

  /** Sends what `command` sends, before this returns. @throws StoreUnavailableError */
  async send<T>(command: (client: Redis) => Promise<T>): Promise<T> {
    if (!this.#usable) throw noConnection()
    const connection = this.#connectionsMade
    try {
      return await command(this.#client)
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('NOSCRIPT')) this.#forgotten(connection)
      throw unavailable(error)
    }
  }

  /**
   * Resolves when this connection leads to the primary still, as far as somebody knows.
   *
   * @throws StoreUnavailableError when Sentinels have another or are about to; then this connects again.
   */
  async stillPrimary(): Promise<void> {
    // What is under way may have been asked before that which this is about was done; all who come meanwhile share the next.
    this.#nextWord ??= this.#askNext()
    return this.#nextWord
  }

  async #askNext(): Promise<void> {
    await this.#lastWord.catch(() => {})
    this.#nextWord = undefined
    this.#lastWord = this.#askOrLeave()
    return this.#lastWord
  }

  async #askOrLeave(): Promise<void> {
    const connection = this.#connectionsMade
    try {
      await this.#askSentinels()
    } catch (error) {
      if (connection === this.#connectionsMade) this.#client.disconnect(true)
      throw unavailable(error)
    }
  }

  close(): void {
    this.#usable = false
    this.#closed = true
    this.#client.disconnect()
    for (const waiter of this.#waiting) waiter.reject(noConnection())
  }

  async #prepare(connection: number): Promise<void> {
    try {
      const role = (await this.#client.call('ROLE')) as [string]
      if (role[0] !== 'master') throw new Error(`this Redis is a ${role[0]}, not the primary`)
      await this.#askSentinels()
      await this.#load()
    } catch (error) {
      if (connection !== this.#connectionsMade) return
      this.#options.log.warn('Redis cannot be used', { reason: (error as Error).message })
      this.#client.disconnect(true)
      return
    }
    if (connection === this.#connectionsMade && this.#client.status === 'ready') this.#found()
  }

  async #askSentinels(): Promise<void> {
    if (this.#sentinels === undefined) return
    const { remoteAddress, remotePort } = this.#client.stream
    const server = remoteAddress === undefined ? undefined : `${remoteAddress.replace('::ffff:', '')}:${remotePort}`
    const words = await askSentinels(this.#sentinels)
    const reason = whyNotPrimary(words, this.#sentinels.sentinels.length, server)
    if (reason !== undefined) throw new Error(reason)
  }

  async #load(): Promise<void> {
    await Promise.all(this.#options.scripts.map(({ source }) => this.#client.call('SCRIPT', ['LOAD', source])))
  }

  #found(): void {
    this.#usable = true
    this.#timesEnded = 0
    this.#options.log.info('connected to Redis')
    for (const waiter of this.#waiting) waiter.resolve()
  }

  /**
   * The client has given up, which nobody asked it to: it does when Sentinels tell of a new primary while it asks another Sentinel for the
   * primary, and would never try again.
   */
  #connectAgain(): void {
    if (this.#closed) return
    const delayMs = backoffDelay(this.#timesEnded++, reconnect, this.#options.random)
    const timer = setTimeout(() => {
      // Its failure is told by another `end`.
      if (!this.#closed && this.#client.status === 'end') this.#client.connect().catch(() => {})
    }, delayMs)
    timer.unref()
  }

  #lost(): void {
    if (this.#usable) this.#options.log.warn('the connection to Redis is lost; connecting again')
    this.#usable = false
  }

  /** Somebody flushed the scripts. Sent one by one as full source, pipelined commits could overtake one another; so all fail until they are loaded. */
  #forgotten(connection: number): void {
    if (!this.#usable || connection !== this.#connectionsMade) return
    this.#usable = false
    void this.#prepare(connection)
  }
}

function sentinelsOf({ address, commandTimeoutMs }: RedisConnectionOptions): SentinelGroup | undefined {
  if ('url' in address || address.kind !== 'sentinel') return undefined
  const { sentinels, name } = address
  const { tls } = accessOptions(address)
  return { sentinels, name, connection: { ...oneTry(commandTimeoutMs), enableOfflineQueue: true, ...(tls && { tls }) } }
}

const oneTry = (commandTimeoutMs: number): ClientOptions => ({
  protocol: 2,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: commandTimeoutMs,
  socketTimeout: commandTimeoutMs,
  connectTimeout: commandTimeoutMs,
})

function createClient({ address, key, random, commandTimeoutMs }: RedisConnectionOptions): Redis {
  const common: ClientOptions = {
    ...oneTry(commandTimeoutMs),
    maxLoadingRetryTime: 500,
    retryStrategy: (attempt: number) => backoffDelay(attempt, reconnect, random),
    reconnectOnError: (error: Error) => wrongServer.test(error.message),
  }
  if ('url' in address) return new Redis(address.url, common)
  return new Redis(optionsFor(address, { ...common, ...accessOptions(address) }, key, commandTimeoutMs))
}

function optionsFor(
  address: Exclude<RedisAddress, { url: string }>,
  connection: ClientOptions,
  key: string,
  commandTimeoutMs: number,
): ClientOptions {
  switch (address.kind) {
    case 'server':
      return { ...connection, ...address.server, db: address.database }
    case 'sentinel':
      return {
        ...connection,
        sentinels: address.sentinels.map((sentinel) => ({ ...sentinel })),
        name: address.name,
        failoverDetector: true,
        sentinelCommandTimeout: commandTimeoutMs,
        enableTLSForSentinelMode: address.tls,
        ...(connection.tls && { sentinelTLS: connection.tls }),
      }
    default:
      return { ...connection, Connector: slotOwnerConnector({ seeds: address.seeds, key, connection }) }
  }
}

const accessOptions = ({ username, password, tls, ca }: RedisAccess): ClientOptions => ({
  ...(username !== undefined && { username }),
  ...(password !== undefined && { password }),
  ...(tls && { tls: ca === undefined ? {} : { ca } }),
})

const noConnection = () => new StoreUnavailableError('there is no connection to Redis')

function unavailable(error: unknown): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new StoreUnavailableError(`Redis did not do it: ${reason}`, { cause: error })
}
