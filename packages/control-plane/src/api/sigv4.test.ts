import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApiError } from './errors.ts'
import type { SignedRequest } from './sigv4-canonical-request.ts'
import { type Credential, sigV4Verifier } from './sigv4.ts'

const now = Date.UTC(2026, 10, 24, 12)
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const credential: Credential = { secretAccessKey: keys.secretAccessKey, principalArn: 'arn:aws:iam::1:user/ada' }
const lookup = (id: string) => (id === keys.accessKeyId ? credential : undefined)

const verify = sigV4Verifier(lookup)

/** The hash class that the AWS signer asks for, on node:crypto. */
class Sha256 {
  readonly #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string)
  }
  update(data: string | ArrayBuffer | ArrayBufferView) {
    this.#hash.update(data as string)
  }
  digest() {
    return Promise.resolve(new Uint8Array(this.#hash.digest()))
  }
  reset() {}
}

interface Unsigned {
  readonly path?: string
  readonly query?: Record<string, string | string[]>
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly signedAt?: number
  readonly region?: string
  readonly service?: string
  readonly credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
}

const queryText = (query: Record<string, string | string[]>) =>
  Object.entries(query)
    .flatMap(([name, values]) =>
      [values].flat().map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
    )
    .join('&')

/** Signs as AWS's own JavaScript signer does. */
async function sign(unsigned: Unsigned = {}): Promise<SignedRequest> {
  const { path = '/', query = {}, body = '{}', signedAt = now } = unsigned
  const signer = new SignatureV4({
    credentials: unsigned.credentials ?? keys,
    region: unsigned.region ?? 'eu-west-1',
    service: unsigned.service ?? 'ecs',
    sha256: Sha256,
  })
  const headers = { host: 'ecs.test:4566', 'x-amz-target': 'Prefix.Operation', ...unsigned.headers }
  const plain = { method: 'POST', protocol: 'http:', hostname: 'ecs.test', path, query, headers, body }
  const signed = await signer.sign(plain, { signingDate: new Date(signedAt) })
  const search = queryText(query)
  return {
    method: 'POST',
    url: search === '' ? path : `${path}?${search}`,
    headers: Object.fromEntries(Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(body),
  }
}

function refusal(request: SignedRequest, at = now): ApiError {
  try {
    verify(request, at)
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error('the request was taken')
}

const withHeader = (request: SignedRequest, name: string, value: string | undefined): SignedRequest => ({
  ...request,
  headers: { ...request.headers, [name]: value },
})

const visible = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_.~ +/=%&\'()*!,;:@$"'.split('')), maxLength: 12 })
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/)

const anyRequest = fc.record({
  path: fc
    .array(
      visible.map((text) => encodeURIComponent(text)),
      { maxLength: 4 },
    )
    .map((segments) => `/${segments.join('/')}`),
  query: fc.dictionary(visible, fc.oneof(visible, fc.array(visible, { minLength: 1, maxLength: 3 })), { maxKeys: 4 }),
  headers: fc.dictionary(
    name.map((text) => `x-amz-meta-${text}`),
    visible,
    { maxKeys: 3 },
  ),
  body: fc.string({ unit: 'grapheme', maxLength: 50 }),
  region: name,
  service: name,
})

describe('the SigV4 verifier', () => {
  it("takes whatever AWS's own signer signs", async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, async (unsigned) => {
        expect(verify(await sign(unsigned), now)).toEqual({
          accessKeyId: keys.accessKeyId,
          principalArn: credential.principalArn,
          region: unsigned.region,
          service: unsigned.service,
        })
      }),
      { numRuns: 300 },
    )
  })

  it('refuses a request of which anything signed was changed', async () => {
    const request = await sign({ headers: { 'x-amz-meta-a': '1' }, body: '{"a":1}' })
    const changed: SignedRequest[] = [
      { ...request, body: Buffer.from('{"a":2}') },
      { ...request, method: 'PUT' },
      { ...request, url: '/other' },
      { ...request, url: '/?a=b' },
      withHeader(request, 'x-amz-target', 'Prefix.Other'),
      withHeader(request, 'host', 'elsewhere'),
      withHeader(request, 'x-amz-meta-a', undefined),
      withHeader(request, 'authorization', String(request.headers['authorization']).replace('eu-west-1', 'us-east-1')),
      withHeader(
        request,
        'authorization',
        String(request.headers['authorization']).replace(/.$/, (c) => (c === '0' ? '1' : '0')),
      ),
      withHeader(request, 'authorization', `${String(request.headers['authorization'])}00`),
    ]
    for (const each of changed) {
      expect(refusal(each)).toMatchObject({ code: 'InvalidSignatureException', httpStatus: 400 })
      expect(refusal(each).message).toMatch(/^The request signature we calculated does not match/)
    }
  })

  it('refuses an AWS header or a host that is not signed', async () => {
    const request = await sign()
    expect(refusal(withHeader(request, 'x-amz-added', 'later')).message).toBe(
      "'x-amz-added' must be a 'SignedHeader' in the AWS Authorization.",
    )
    const withoutHost = String(request.headers['authorization']).replace('host;', '')
    expect(refusal(withHeader(request, 'authorization', withoutHost)).message).toContain("'host' must be")
  })

  it('refuses a key it does not know', async () => {
    const request = await sign({ credentials: { ...keys, accessKeyId: 'AKIDOTHER' } })
    expect(refusal(request)).toMatchObject({
      code: 'UnrecognizedClientException',
      httpStatus: 400,
      message: 'The security token included in the request is invalid.',
    })
  })

  it('refuses a session token that does not belong to the key', async () => {
    const request = await sign({ credentials: { ...keys, sessionToken: 'made-up' } })
    expect(refusal(request).code).toBe('UnrecognizedClientException')
  })

  it('takes the session token of temporary credentials, and only with it', async () => {
    const withTemporary = sigV4Verifier(() => ({ ...credential, sessionToken: 'token' }))
    const request = await sign({ credentials: { ...keys, sessionToken: 'token' } })
    expect(withTemporary(request, now).accessKeyId).toBe(keys.accessKeyId)
    const without = await sign()
    expect(() => withTemporary(without, now)).toThrow('The security token included')
  })

  it('takes a clock that is five minutes off, and no more', async () => {
    for (const skew of [-300_000, 300_000]) {
      expect(verify(await sign({ signedAt: now + skew }), now).service).toBe('ecs')
    }
    expect(refusal(await sign({ signedAt: now - 301_000 }))).toMatchObject({
      code: 'InvalidSignatureException',
      message: 'Signature expired: 20261124T115459Z is now earlier than 20261124T115500Z (20261124T120000Z - 5 min.)',
    })
    expect(refusal(await sign({ signedAt: now + 301_000 })).message).toBe(
      'Signature not yet current: 20261124T120501Z is still later than 20261124T120500Z (20261124T120000Z + 5 min.)',
    )
  })

  it('goes by the secret of the moment, not by one it has seen', async () => {
    let secretAccessKey = keys.secretAccessKey
    const rotating = sigV4Verifier(() => ({ ...credential, secretAccessKey }))
    const request = await sign()
    rotating(request, now)
    secretAccessKey = 'rotated'
    expect(() => rotating(request, now)).toThrow('does not match')
  })

  it('says so when there is no signature', async () => {
    expect(refusal(withHeader(await sign(), 'authorization', undefined))).toMatchObject({
      code: 'MissingAuthenticationTokenException',
      httpStatus: 400,
      message: 'Missing Authentication Token',
    })
  })

  it.each([
    ['Bearer abc', /Unsupported AWS 'algorithm'/],
    ['AWS4-HMAC-SHA256 ', /requires 'Credential' parameter.*'Signature' parameter.*'SignedHeaders' parameter/],
    ['AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=00', /Credential must have the form/],
    ['AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/r/s/aws4_request, SignedHeaders=host', /requires 'Signature'/],
  ])('calls %s incomplete', async (authorization, message) => {
    const error = refusal(withHeader(await sign(), 'authorization', authorization))
    expect(error.code).toBe('IncompleteSignatureException')
    expect(error.message).toMatch(message)
  })

  it.each([undefined, 'yesterday', '20261324T120000Z'])('calls the date %s incomplete', async (date) => {
    expect(refusal(withHeader(await sign(), 'x-amz-date', date)).code).toBe('IncompleteSignatureException')
  })

  it('refuses a scope of another day', async () => {
    const request = await sign()
    const other = String(request.headers['authorization']).replace('20261124', '20261123')
    expect(refusal(withHeader(request, 'authorization', other)).message).toContain('Date in Credential scope')
  })
})
