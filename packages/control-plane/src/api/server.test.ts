import { createHash, createHmac } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '@berth/shared/clock.ts'
import { type Log, type LogFields, silentLog } from '@berth/shared/log.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { ApiError } from './errors.ts'
import type { RequestContext } from './operation.ts'
import { type ApiServer, type ApiServerOptions, createApiServer } from './server.ts'
import type { ApiOperation, ApiService } from './service.ts'

const secret = 'secret'
const credentials = (id: string) => (id === 'KEY' ? { secretAccessKey: secret, principalArn: 'arn:p' } : undefined)

type Handle = (input: unknown, context: RequestContext) => unknown

const operation = (handle: Handle): ApiOperation => ({ decode: (body) => body, handle, encode: (output) => output })

const toyService = (handlers: Readonly<Record<string, Handle>>): ApiService => ({
  name: 'ecs',
  targetPrefix: 'Toy',
  operations: new Map(Object.entries(handlers).map(([name, handle]) => [name, operation(handle)])),
})

const open: ApiServer[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

interface Started {
  readonly port: number
  readonly server: ApiServer
  readonly logged: { readonly message: string; readonly fields: LogFields | undefined }[]
}

async function start(
  handlers: Readonly<Record<string, Handle>>,
  { options = {}, clock = systemClock }: { options?: ApiServerOptions; clock?: Clock } = {},
): Promise<Started> {
  const logged: { message: string; fields: LogFields | undefined }[] = []
  const log: Log = { ...silentLog, error: (message, fields) => logged.push({ message, fields }) }
  const deps = { services: [toyService(handlers)], credentials, clock, random: seededRandom(1), log, options }
  const server = createApiServer(deps)
  open.push(server)
  const { port } = await server.listen(0)
  return { port, server, logged }
}

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly json: Record<string, unknown>
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex')

/** The signature by the book, for exactly the headers this test sends. */
function signedHeaders(host: string, target: string, body: string | Buffer, scope: string): Record<string, string> {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const parts = [time.slice(0, 8), 'local', scope, 'aws4_request']
  const canonical = `POST\n/\n\nhost:${host}\nx-amz-date:${time}\nx-amz-target:${target}\n\nhost;x-amz-date;x-amz-target\n${sha256(body)}`
  const key = parts.reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${secret}`)
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${parts.join('/')}\n${sha256(canonical)}`).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=KEY/${parts.join('/')}, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${signature}`
  return { host, 'x-amz-date': time, 'x-amz-target': target, authorization }
}

function send(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string | Buffer = '',
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', method, path, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

const call = (
  port: number,
  name: string,
  body: string | Buffer = '{}',
  extra: Record<string, string> = {},
  scope = 'ecs',
) => send(port, 'POST', '/', { ...signedHeaders(`127.0.0.1:${port}`, `Toy.${name}`, body, scope), ...extra }, body)

/** Sends raw bytes and gives back all that came before the server closed. */
function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let received = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => (received += chunk))
    socket.on('close', () => resolve(received))
    socket.on('error', reject)
  })
}

function expectWellFormed(reply: Reply): void {
  expect(reply.headers['x-amzn-requestid']).toMatch(/^[0-9a-f]{8}-/)
  expect(reply.headers['content-type']).toBe('application/x-amz-json-1.1')
  expect(reply.headers['content-length']).toBe(String(Buffer.byteLength(reply.text)))
  expect(reply.headers['transfer-encoding']).toBeUndefined()
}

function expectRefusal(reply: Reply, status: number, code: string): void {
  expectWellFormed(reply)
  expect(reply).toMatchObject({ status, json: { __type: code } })
  expect(reply.headers['x-amzn-errortype']).toBe(code)
}

describe('the API server', () => {
  it('answers what the handler gave, and tells the handler who asks', async () => {
    const { port } = await start({
      Echo: (input, { principalArn, region, requestId }) => ({ input, principalArn, region, requestId }),
    })
    const reply = await call(port, 'Echo', '{"a":"ü"}')
    expectWellFormed(reply)
    expect(reply.status).toBe(200)
    const requestId = reply.headers['x-amzn-requestid']
    expect(reply.json).toEqual({ input: { a: 'ü' }, principalArn: 'arn:p', region: 'local', requestId })
  })

  it('takes an empty body for {}', async () => {
    const { port } = await start({ Echo: (input) => ({ input }) })
    expect((await call(port, 'Echo', '')).json).toEqual({ input: {} })
  })

  it('answers an ApiError as the catalogue has it', async () => {
    const { port } = await start({
      Fail() {
        throw new ApiError('ConflictException', 'Taken.', { fields: { resourceIds: ['a'] } })
      },
    })
    const reply = await call(port, 'Fail')
    expectRefusal(reply, 400, 'ConflictException')
    expect(reply.json).toEqual({ __type: 'ConflictException', message: 'Taken.', resourceIds: ['a'] })
  })

  it('answers anything else that is thrown with 500, tells the client nothing, and logs it with the request id', async () => {
    const { port, logged } = await start({ Fail: () => Promise.reject(new Error('the secret reason')) })
    const reply = await call(port, 'Fail')
    expectRefusal(reply, 500, 'ServerException')
    expect(reply.text).not.toContain('secret reason')
    const requestId = reply.headers['x-amzn-requestid']
    expect(logged).toMatchObject([{ fields: { requestId, error: { message: 'the secret reason' } } }])
  })

  it('answers 503 when an operation takes too long, and aborts it', async () => {
    let aborted: AbortSignal | undefined
    const { port } = await start(
      {
        Hang(_, { signal }) {
          aborted = signal
          return new Promise(() => {})
        },
      },
      { options: { operationDeadlineMs: 20 } },
    )
    expectRefusal(await call(port, 'Hang'), 503, 'ServerException')
    expect(aborted?.aborted).toBe(true)
  })

  it('closes the connection after a 503, so that the next try may reach another control plane, and keeps it after all else', async () => {
    const refusal = (httpStatus: number) => () =>
      Promise.reject(new ApiError('ServerException', 'Try again.', { httpStatus }))
    const { port } = await start({ Away: refusal(503), Fail: refusal(500), Echo: () => ({}) })
    expect((await call(port, 'Away')).headers['connection']).toBe('close')
    for (const kept of ['Fail', 'Echo']) expect((await call(port, kept)).headers['connection']).not.toBe('close')
  })

  it('aborts the operation when the client goes away, and logs no failure', async () => {
    const started = Promise.withResolvers<AbortSignal>()
    const { port, logged } = await start({
      Hang(_, { signal }) {
        started.resolve(signal)
        return new Promise(() => {})
      },
    })
    const headers = signedHeaders(`127.0.0.1:${port}`, 'Toy.Hang', '{}', 'ecs')
    const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: '/', headers })
    request.on('error', () => {})
    request.end('{}')
    const signal = await started.promise
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve))
    request.destroy()
    await aborted
    expect(logged).toEqual([])
  })

  it('refuses what is not signed, not known, not JSON or not POST', async () => {
    const { port } = await start({ Echo: (input) => input })
    expectRefusal(await send(port, 'POST', '/', {}, '{}'), 400, 'MissingAuthenticationTokenException')
    expectRefusal(await call(port, 'Other'), 400, 'UnknownOperationException')
    expectRefusal(await call(port, 'Echo', '{}', {}, 'logs'), 400, 'InvalidSignatureException')
    expectRefusal(await call(port, 'Echo', '{'), 400, 'SerializationException')
    expectRefusal(await call(port, 'Echo', Buffer.from([0x22, 0xff, 0x22])), 400, 'SerializationException')
    expectRefusal(await call(port, 'Echo', '{}', { 'content-encoding': 'gzip' }), 415, 'UnsupportedMediaTypeException')
    expectRefusal(await send(port, 'GET', '/', {}), 400, 'UnknownOperationException')
  })

  it('refuses a body over the limit, announced or not, and lets the client read why', async () => {
    const { port } = await start({ Echo: (input) => input }, { options: { maxBodyBytes: 1000 } })
    const large = Buffer.alloc(3_000_000, 'x')
    const announced = await call(port, 'Echo', large)
    expectRefusal(announced, 413, 'RequestEntityTooLargeException')
    expect(announced.headers['connection']).toBe('close')
    const chunked = await call(port, 'Echo', large, { 'transfer-encoding': 'chunked' })
    expectRefusal(chunked, 413, 'RequestEntityTooLargeException')
    expect((await call(port, 'Echo', `"${'x'.repeat(998)}"`)).status).toBe(200)
  })

  it('answers bytes that are no HTTP, and headers without end, with a request id', async () => {
    const { port } = await start({})
    const garbage = await sendRaw(port, 'what is this\r\n\r\n')
    expect(garbage).toMatch(/^HTTP\/1.1 400 /)
    expect(garbage).toMatch(/x-amzn-RequestId: [0-9a-f-]{36}/)
    expect(garbage).toContain('"__type":"SerializationException"')
    const headers = await sendRaw(port, `POST / HTTP/1.1\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`)
    expect(headers).toMatch(/^HTTP\/1.1 431 /)
  })

  it('does not wait for ever for a request to come in', async () => {
    const { port } = await start({}, { options: { headersTimeoutMs: 50, requestTimeoutMs: 50 } })
    const answer = await sendRaw(port, 'POST / HTTP/1.1\r\nhost: a\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 408 /)
    expect(answer).toContain('RequestTimeoutException')
  })

  it('says that it is up without a signature', async () => {
    const { port } = await start({})
    const reply = await send(port, 'GET', '/_berth/health', {})
    expect(reply).toMatchObject({ status: 200, json: { status: 'ok' } })
    expect(reply.headers['content-type']).toBe('application/json')
    expect(reply.headers['x-amzn-requestid']).toBeDefined()
  })

  it('answers what is under way before it closes', async () => {
    const started = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const { port, server } = await start({
      async Slow() {
        started.resolve()
        await release.promise
        return { done: true }
      },
    })
    const reply = call(port, 'Slow')
    await started.promise
    const closed = server.close()
    open.length = 0
    release.resolve()
    expect((await reply).json).toEqual({ done: true })
    await closed
    await expect(call(port, 'Slow')).rejects.toThrow('ECONNREFUSED')
  })
})
