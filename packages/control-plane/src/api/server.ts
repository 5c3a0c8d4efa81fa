import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import {
  createServer as createTlsServer,
  Server as TlsServer,
  type ServerOptions as TlsServerOptions,
} from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { type Random, randomUuid } from '@berth/shared/random.ts'
import { withDeadline } from './deadline.ts'
import { ApiError, serverException } from './errors.ts'
import { type Forwarding, isUntouched } from './forwarding.ts'
import { type Answer, errorAnswer, jsonContentType, refuseConnection, sendAnswer } from './http-answer.ts'
import { parseJsonBody, readRequestBody } from './request-body.ts'
import type { ApiOperation, ApiService } from './service.ts'
import { type CredentialLookup, sigV4Verifier } from './sigv4.ts'
import type { UnsignedEndpoint } from './unsigned-endpoint.ts'

/** What the API server may be told; each has a default. */
export interface ApiServerOptions {
  /** The largest body that is read, in bytes. Default 1 MiB; ECS's largest request is far below. */
  readonly maxBodyBytes?: number
  /** How long an operation may take, in ms, before it is answered with status 503. Default 30 s. */
  readonly operationDeadlineMs?: number
  /** How long the headers of a request may take to come in, in ms. Default 10 s. */
  readonly headersTimeoutMs?: number
  /** How long a whole request may take to come in, in ms. Default 30 s. */
  readonly requestTimeoutMs?: number
  /** How long a connection may stay idle, in ms. Default 65 s: longer than common load balancers keep theirs. */
  readonly keepAliveTimeoutMs?: number
  /** Certificate and key in PEM, and whatever else TLS is to be told; without them the server speaks plain HTTP. */
  readonly tls?: Pick<TlsServerOptions, 'cert' | 'key' | 'SNICallback' | 'minVersion'>
}

export interface ApiServerDeps {
  readonly services: readonly ApiService[]
  readonly credentials: CredentialLookup
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What an operation threw as an answer, where it is no `ApiError` and yet foreseen; nothing for what is not. */
  readonly translate?: (error: unknown) => ApiError | undefined
  /** What the health page says; status 503 unless `ready`. */
  readonly health?: () => { readonly ready: boolean } & Readonly<Record<string, unknown>>
  /** How requests reach the control plane that leads. Default: this one answers all. */
  readonly forwarding?: Forwarding
  /** What is answered without a signature, by path. */
  readonly unsigned?: ReadonlyMap<string, UnsignedEndpoint>
  readonly options?: ApiServerOptions
}

/** A server for AWS's JSON 1.1 protocol. */
export interface ApiServer {
  /** Starts to listen; port 0 takes a free one. Rejects when the address cannot be had. */
  listen(port: number, host?: string): Promise<AddressInfo>
  /** Shows another certificate to who connects from now on. Only for a server that was made with one. */
  renewCertificate(tls: Pick<TlsServerOptions, 'cert' | 'key'>): void
  /** Takes no new requests, lets those under way be answered, then closes. */
  close(): Promise<void>
}

/** What is known about a request by the time it is answered. */
interface RequestRecord {
  readonly requestId: string
  readonly startedAt: number
  readonly target: string
  principalArn?: string
}

/** Answers without a signature, for load balancers and scripts that wait for Berth to be up. */
const healthPath = '/_berth/health'

const unknownOperation = (message: string) => new ApiError('UnknownOperationException', message)

/** The operation that `X-Amz-Target` names within the service that the signature is for. */
function findOperation(services: ReadonlyMap<string, ApiService>, scope: string, target: string): ApiOperation {
  const service = services.get(scope)
  if (!service) {
    const known = [...services.keys()].map((name) => `'${name}'`).join(', ')
    throw new ApiError('InvalidSignatureException', `Credential should be scoped to correct service: ${known}.`)
  }
  const dot = target.lastIndexOf('.')
  const operation = target.slice(0, dot) === service.targetPrefix && service.operations.get(target.slice(dot + 1))
  if (!operation) throw unknownOperation(`Unknown operation: "${target.slice(0, 200)}".`)
  return operation
}

/** What a client is told about a failure: an `ApiError` as it is; of anything else, only that it happened. */
const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError ? error : serverException('Service Unavailable. Please try again later.', error)

/**
 * Makes the API server: HTTP in, `services` behind it, HTTP out. Every answer carries `x-amzn-RequestId`, and each
 * request ends within its deadlines.
 */
export function createApiServer(deps: ApiServerDeps): ApiServer {
  const { services, credentials, clock, random, log, options = {} } = deps
  const maxBodyBytes = options.maxBodyBytes ?? 2 ** 20
  const operationDeadlineMs = options.operationDeadlineMs ?? 30_000
  const verify = sigV4Verifier(credentials)
  const byScope = new Map(services.map((service) => [service.name, service]))

  /** The way of a request in this process; each step may throw an `ApiError`. */
  const perform = async (
    { method = '', url = '/', headers }: IncomingMessage,
    body: Buffer,
    record: RequestRecord,
    gone: AbortSignal,
  ): Promise<Answer> => {
    const receivedAt = clock.now()
    const { principalArn, region, service } = verify({ method, url, headers, body }, receivedAt)
    record.principalArn = principalArn
    const operation = findOperation(byScope, service, record.target)
    const input = operation.decode(parseJsonBody(body))
    const { requestId } = record
    const output = await withDeadline(clock, operationDeadlineMs, gone, (signal) =>
      operation.handle(input, { requestId, principalArn, region, receivedAt, signal }),
    )
    return { requestId, status: 200, contentType: jsonContentType, body: JSON.stringify(operation.encode(output)) }
  }

  const performUnsigned = async (
    { handle }: UnsignedEndpoint & { readonly method: 'POST' },
    body: Buffer,
    { requestId }: RequestRecord,
    gone: AbortSignal,
  ): Promise<Answer> => {
    const output = await withDeadline(clock, operationDeadlineMs, gone, () => handle(parseJsonBody(body)))
    return { requestId, status: 200, contentType: jsonContentType, body: JSON.stringify(output) }
  }

  const answerOf = async (request: IncomingMessage, record: RequestRecord, gone: AbortSignal): Promise<Answer> => {
    const { requestId, target } = record
    try {
      const { method = '', url = '/', rawHeaders } = request
      const endpoint = deps.unsigned?.get(url)
      if (endpoint?.method === 'GET' && method === 'GET')
        return { requestId, status: 200, contentType: endpoint.contentType, body: endpoint.answer() }
      const unsigned = endpoint?.method === 'POST' ? endpoint : undefined
      const body = await readRequestBody(request, unsigned?.maxBodyBytes ?? maxBodyBytes)
      if (method !== 'POST') throw unknownOperation('The API takes POST requests only.')
      const here = () =>
        unsigned === undefined ? perform(request, body, record, gone) : performUnsigned(unsigned, body, record, gone)
      return await (deps.forwarding?.({ method, url, rawHeaders, body }, here, gone) ?? here())
    } catch (thrown) {
      const error = deps.translate?.(thrown) ?? asApiError(thrown)
      if (error.httpStatus >= 500 && !gone.aborted) {
        log.error('request failed', { requestId, target, error: error.cause ?? error })
      }
      return { ...errorAnswer(requestId, error), notProcessed: isUntouched(thrown) }
    }
  }

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Who hears 503 tries again, and a balancer before several control planes can hand only a new connection to another one.
    const send = (answer: Answer) =>
      sendAnswer(request, response, answer, { clock, lastOfConnection: !server.listening || answer.status === 503 })
    const requestId = randomUuid(random)
    if (request.method === 'GET' && request.url === healthPath) {
      send(healthAnswer(requestId, deps.health?.() ?? { ready: true }))
      return
    }
    const target = String(request.headers['x-amz-target'] ?? '')
    const record: RequestRecord = { requestId, startedAt: clock.monotonic(), target }
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the client closed the connection'))
    })
    const answer = await answerOf(request, record, gone.signal)
    send(answer)
    logAnswer(record, answer)
  }

  const logAnswer = ({ requestId, target, principalArn, startedAt }: RequestRecord, { status, errorType }: Answer) => {
    const durationMs = Math.round(clock.monotonic() - startedAt)
    log.debug('request answered', { requestId, target, principalArn, status, errorType, durationMs })
  }

  const listener: RequestListener = (request, response) => {
    respond(request, response).catch((error: unknown) => {
      log.error('answering a request failed', { error })
      response.destroy()
    })
  }
  const server = makeServer(options, operationDeadlineMs, listener)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    refuseConnection(error, socket, randomUuid(random))
  })

  return {
    listen: (port, host = '127.0.0.1') => listen(server, port, host),
    renewCertificate: (tls) => {
      if (server instanceof TlsServer) server.setSecureContext(tls)
    },
    close: () => closeServer(server),
  }
}

const healthAnswer = (requestId: string, { ready, ...facts }: { readonly ready: boolean }) => ({
  requestId,
  status: ready ? 200 : 503,
  contentType: 'application/json',
  body: JSON.stringify({ status: ready ? 'ok' : 'unavailable', ...facts }),
})

function makeServer(options: ApiServerOptions, operationDeadlineMs: number, listener: RequestListener): Server {
  const requestTimeout = options.requestTimeoutMs ?? 30_000
  const settings = {
    headersTimeout: options.headersTimeoutMs ?? 10_000,
    requestTimeout,
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 65_000,
    connectionsCheckingInterval: 1000,
    // Such a request fails at its signature, and so gets an answer like all others.
    requireHostHeader: false,
  }
  const { tls } = options
  const server = tls ? createTlsServer({ ...settings, ...tls }, listener) : createServer(settings, listener)
  server.on('checkExpectation', listener)
  // For a client that reads its answer too slowly, or not at all.
  server.setTimeout(requestTimeout + operationDeadlineMs + 60_000)
  return server
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()))
    server.closeIdleConnections()
  })
}
