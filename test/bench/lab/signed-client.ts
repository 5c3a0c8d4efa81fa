import { createHash, createHmac } from 'node:crypto'
import { Agent, request as httpRequest } from 'node:http'

/** Where an ECS endpoint listens, and a key that it takes. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** A client that costs little, so that it takes no CPU from whom it measures: kept-alive connections, one signing key. */
export interface SignedClient {
  /** @throws Error with ECS's answer when that is not 200. */
  call<T>(operation: string, input: unknown): Promise<T>
  close(): void
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const signedNames = 'host;x-amz-date;x-amz-target'

export function signedClient(endpoint: Endpoint, connections: number): SignedClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' })
  const sign = signer(endpoint)

  const send = (target: string, body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { host, port } = endpoint
      const options = { host, port, agent, method: 'POST', path: '/', headers: sign(target, body) }
      const request = httpRequest(options, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.once('error', reject)
        response.once('end', () => {
          if (response.statusCode === 200) resolve(text)
          else reject(new Error(`${target} was answered with ${response.statusCode}: ${text.slice(0, 500)}`))
        })
      })
      request.once('error', reject)
      request.end(body)
    })

  return {
    call: async <T>(operation: string, input: unknown) =>
      JSON.parse(await send(`AmazonEC2ContainerServiceV20141113.${operation}`, JSON.stringify(input))) as T,
    close: () => agent.destroy(),
  }
}

/** Signs as SDKs do, with the key of the day derived once. */
function signer({ host, port, region, accessKeyId, secretAccessKey }: Endpoint) {
  let scope = ''
  let key: Buffer = Buffer.alloc(0)
  return (target: string, body: string): Record<string, string | number> => {
    const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
    const day = time.slice(0, 8)
    const scopeNow = `${day}/${region}/ecs/aws4_request`
    if (scopeNow !== scope) {
      scope = scopeNow
      key = ['ecs', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${secretAccessKey}`, day), region))
    }
    const headers = `host:${host}:${port}\nx-amz-date:${time}\nx-amz-target:${target}\n`
    const canonical = `POST\n/\n\n${headers}\n${signedNames}\n${sha256(body)}`
    const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString('hex')
    return {
      host: `${host}:${port}`,
      'content-type': 'application/x-amz-json-1.1',
      'content-length': Buffer.byteLength(body),
      'x-amz-date': time,
      'x-amz-target': target,
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedNames}, Signature=${signature}`,
    }
  }
}
