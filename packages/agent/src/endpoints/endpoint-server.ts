import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Log } from '@berth/shared/log.ts'
import type { EndpointAnswer, EndpointRequest } from './endpoint-answers.ts'

/** A request's body, in bytes; a change of protection has under 100. */
const largestBody = 4096
const headersTimeoutMs = 5_000

export interface EndpointServer {
  readonly port: number
  close(): Promise<void>
}

type Answer = (request: EndpointRequest, signal: AbortSignal) => Promise<EndpointAnswer> | EndpointAnswer

/**
 * Serves JSON over HTTP on one address of the host. Port 0 takes a free one.
 *
 * @throws an error of the network: `EADDRINUSE`, `EADDRNOTAVAIL`.
 */
export async function serveEndpoint(
  { host, port }: { readonly host: string; readonly port: number },
  answer: Answer,
  log: Log,
): Promise<EndpointServer> {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const gone = new AbortController()
    response.on('close', () => gone.abort(new Error('nobody waits for the answer')))
    const { status, body } = await answerTo(request, answer, gone.signal).catch((error: unknown): EndpointAnswer => {
      if (!gone.signal.aborted) log.warn('a request to the endpoints failed', { error })
      return { status: 500, body: 'the agent could not answer' }
    })
    const text = JSON.stringify(body)
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
    response.end(text)
  }
  const timeouts = { headersTimeout: headersTimeoutMs, requestTimeout: headersTimeoutMs }
  const server = createServer(timeouts, (request, response) => {
    respond(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, resolve)
  })
  // Containers' questions are no reason for the agent to stay.
  server.unref()
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) }
}

async function answerTo(request: IncomingMessage, answer: Answer, signal: AbortSignal): Promise<EndpointAnswer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    length += (chunk as Buffer).length
    if (length > largestBody) return { status: 413, body: `a request may have ${largestBody} bytes` }
    chunks.push(chunk as Buffer)
  }
  const { method = 'GET', url = '/' } = request
  return answer({ method, url, body: Buffer.concat(chunks).toString() }, signal)
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
