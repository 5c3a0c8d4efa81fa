import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import type { AccessKey } from '../cluster/secrets.ts'
import { CliError } from '../cli-error.ts'
import { httpRequest } from './http-request.ts'

export interface EcsEndpoint {
  readonly endpoint: string
  readonly region: string
  readonly key: AccessKey
  /** Roots (PEM) that an `https` endpoint is known by. Default: the system's. */
  readonly ca?: string | undefined
}

/** Which API of the endpoint is meant: a signature's scope, and what stands before the dot in `X-Amz-Target`. */
export interface EndpointApi {
  readonly scope: string
  readonly targetPrefix: string
}

const ecsApi: EndpointApi = { scope: 'ecs', targetPrefix: 'AmazonEC2ContainerServiceV20141113' }

/** Calls one operation of ECS; its answer is what ECS documents, with timestamps in seconds since the epoch. */
export type EcsClient = <Output>(operation: string, input: object) => Promise<Output>

/** An operation answered with an error. `type` is ECS's, as `ClusterNotFoundException`. */
export class EcsError extends CliError {
  readonly type: string

  constructor(operation: string, type: string, message: string) {
    super(`${operation}: ${type}: ${message}`)
    this.name = 'EcsError'
    this.type = type
  }
}

/** Nothing answered at the endpoint, or not in time: whether the operation was done is not known. */
export class UnreachableError extends CliError {}

/** Longer than the control plane gives any operation, in ms. */
const answerWithinMs = 35_000

/** A client of no more than this command needs: it starts in a tenth of the time that the SDK takes. */
export function ecsClient({ endpoint, region, key, ca }: EcsEndpoint, api: EndpointApi = ecsApi): EcsClient {
  const url = new URL(endpoint)
  const signer = new SignatureV4({
    service: api.scope,
    region,
    credentials: key,
    sha256: NodeSha256,
    uriEscapePath: false,
  })

  return async <Output>(operation: string, input: object): Promise<Output> => {
    const body = JSON.stringify(input)
    const { headers } = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      port: Number(url.port),
      path: '/',
      query: {},
      headers: {
        host: url.host,
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `${api.targetPrefix}.${operation}`,
      },
      body,
    })
    const answer = await httpRequest({
      method: 'POST',
      url,
      headers,
      body,
      timeoutMs: answerWithinMs,
      ...(ca !== undefined && { ca }),
    }).catch((cause: unknown) => {
      throw new UnreachableError(`The API at ${endpoint} cannot be reached: ${(cause as Error).message}`, { cause })
    })
    if (answer.status === 200) return JSON.parse(answer.body) as Output
    const { __type, message } = errorIn(answer.body)
    throw new EcsError(operation, __type?.split('#').at(-1) ?? `status ${answer.status}`, message ?? answer.body)
  }
}

/** What is in the body of an error; nothing when it is not one of AWS's, as from a proxy in between. */
function errorIn(body: string): { readonly __type?: string; readonly message?: string } {
  try {
    return JSON.parse(body) as object
  } catch {
    return {}
  }
}

/** The hash class that AWS's signer asks for, on node:crypto. */
class NodeSha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()))
  }

  reset(): void {
    throw new Error('a hash is used once')
  }
}

const bytesOf = (data: string | ArrayBuffer | ArrayBufferView): Uint8Array =>
  typeof data === 'string'
    ? Buffer.from(data)
    : ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data)
