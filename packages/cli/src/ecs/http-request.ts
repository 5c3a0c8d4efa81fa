import { request as httpRequestOf } from 'node:http'
import { request as httpsRequestOf } from 'node:https'

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Roots (PEM) that an `https` server is known by. Default: the system's. */
  readonly ca?: string
  /** How long nothing may come before it counts as failed, in ms. */
  readonly timeoutMs: number
}

/**
 * One request on a connection of its own. (`fetch` would refuse some ports that a user may well choose.)
 *
 * @throws Error when there is no answer in time.
 */
export function httpRequest({ method, url, headers = {}, body, ca, timeoutMs }: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequestOf : httpRequestOf
    const options = { method, headers, agent: false, timeout: timeoutMs, ...(ca !== undefined && { ca }) }
    const outgoing = request(url, options, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }))
      answer.on('error', reject)
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer from ${url.host} within ${timeoutMs / 1000} s`)))
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
