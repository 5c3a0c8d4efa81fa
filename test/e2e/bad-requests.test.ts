import { Agent, request as httpRequest } from 'node:http'
import { DescribeClustersCommand, ECSClient } from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApiReply, postRaw } from '../conformance/api-under-test.ts'
import { type ControlPlaneProcess, startControlPlaneProcess } from './control-plane-process.ts'

const oneMib = 2 ** 20

describe('bad requests over the wire', () => {
  let controlPlane: ControlPlaneProcess
  const agent = new Agent({ keepAlive: true })
  beforeAll(async () => {
    controlPlane = await startControlPlaneProcess()
  })
  afterAll(async () => {
    agent.destroy()
    await controlPlane?.stop()
  })

  const signed = (body: string, operation = 'CreateCluster') => postRaw(controlPlane.endpoint, operation, body, agent)

  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  const lists = (depth: number) => `{"clusterName":${'['.repeat(depth)}${']'.repeat(depth)}}`

  it.for([
    ['malformed JSON', '{"clusterName":', 400, 'SerializationException'],
    ['no JSON at all', 'hello', 400, 'SerializationException'],
    ['a list where an object should be', '[]', 400, 'SerializationException'],
    ['a number where a text should be', '{"clusterName":7}', 400, 'SerializationException'],
    ['objects nested 100,000 deep', nested(100_000), 400, undefined],
    ['lists nested 400,000 deep', lists(400_000), 400, 'SerializationException'],
    ['a body of more than 1 MiB', `{"clusterName":"${'x'.repeat(oneMib)}"}`, 413, 'RequestEntityTooLargeException'],
  ] as const)('%s is refused', async ([, body, status, type]) => {
    const reply = await signed(body)
    expect(reply.status, reply.text.slice(0, 300)).toBe(status)
    if (type !== undefined) expect(typeOf(reply)).toBe(type)
    expect(typeof typeOf(reply)).toBe('string')
    expect(reply.headers['x-amzn-requestid']).toBeDefined()
  })

  it('a body without an end is refused while it is read', async () => {
    const { host, port } = controlPlane.endpoint
    const before = controlPlane.residentMib()
    const status = await new Promise<number>((resolve, reject) => {
      const chunk = Buffer.alloc(64 * 1024, 'x')
      const request = httpRequest({ host, port, method: 'POST' }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
        request.destroy()
      })
      request.on('error', reject)
      const pour = (): void => {
        while (!request.destroyed && request.write(chunk));
        request.once('drain', pour)
      }
      pour()
    })
    expect(status).toBe(413)
    expect(controlPlane.residentMib() - before).toBeLessThan(64)
  })

  it('an operation that does not exist is refused', async () => {
    const reply = await signed('{}', 'MakeCoffee')
    expect(reply.status).toBe(400)
    expect(typeOf(reply)).toBe('UnknownOperationException')
  })

  it('an unsigned request is refused', async () => {
    const { host, port } = controlPlane.endpoint
    const reply = await fetch(`http://${host}:${port}/`, {
      method: 'POST',
      headers: { 'X-Amz-Target': 'AmazonEC2ContainerServiceV20141113.ListClusters' },
      body: '{}',
    })
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' })
  })

  it.for([
    ['an unknown key', { accessKeyId: 'AKIANOBODY0000000000' }, 'UnrecognizedClientException'],
    ['a wrong secret', { secretAccessKey: 'not-the-secret' }, 'InvalidSignatureException'],
  ] as const)('%s is refused, and the SDK says so', async ([, wrong, name]) => {
    const { host, port, region, accessKeyId, secretAccessKey } = controlPlane.endpoint
    const client = new ECSClient({
      endpoint: `http://${host}:${port}`,
      region,
      credentials: { accessKeyId, secretAccessKey, ...wrong },
      maxAttempts: 1,
    })
    await expect(client.send(new DescribeClustersCommand({}))).rejects.toMatchObject({ name })
    client.destroy()
  })

  it('a request signed an hour ago is refused', async () => {
    const { host, port, region, accessKeyId, secretAccessKey } = controlPlane.endpoint
    const client = new ECSClient({
      endpoint: `http://${host}:${port}`,
      region,
      credentials: { accessKeyId, secretAccessKey },
      systemClockOffset: -3600_000,
      maxAttempts: 1,
    })
    await expect(client.send(new DescribeClustersCommand({}))).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      message: expect.stringContaining('Signature expired') as string,
    })
    client.destroy()
  })

  it('and a good one is taken after all that', async () => {
    expect((await signed('{"clusterName":"good"}')).status).toBe(200)
    expect(controlPlane.running).toBe(true)
  })
})

function typeOf({ text }: ApiReply): unknown {
  return (JSON.parse(text) as { __type?: unknown }).__type
}
