import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { systemClock } from '@berth/shared/clock.ts'
import { afterEach, expect, test } from 'vitest'
import { notProcessedHeader } from './http-answer.ts'
import { forwardedHeader, leaderRequests } from './leader-request.ts'

const requests = leaderRequests({ clock: systemClock })
const servers: Server[] = []
afterEach(() => {
  requests.close()
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

const received = {
  method: 'POST',
  url: '/a/../b?x=%2F&y=',
  rawHeaders: [
    'Host',
    'berth.example:4566',
    'X-Amz-Target',
    'Ecs.RunTask',
    'Connection',
    'close',
    'X-Twice',
    '1',
    'X-Twice',
    '2',
  ],
  body: Buffer.from('{"é":1}'),
}
const forever = new AbortController().signal

async function leader(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('a request arrives as it was signed, and its answer comes back as it was given', async () => {
  const seen: { request: IncomingMessage; body: string }[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    seen.push({ request, body: await bodyOf(request) })
    response.writeHead(400, {
      'x-amzn-RequestId': 'id',
      'X-Amzn-Errortype': 'ClientException',
      'Content-Type': 'application/x-amz-json-1.1',
    })
    response.end('{"ü":2}')
  }
  const url = await leader((request, response) => void answer(request, response))
  expect(await requests.send(url, received, forever)).toEqual({
    kind: 'answered',
    answer: {
      requestId: 'id',
      status: 400,
      contentType: 'application/x-amz-json-1.1',
      body: '{"ü":2}',
      errorType: 'ClientException',
    },
  })
  const [{ request, body } = { request: undefined, body: '' }] = seen
  expect(body).toBe('{"é":1}')
  expect(request).toMatchObject({
    method: 'POST',
    url: '/a/../b?x=%2F&y=',
    headers: { host: 'berth.example:4566', 'x-amz-target': 'Ecs.RunTask', 'x-twice': '1, 2', [forwardedHeader]: '1' },
  })
  expect(request?.headers['connection']).not.toBe('close')
})

test('a leader that says that it did nothing has not processed it', async () => {
  const url = await leader((_request, response) => response.writeHead(503, { [notProcessedHeader]: '1' }).end('{}'))
  expect((await requests.send(url, received, forever)).kind).toBe('not processed')
})

test('one that is not reached has not processed it', async () => {
  const closed = createTcpServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  expect((await requests.send(`http://127.0.0.1:${port}`, received, forever)).kind).toBe('not processed')
})

test('of one that dies with the request nobody knows', async () => {
  const url = await leader((request) => request.socket.destroy())
  expect((await requests.send(url, received, forever)).kind).toBe('unknown')
})

test('of one whose answer is not waited for nobody knows', async () => {
  const giveUp = new AbortController()
  const url = await leader(() => giveUp.abort(new Error('enough')))
  expect(await requests.send(url, received, giveUp.signal)).toEqual({ kind: 'unknown', reason: 'enough' })
})
