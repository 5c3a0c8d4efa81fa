import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { ApiError } from './errors.ts'
import { canonicalRequest, type SignedRequest } from './sigv4-canonical-request.ts'

/** What belongs to an access key. */
export interface Credential {
  readonly secretAccessKey: string
  /** The ARN of who holds the key. */
  readonly principalArn: string
  /** Of temporary credentials: the token that must come with each request. */
  readonly sessionToken?: string
}

/** Finds the credential of an access key; `undefined` when there is none. */
export type CredentialLookup = (accessKeyId: string) => Credential | undefined

/** Who signed a request, and for what. */
export interface Caller {
  readonly accessKeyId: string
  readonly principalArn: string
  readonly region: string
  readonly service: string
}

/** How far the clocks of client and server may be apart: AWS allows five minutes. */
const maxSkewMs = 5 * 60_000
const algorithm = 'AWS4-HMAC-SHA256'

const incomplete = (message: string) => new ApiError('IncompleteSignatureException', message)
const invalidSignature = (message: string) => new ApiError('InvalidSignatureException', message)
const unrecognizedClient = () =>
  new ApiError('UnrecognizedClientException', 'The security token included in the request is invalid.')
const mismatch = () =>
  invalidSignature(
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  )

interface Authorization {
  readonly accessKeyId: string
  readonly date: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

const header = (request: SignedRequest, name: string): string | undefined => {
  const value = request.headers[name]
  return typeof value === 'string' ? value : value?.join(',')
}

/** Takes the `Authorization` header apart: `AWS4-HMAC-SHA256 Credential=.., SignedHeaders=.., Signature=..`. */
function parseAuthorization(text: string | undefined): Authorization {
  if (!text) throw new ApiError('MissingAuthenticationTokenException', 'Missing Authentication Token')
  if (!text.startsWith(`${algorithm} `))
    throw incomplete(`Unsupported AWS 'algorithm'; only ${algorithm} is supported.`)
  const parts = new Map<string, string>()
  for (const part of text.slice(algorithm.length).split(',')) {
    const equals = part.indexOf('=')
    parts.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim())
  }
  const wanted = ['Credential', 'Signature', 'SignedHeaders'] as const
  const missing = wanted.filter((name) => !parts.get(name))
  if (missing.length > 0) {
    throw incomplete(missing.map((name) => `Authorization header requires '${name}' parameter.`).join(' '))
  }
  // An access key may hold slashes; the four parts of the scope may not.
  const credential = (parts.get('Credential') ?? '').split('/')
  const [date = '', region = '', service = '', terminator] = credential.slice(-4)
  const accessKeyId = credential.slice(0, -4).join('/')
  if (credential.length < 5 || terminator !== 'aws4_request' || !accessKeyId || !region || !service) {
    throw incomplete("Credential must have the form '<access key>/<date>/<region>/<service>/aws4_request'.")
  }
  const signedHeaders = (parts.get('SignedHeaders') ?? '').toLowerCase().split(';')
  return { accessKeyId, date, region, service, signedHeaders, signature: parts.get('Signature') ?? '' }
}

/** The time of signing in ms, and as the text that is signed. */
function signingTime(request: SignedRequest): { readonly text: string; readonly ms: number } {
  const given = header(request, 'x-amz-date')
  if (given === undefined) throw incomplete("Authorization header requires existence of a 'X-Amz-Date' header.")
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(given)
  const [year, month, day, hour, minute, second] = (match ?? []).slice(1)
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (!match || Number.isNaN(ms)) {
    throw incomplete(
      `Date must be in ISO-8601 'basic format'. Got '${given}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    )
  }
  return { text: given, ms }
}

const basicFormat = (ms: number) => new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, '')

function checkSkew(signedAt: { readonly text: string; readonly ms: number }, now: number): void {
  const earliest = now - maxSkewMs
  const latest = now + maxSkewMs
  if (signedAt.ms < earliest) {
    throw invalidSignature(
      `Signature expired: ${signedAt.text} is now earlier than ${basicFormat(earliest)} (${basicFormat(now)} - 5 min.)`,
    )
  }
  if (signedAt.ms > latest) {
    throw invalidSignature(
      `Signature not yet current: ${signedAt.text} is still later than ${basicFormat(latest)} (${basicFormat(now)} + 5 min.)`,
    )
  }
}

function checkScopeDate(date: string, time: string): void {
  const day = time.slice(0, 8)
  if (day === date) return
  throw invalidSignature(
    `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${day}', from '${time}'.`,
  )
}

/** Refuses requests whose host or AWS headers, and with them the operation, could be swapped under the signature. */
function checkSignedHeaders(request: SignedRequest, signedHeaders: readonly string[]): void {
  const mustSign = Object.keys(request.headers).filter((name) => name === 'host' || name.startsWith('x-amz-'))
  const unsigned = ['host', ...mustSign].find((name) => !signedHeaders.includes(name))
  if (unsigned) throw invalidSignature(`'${unsigned}' must be a 'SignedHeader' in the AWS Authorization.`)
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** Derives the key that signs for one scope. */
type DeriveSigningKey = (secret: string, authorization: Authorization) => Buffer

const deriveSigningKey: DeriveSigningKey = (secret, { date, region, service }) =>
  hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), 'aws4_request')

/** Far more scopes than honest clients use; a client that makes up regions costs no more memory than this. */
const maxCachedKeys = 500

/** A client's key is the same all day, and deriving it costs as much as the rest of the check. */
function cachedSigningKeys(): DeriveSigningKey {
  const keys = new Map<string, Buffer>()
  return (secret, authorization) => {
    const { date, region, service } = authorization
    const name = `${secret}/${date}/${region}/${service}`
    const known = keys.get(name)
    if (known) return known
    if (keys.size >= maxCachedKeys) keys.clear()
    const key = deriveSigningKey(secret, authorization)
    keys.set(name, key)
    return key
  }
}

function expectedSignature(request: SignedRequest, authorization: Authorization, time: string, key: Buffer): Buffer {
  const { date, region, service, signedHeaders } = authorization
  const hash = createHash('sha256').update(canonicalRequest(request, signedHeaders)).digest('hex')
  return hmac(key, `${algorithm}\n${time}\n${date}/${region}/${service}/aws4_request\n${hash}`)
}

/** An equal length is not a secret; everything else is compared in constant time. */
function isSignature(given: string, expected: Buffer): boolean {
  return /^[0-9a-f]{64}$/.test(given) && timingSafeEqual(Buffer.from(given, 'hex'), expected)
}

/**
 * Checks the SigV4 signature in a request's `Authorization` header and says who signed it; `now` is the wall-clock
 * time in ms. There is no memory of seen signatures: boto3 signs two equal calls of one second identically.
 *
 * @throws ApiError `MissingAuthenticationTokenException`, `IncompleteSignatureException`,
 *   `UnrecognizedClientException` (key or session token unknown) or `InvalidSignatureException`.
 */
export type SigV4Verifier = (request: SignedRequest, now: number) => Caller

/** Makes a verifier that finds its credentials with `lookup`, afresh for each request. */
export function sigV4Verifier(lookup: CredentialLookup): SigV4Verifier {
  const signingKey = cachedSigningKeys()
  return (request, now) => {
    const authorization = parseAuthorization(header(request, 'authorization'))
    const { accessKeyId, date, region, service, signedHeaders, signature } = authorization
    const signedAt = signingTime(request)
    checkScopeDate(date, signedAt.text)
    const credential = lookup(accessKeyId)
    if (!credential || header(request, 'x-amz-security-token') !== credential.sessionToken) throw unrecognizedClient()
    checkSignedHeaders(request, signedHeaders)
    const key = signingKey(credential.secretAccessKey, authorization)
    if (!isSignature(signature, expectedSignature(request, authorization, signedAt.text, key))) throw mismatch()
    checkSkew(signedAt, now)
    return { accessKeyId, principalArn: credential.principalArn, region, service }
  }
}
