import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { Clock } from '@berth/shared/clock.ts'
import Docker from 'dockerode'
import { RuntimeError } from '../container-runtime.ts'
import { type Deadlines, type Operation, withDeadline } from './deadlines.ts'
import { toRuntimeError } from './docker-fault.ts'

/** Where the engine listens. */
export interface EngineAddress {
  /** As DOCKER_HOST: `unix:///path`, `tcp://host:port`, `http://...` or `https://...`. Default: Docker's own socket. */
  readonly dockerHost?: string
  /** As DOCKER_CERT_PATH: a directory with `ca.pem`, `cert.pem` and `key.pem`; makes `tcp:` mean TLS. */
  readonly certPath?: string
}

export interface EngineRequest {
  readonly operation: Operation
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Without the version, as `/containers/json`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean>>
  readonly body?: unknown
  /** A tar archive, instead of a body. */
  readonly archive?: Buffer
  readonly credentials?: { readonly username: string; readonly password: string; readonly serveraddress: string }
  /** Added to the operation's deadline, in ms. */
  readonly extraMs?: number
}

/** A kept-alive connection to one engine, in one version of its API, with a deadline on everything. */
export interface EngineConnection {
  /** @throws RuntimeError; the signal's reason. */
  call(request: EngineRequest, signal: AbortSignal): Promise<unknown>
  /**
   * Opens an answer that goes on; the deadline ends with its headers.
   *
   * @throws RuntimeError; the signal's reason, also while reading.
   */
  open(request: EngineRequest, signal: AbortSignal): Promise<NodeJS.ReadableStream>
}

/** API of Docker 20.10, the oldest engine served and the one that every answer is read as. */
const preferredApi = '1.41'

export function engineConnection(address: EngineAddress, clock: Clock, deadlines: Deadlines): EngineConnection {
  const options = dockerOptions(address)
  const agent = keepAliveAgent(options.protocol === 'https')
  const modemOptions: Docker.DockerOptions & { agent: http.Agent } = { ...options, agent }
  const docker = new Docker(modemOptions)
  let api: string | undefined

  const dial = (request: EngineRequest, isStream: boolean, signal: AbortSignal): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const hasQuery = request.query !== undefined
      docker.modem.dial(
        {
          path: `${api === undefined ? '' : `/v${api}`}${request.path}${hasQuery ? '?' : ''}`,
          method: request.method,
          options: { _query: request.query ?? {}, _body: request.body ?? {} },
          abortSignal: signal,
          isStream,
          statusCodes: { 200: true, 201: true, 204: true, 304: true },
          ...(request.archive === undefined ? {} : { file: request.archive }),
          ...(request.credentials === undefined ? {} : { authconfig: request.credentials }),
        },
        (error: unknown, answer: unknown) => {
          if (error === null || error === undefined) resolve(answer)
          else reject(toRuntimeError(error))
        },
      )
    })

  const agreeOnApi = async (signal: AbortSignal): Promise<void> => {
    const request = { operation: 'version', method: 'GET', path: '/version' } as const
    const answer = await withDeadline(clock, 'ask Docker for its version', deadlines.version, signal, (own) =>
      dial(request, false, own),
    )
    api = chooseApi(answer as { ApiVersion?: string; MinAPIVersion?: string })
  }

  // While it is away the engine may be replaced by another version, and connections that lie ready are dead: without
  // this, each of them would fail a call of its own.
  const startAfresh = (): void => {
    api = undefined
    for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy()
  }

  const send = async (request: EngineRequest, isStream: boolean, signal: AbortSignal): Promise<unknown> => {
    signal.throwIfAborted()
    try {
      if (api === undefined) await agreeOnApi(signal)
      const ms = deadlines[request.operation] + (request.extraMs ?? 0)
      return await withDeadline(clock, describe(request), ms, signal, (own) => dial(request, isStream, own))
    } catch (error) {
      if (error instanceof RuntimeError && error.fault === 'unavailable') startAfresh()
      throw error
    }
  }

  return {
    call: (request, signal) => send(request, false, signal),
    open: async (request, signal) => {
      const stream = (await send(request, true, signal)) as NodeJS.ReadableStream & { destroy(error?: Error): void }
      const onAbort = (): void => stream.destroy(signal.reason as Error)
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      stream.once('close', () => signal.removeEventListener('abort', onAbort))
      return stream
    },
  }
}

/**
 * The version of the API to speak: that of Docker 20.10, or the oldest one that a newer engine still understands.
 *
 * @throws RuntimeError `refused` for an engine that is too old.
 */
export function chooseApi(engine: { readonly ApiVersion?: string; readonly MinAPIVersion?: string }): string {
  const newest = engine.ApiVersion ?? preferredApi
  const oldest = engine.MinAPIVersion ?? preferredApi
  if (compareApi(newest, preferredApi) < 0) {
    throw new RuntimeError('refused', `Docker 20.10 or newer is needed: this engine's API is ${newest}`)
  }
  return compareApi(oldest, preferredApi) > 0 ? oldest : preferredApi
}

function compareApi(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number)
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number)
  return aMajor - bMajor || aMinor - bMinor
}

const describe = (request: EngineRequest): string => `${request.operation} (${request.method} ${request.path})`

/**
 * The engine's address in dockerode's terms.
 *
 * @throws RuntimeError `refused` for an address of a kind that is not served.
 */
export function dockerOptions(address: EngineAddress): Docker.DockerOptions {
  const url = new URL(address.dockerHost ?? 'unix:///var/run/docker.sock')
  if (url.protocol === 'unix:') return { socketPath: decodeURIComponent(url.pathname) }
  if (!['tcp:', 'http:', 'https:'].includes(url.protocol)) {
    throw new RuntimeError('refused', `Docker cannot be reached by ${url.protocol}// (use unix, tcp, http or https)`)
  }
  const secure = url.protocol === 'https:' || (url.protocol === 'tcp:' && address.certPath !== undefined)
  return {
    host: url.hostname,
    port: url.port === '' ? (secure ? 2376 : 2375) : Number(url.port),
    protocol: secure ? 'https' : 'http',
    ...(address.certPath === undefined ? {} : certificates(address.certPath)),
  }
}

const certificates = (path: string) => ({
  ca: readFileSync(join(path, 'ca.pem'), 'utf8'),
  cert: readFileSync(join(path, 'cert.pem'), 'utf8'),
  key: readFileSync(join(path, 'key.pem'), 'utf8'),
})

/**
 * Connections that stay open between calls. docker-modem prints the options of every request for its debug log, agent and
 * sockets included, even when that log is off: measured 4.6 ms of CPU a call. An agent that prints as one word brings a
 * call down to 0.12 ms, less than half of what it costs without keep-alive (0.26-0.35 ms).
 */
function keepAliveAgent(secure: boolean): http.Agent {
  const options = { keepAlive: true, maxFreeSockets: 16 }
  const agent = secure ? new https.Agent(options) : new http.Agent(options)
  return Object.assign(agent, { [inspect.custom]: () => 'Agent' })
}
