import { Agent, request as httpRequest } from 'node:http'

/** A Docker engine's API over its socket, by nothing but HTTP on kept-alive connections. */
export interface EngineHttp {
  /** Resolves with the answer's JSON, if it has any. @throws Error with what the engine said when that is an error. */
  readonly call: (method: string, path: string, body?: unknown) => Promise<unknown>
  readonly close: () => void
}

export function engineHttp(socketPath: string): EngineHttp {
  const agent = new Agent({ keepAlive: true })
  return {
    call: (method, path, body) =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? '' : JSON.stringify(body)
        const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
        const request = httpRequest({ socketPath, agent, method, path: `/v1.41${path}`, headers }, (response) => {
          let answer = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (answer += chunk))
          response.once('error', reject)
          response.once('end', () => {
            if ((response.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${answer}`))
            else resolve(answer === '' ? undefined : JSON.parse(answer))
          })
        })
        request.once('error', reject)
        request.end(text)
      }),
    close: () => agent.destroy(),
  }
}
