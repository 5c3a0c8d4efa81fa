import { createHash, X509Certificate } from 'node:crypto'
import { type RequestOptions, request } from 'node:https'
import {
  caPath,
  controlPlaneServerName,
  type JoinAnswer,
  joinAnswerSchema,
  joinPath,
  type JoinRequest,
  parseJoinToken,
} from '@berth/shared/host-trust.ts'

/** A host was not let in, or found nobody to let it in; the message is one line, for the person who tries. */
export class JoinError extends Error {
  /** Whether another try may succeed by itself. */
  readonly isPassing: boolean

  constructor(message: string, { isPassing = false, cause }: { isPassing?: boolean; cause?: unknown } = {}) {
    super(message, { cause })
    this.name = 'JoinError'
    this.isPassing = isPassing
  }
}

/** An answer that does not come within so long does not come, in ms. */
const answerWithinMs = 15_000
const largestAnswer = 1024 * 1024

/**
 * Asks the control plane at `server` (`https://host:port`) for a certificate by a join token. The token is told only to a control
 * plane whose CA is the one that the token names.
 *
 * @throws JoinError
 */
export async function joinByToken(
  server: string,
  asked: JoinRequest & { readonly token: string },
): Promise<JoinAnswer> {
  const token = parseJoinToken(asked.token)
  if (!token)
    throw new JoinError(
      'This is not a join token. One looks like berth1.ID.SECRET.HASH; make it by: berth token create',
    )
  const url = serverUrl(server)
  const told = await call(url, { method: 'GET', path: caPath, rejectUnauthorized: false })
  const ca = certificatesIn(told.body).find((pem) => hashOf(pem) === token.caHash)
  if (told.status !== 200 || ca === undefined)
    throw new JoinError(`The control plane at ${server} is not the one that this token is from: its CA is another one.`)
  return post(url, asked, ca)
}

/** Asks for a certificate by the key of one that has run out. @throws JoinError */
export const joinByKey = (server: string, asked: Omit<JoinRequest, 'token'>, ca: string): Promise<JoinAnswer> =>
  post(serverUrl(server), asked, ca)

function serverUrl(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url?.protocol !== 'https:')
    throw new JoinError(`The server must be the address of the control plane's API, https://HOST:PORT, not ${server}`)
  return url
}

async function post(url: URL, asked: JoinRequest, ca: string): Promise<JoinAnswer> {
  const { status, body } = await call(url, { method: 'POST', path: joinPath, ca }, JSON.stringify(asked))
  if (status !== 200) {
    const message = messageIn(body) ?? `status ${status}`
    throw new JoinError(message, { isPassing: status >= 500 || status === 429 })
  }
  const { success, data } = joinAnswerSchema.safeParse(parsed(body))
  if (!success) throw new JoinError(`The answer of ${url.host} is not understood: is the agent of another version?`)
  return { ...data, servers: reachableServers(data.servers, url.hostname) }
}

/**
 * Where agents are listened for, as this host can reach it. What a control plane is called may mean nothing here: a machine's name that nobody resolves, or
 * all addresses. It was just reached at `hostname`, so that its ports are tried there first.
 */
export function reachableServers(servers: readonly string[], hostname: string): string[] {
  const there = servers.map((address) => address.replace(/^.*(?=:\d+$)/, hostname))
  return [...new Set([...there, ...servers.filter((address) => !/^(?:0\.0\.0\.0|\[::\]):/.test(address))])]
}

interface Answer {
  readonly status: number
  readonly body: string
}

/** Whoever answers is known by the control plane's own name, whatever address it is at. */
function call(url: URL, options: RequestOptions, body?: string): Promise<Answer> {
  const { hostname, port } = url
  const common = {
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port,
    servername: controlPlaneServerName,
    agent: false,
    timeout: answerWithinMs,
    headers: { host: url.host, ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) },
  }
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(failure(url, error))
    const outgoing = request({ ...common, ...options }, (answer) => {
      const parts: Buffer[] = []
      let bytes = 0
      answer.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes > largestAnswer) outgoing.destroy(new Error('the answer is too long'))
        else parts.push(part)
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }))
      answer.on('error', fail)
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${answerWithinMs / 1000} s`)))
    outgoing.on('error', fail)
    outgoing.end(body)
  })
}

/** The codes by which OpenSSL and Node say that a certificate does not count. */
const distrusted = /CERT|SIGNATURE|ISSUER|ALTNAME|INVALID_PURPOSE/

function failure({ host }: URL, error: NodeJS.ErrnoException): JoinError {
  const code = error.code ?? ''
  if (distrusted.test(code))
    return new JoinError(
      `The control plane at ${host} cannot prove that it is the one that this token is from (${code}).`,
      {
        cause: error,
      },
    )
  if (code === 'EPROTO')
    return new JoinError(`What listens at ${host} does not speak TLS: is this the address of the API?`, {
      cause: error,
    })
  return new JoinError(`The control plane at ${host} cannot be reached: ${error.message}`, {
    isPassing: true,
    cause: error,
  })
}

const certificatesIn = (text: string): readonly string[] =>
  text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []

function hashOf(pem: string): string | undefined {
  try {
    return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')
  } catch {
    return undefined
  }
}

function messageIn(body: string): string | undefined {
  const { message } = (parsed(body) ?? {}) as { readonly message?: unknown }
  return typeof message === 'string' ? message : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
