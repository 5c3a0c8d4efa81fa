import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Clock } from '@berth/shared/clock.ts'
import { type Answer, jsonContentType, notProcessedHeader } from './http-answer.ts'

/** A request as it came in: all that its signature covers, and its body. */
export interface ReceivedRequest {
  readonly method: string
  readonly url: string
  /** Names and values by turns, as they were written. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

/** What came of asking another process. */
export type LeaderOutcome =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** It was not reached, or said that it did nothing: the request may be made again. */
  | { readonly kind: 'not processed'; readonly reason: string }
  /** It had the request, and nobody knows what it did with it. */
  | { readonly kind: 'unknown'; readonly reason: string }

export interface LeaderRequests {
  /** Sends `request` to the API at `baseUrl`. Never throws; `signal` gives the answer up. */
  send(baseUrl: string, request: ReceivedRequest, signal: AbortSignal): Promise<LeaderOutcome>
  close(): void
}

export interface LeaderRequestsOptions {
  readonly clock: Clock
  /** By which name and roots (PEM) an `https` leader is known now. Default: by its own name, and those of the system. */
  readonly knownBy?: () => { readonly servername: string; readonly ca: string }
}

/** Says who sent a request on: one that has it is not sent on again. */
export const forwardedHeader = 'x-berth-forwarded'

/** On a local network a connection takes milliseconds; one that takes longer leads nowhere. */
const connectWithinMs = 1000
/** More than an API's answers ever have: DescribeTasks of 100 large tasks is below 2 MiB. */
const largestAnswer = 16 * 1024 * 1024
const connectionsToLeader = 128

/** Headers that are about one connection, and not about the request (RFC 9110, 7.6.1), or that are written anew. */
const ofTheConnection = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
])

/** Sends requests on as they came, so that their signatures, `Host` included, still hold where they arrive. */
export function leaderRequests({ clock, knownBy }: LeaderRequestsOptions): LeaderRequests {
  const settings = { keepAlive: true, maxSockets: connectionsToLeader }
  const plain = new HttpAgent(settings)
  const secure = new HttpsAgent(settings)

  const open = (baseUrl: string, { method, url, rawHeaders, body }: ReceivedRequest): ClientRequest => {
    const { protocol, hostname, port } = new URL(baseUrl)
    const options = {
      method,
      path: url,
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port,
      headers: [...endToEnd(rawHeaders), forwardedHeader, '1', 'content-length', String(body.length)],
      setHost: false,
    }
    return protocol === 'https:'
      ? httpsRequest({ ...options, agent: secure, servername: hostname, ...knownBy?.() })
      : httpRequest({ ...options, agent: plain })
  }

  return {
    async send(baseUrl, received, signal) {
      let connected = false
      const request = open(baseUrl, received)
      const give = (reason: unknown) => void request.destroy(reason as Error)
      const giveUp = () => give(signal.reason)
      const cancelConnect = clock.after(connectWithinMs, () => {
        if (!connected) give(new Error(`not connected within ${connectWithinMs} ms`))
      })
      request.on('socket', (socket) => {
        if (!socket.connecting) connected = true
        else socket.once('connect', () => (connected = true))
      })
      signal.addEventListener('abort', giveUp, { once: true })
      if (signal.aborted) giveUp()
      try {
        return await outcomeOf(request, received.body)
      } catch (error) {
        const reason = (error as Error).message
        return connected ? { kind: 'unknown', reason } : { kind: 'not processed', reason }
      } finally {
        cancelConnect()
        signal.removeEventListener('abort', giveUp)
      }
    },
    close() {
      plain.destroy()
      secure.destroy()
    },
  }
}

function endToEnd(rawHeaders: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2)
    if (!ofTheConnection.has(name.toLowerCase())) kept.push(name, value)
  }
  return kept
}

async function outcomeOf(request: ClientRequest, body: Buffer): Promise<LeaderOutcome> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve)
    request.on('error', reject)
    request.end(body)
  })
  const text = await readAll(response)
  const { statusCode = 500, headers } = response
  if (headers[notProcessedHeader] !== undefined) return { kind: 'not processed', reason: `status ${statusCode}` }
  const errorType = headers['x-amzn-errortype']
  const answer: Answer = {
    requestId: String(headers['x-amzn-requestid'] ?? ''),
    status: statusCode,
    contentType: headers['content-type'] ?? jsonContentType,
    body: text,
    ...(typeof errorType === 'string' && { errorType }),
  }
  return { kind: 'answered', answer }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > largestAnswer) throw new Error(`the answer is larger than ${largestAnswer} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
