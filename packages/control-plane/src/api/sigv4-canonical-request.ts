import { createHash } from 'node:crypto'

/** The parts of an HTTP request that a signature covers. */
export interface SignedRequest {
  readonly method: string
  /** Path and query, as they stood in the request line. */
  readonly url: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Uint8Array
}

/** Percent-encodes all but RFC 3986's unreserved characters, as SigV4 asks. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** The path with `.` and `..` resolved and, as every service but S3 wants it, encoded once more than it came. */
function canonicalPath(path: string): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  const slashAtEnd = segments.length > 0 && path.endsWith('/') ? '/' : ''
  return `/${segments.map(encode).join('/')}${slashAtEnd}`
}

function decodeQueryPart(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The parameters, decoded, encoded in one way, and sorted by name and then by value. */
function canonicalQuery(query: string): string {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      const name = equals === -1 ? pair : pair.slice(0, equals)
      const value = equals === -1 ? '' : pair.slice(equals + 1)
      return [encode(decodeQueryPart(name)), encode(decodeQueryPart(value))] as const
    })
    .sort(([nameA, valueA], [nameB, valueB]) => {
      if (nameA !== nameB) return nameA < nameB ? -1 : 1
      return valueA < valueB ? -1 : valueA > valueB ? 1 : 0
    })
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

const canonicalValue = (value: string) => value.replaceAll(/[ \t]+/g, ' ').replaceAll(/^ | $/g, '')

function canonicalHeader(request: SignedRequest, name: string): string {
  const value = request.headers[name]
  const values = value === undefined ? [] : typeof value === 'string' ? [value] : value
  return `${name}:${values.map(canonicalValue).join(',')}\n`
}

/** The text whose hash a SigV4 signature signs; its last line is the hash of the body that really came. */
export function canonicalRequest(request: SignedRequest, signedHeaders: readonly string[]): string {
  const question = request.url.indexOf('?')
  const path = question === -1 ? request.url : request.url.slice(0, question)
  const query = question === -1 ? '' : request.url.slice(question + 1)
  return [
    request.method,
    canonicalPath(path),
    canonicalQuery(query),
    signedHeaders.map((name) => canonicalHeader(request, name)).join(''),
    signedHeaders.join(';'),
    createHash('sha256').update(request.body).digest('hex'),
  ].join('\n')
}
