import { createHash, createHmac } from 'node:crypto'
import type { Agent } from 'node:http'
import { request as httpRequest } from 'node:http'
import { ecsService } from '@berth/control-plane/api/ecs-service.ts'
import { ecsModel } from '@berth/control-plane/api/model/gen/ecs-model.ts'
import type { EcsHandlers } from '@berth/control-plane/api/operation.ts'
import { type ApiServer, createApiServer } from '@berth/control-plane/api/server.ts'
import { unsupportedOperations } from '@berth/control-plane/api/unsupported-operations.ts'
import { systemClock } from '@berth/shared/clock.ts'
import { silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'

/** Where an API listens, and a key it takes. */
export interface ApiEndpoint {
  readonly host: string
  readonly port: number
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const key = { accessKeyId: 'AKIDTEST', secretAccessKey: 'test-secret' } as const

/** The names of the operations that need a handler. */
export const supportedOperations: readonly string[] = Object.keys(ecsModel.operations).filter(
  (name) => !(name in unsupportedOperations),
)

/** An API server on a free port whose operations all answer nothing, but for `handlers`. */
export async function startApi(
  handlers: EcsHandlers,
): Promise<{ readonly endpoint: ApiEndpoint; readonly server: ApiServer }> {
  const silent: EcsHandlers = Object.fromEntries(supportedOperations.map((name) => [name, () => ({})]))
  const server = createApiServer({
    services: [ecsService({ ...silent, ...handlers })],
    credentials: (id) =>
      id === key.accessKeyId
        ? { secretAccessKey: key.secretAccessKey, principalArn: 'arn:aws:iam::0:root' }
        : undefined,
    clock: systemClock,
    random: systemRandom(),
    log: silentLog,
  })
  const { port } = await server.listen(0)
  return { endpoint: { host: '127.0.0.1', port, region: 'local', ...key }, server }
}

const hmac = (secret: string | Buffer, text: string) => createHmac('sha256', secret).update(text).digest()
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Signs for ECS what no SDK would send: any body at all. */
function signedHeaders(endpoint: ApiEndpoint, target: string, body: string): Record<string, string> {
  const host = `${endpoint.host}:${endpoint.port}`
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const scope = [time.slice(0, 8), endpoint.region, 'ecs', 'aws4_request']
  const names = 'host;x-amz-date;x-amz-target'
  const canonical = `POST\n/\n\nhost:${host}\nx-amz-date:${time}\nx-amz-target:${target}\n\n${names}\n${sha256(body)}`
  const signingKey = scope.reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${endpoint.secretAccessKey}`,
  )
  const signature = hmac(signingKey, `AWS4-HMAC-SHA256\n${time}\n${scope.join('/')}\n${sha256(canonical)}`).toString(
    'hex',
  )
  return {
    host,
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-date': time,
    'x-amz-target': target,
    authorization: `AWS4-HMAC-SHA256 Credential=${endpoint.accessKeyId}/${scope.join('/')}, SignedHeaders=${names}, Signature=${signature}`,
  }
}

/** What came back: the status, and the body as text and parsed. */
export interface ApiReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/**
 * Sends `body` as it is to an ECS operation, signed.
 *
 * @throws when the connection fails or nothing has come after `timeoutMs`.
 */
export function postRaw(
  endpoint: ApiEndpoint,
  operation: string,
  body: string,
  agent: Agent,
  timeoutMs = 20_000,
): Promise<ApiReply> {
  const headers = signedHeaders(endpoint, `${ecsModel.targetPrefix}.${operation}`, body)
  return new Promise((resolve, reject) => {
    const { host, port } = endpoint
    const signal = AbortSignal.timeout(timeoutMs)
    const request = httpRequest({ host, port, method: 'POST', path: '/', headers, agent, signal }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}
