import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { sigV4Verifier } from '@berth/control-plane/api/sigv4.ts'
import { afterEach, expect, test } from 'vitest'
import { ecsClient } from './ecs-client.ts'

const key = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', name: 'root' }

let server: Server | undefined
afterEach(() => server?.close())

async function clientOf(answer: RequestListener) {
  server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return ecsClient({ endpoint: `http://127.0.0.1:${port}`, region: 'eu-west-1', key })
}

test('a call is signed as the control plane wants it, and its answer given back', async () => {
  const verify = sigV4Verifier((id) => (id === key.accessKeyId ? { ...key, principalArn: 'arn' } : undefined))
  const call = await clientOf((request, response) => {
    void buffer(request).then((body) => {
      const { method = '', url = '', headers } = request
      const caller = verify({ method, url, headers, body }, Date.now())
      return response.end(JSON.stringify({ ...caller, target: headers['x-amz-target'], said: body.toString() }))
    })
  })
  expect(await call('ListClusters', { name: 'Zoë' })).toEqual({
    accessKeyId: key.accessKeyId,
    principalArn: 'arn',
    region: 'eu-west-1',
    service: 'ecs',
    target: 'AmazonEC2ContainerServiceV20141113.ListClusters',
    said: '{"name":"Zoë"}',
  })
})

test.each([
  ['{"__type":"com.amazonaws#ClusterNotFoundException","message":"No."}', 'ListTasks: ClusterNotFoundException: No.'],
  ['<html>', 'ListTasks: status 400: <html>'],
])('an error is told in its own words: %s', async (body, message) => {
  const call = await clientOf((_request, response) => void response.writeHead(400).end(body))
  await expect(call('ListTasks', {})).rejects.toThrow(message)
})

test('an API that is not there is named', async () => {
  const call = await clientOf(() => undefined)
  server?.close()
  await expect(call('ListTasks', {})).rejects.toThrow('The API at http://127.0.0.1')
})
