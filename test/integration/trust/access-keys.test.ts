import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { Redis } from 'ioredis'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTrustLab, type TrustLab } from './trust-lab.ts'

let lab: TrustLab
beforeAll(async () => {
  lab = await startTrustLab()
})
afterAll(() => lab.remove())

interface NewKey {
  readonly accessKey: { readonly accessKeyId: string }
  readonly secretAccessKey: string
}

async function newKey(name: string) {
  const { accessKey, secretAccessKey } = await lab.berth<NewKey>('CreateAccessKey', { name })
  const { accessKeyId } = accessKey
  return { accessKeyId, secretAccessKey, ecs: lab.clientWith({ accessKeyId, secretAccessKey }) }
}

const invalid = 'UnrecognizedClientException: The security token included in the request is invalid.'

test('a key signs from the moment it is made until it is switched off or deleted', async () => {
  const { accessKeyId, ecs } = await newKey('ci')
  await expect(ecs('ListClusters', {})).resolves.toBeDefined()
  await lab.berth('UpdateAccessKey', { accessKeyId, status: 'INACTIVE' })
  await expect(ecs('ListClusters', {})).rejects.toThrow(invalid)
  await lab.berth('UpdateAccessKey', { accessKeyId, status: 'ACTIVE' })
  await expect(ecs('ListClusters', {})).resolves.toBeDefined()
  await lab.berth('DeleteAccessKey', { accessKeyId })
  await expect(ecs('ListClusters', {})).rejects.toThrow(invalid)
})

test('what it does is done in its name', async () => {
  const { ecs } = await newKey('alice')
  const { taskDefinition } = await ecs<{ taskDefinition: { registeredBy: string } }>('RegisterTaskDefinition', {
    family: 'named',
    containerDefinitions: [{ name: 'main', image: 'busybox', memory: 16 }],
  })
  expect(taskDefinition.registeredBy).toBe('arn:aws:iam::123456789012:user/alice')
})

test('a wrong secret is refused as ECS refuses it', async () => {
  const { accessKeyId } = await newKey('mallory')
  const ecs = lab.clientWith({ accessKeyId, secretAccessKey: 'guessed' })
  await expect(ecs('ListClusters', {})).rejects.toThrow('InvalidSignatureException')
})

test('Redis holds no secret of a key, a join token or the CA in the open', async () => {
  const { secretAccessKey } = await newKey('bob')
  const token = await lab.token()
  const client = new Redis(lab.redis.url)
  const keys = await client.keys('*')
  const all: string[] = []
  for (const key of keys) {
    const type = await client.type(key)
    if (type === 'hash') all.push(JSON.stringify(await client.hgetall(key)))
    else if (type === 'string') all.push((await client.get(key)) ?? '')
    else if (type === 'stream') all.push(JSON.stringify(await client.xrange(key, '-', '+')))
  }
  client.disconnect()
  const stored = all.join('\n')
  expect(stored).toContain('"name":"bob"'.replaceAll('"', '\\"'))
  expect(stored).not.toContain(secretAccessKey)
  expect(stored).not.toContain(token.split('.')[2])
  expect(stored).not.toContain('PRIVATE KEY')
})

test('the API speaks TLS 1.2 or newer, with a certificate for the address that it listens on', async () => {
  const { hostname, port } = new URL(lab.api)
  const ca = readFileSync(lab.caFile)
  const socket = connect({ host: hostname, port: Number(port), ca })
  await once(socket, 'secureConnect')
  expect(socket.authorized).toBe(true)
  socket.destroy()
  const old = connect({
    host: hostname,
    port: Number(port),
    ca,
    minVersion: 'TLSv1.1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  })
  const [error] = (await once(old, 'error')) as [Error]
  expect(error.message).toMatch(/protocol/i)
})
