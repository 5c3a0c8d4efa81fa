import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { joinHost } from '@berth/agent/trust/join-host.ts'
import { resealSecrets } from '@berth/cli/trust/secret-key.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { helloOf, sayHello } from './agent-stream.ts'
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

test('the secret key is exchanged under a running cell: hosts, access keys and the CA stay', async () => {
  const path = join(lab.directory, 'secret.key')
  const write = (...keys: readonly string[]) => writeFileSync(path, `${keys.join('\n')}\n`)
  const old = readFileSync(path, 'utf8').trim()
  const next = randomBytes(32).toString('hex')

  const hostId = randomUUID()
  const dataDir = lab.hostDirectory('host')
  const certificate = await joinHost({ server: lab.api, token: await lab.token(), hostId, dataDir })
  const { accessKey, secretAccessKey } = await lab.berth<NewKey>('CreateAccessKey', { name: 'ci' })
  const ecs = lab.clientWith({ accessKeyId: accessKey.accessKeyId, secretAccessKey })
  const ca = readFileSync(lab.caFile, 'utf8')
  const everythingCounts = async () => {
    await expect(ecs('ListClusters', {})).resolves.toBeDefined()
    expect(await sayHello(lab.agents, helloOf(hostId), certificate)).toBe('welcome')
    expect(readFileSync(lab.caFile, 'utf8')).toBe(ca)
  }

  write(old, next)
  await lab.restart()
  await everythingCounts()
  write(next, old)
  await lab.restart()
  await everythingCounts()
  const said: string[] = []
  await resealSecrets(lab.berth, { out: (line) => void said.push(line) })
  expect(said.join()).toContain('1 access key and 1 key of the CA: sealed by the first key')
  await everythingCounts()
  write(next)
  await lab.restart()
  await everythingCounts()
})
