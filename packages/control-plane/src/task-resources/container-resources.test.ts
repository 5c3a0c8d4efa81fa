import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContainerDefinition, ContainerOverride } from '@aws-sdk/client-ecs'
import { systemClock } from '@berth/shared/clock.ts'
import { type Log, silentLog } from '@berth/shared/log.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { containerResources, needsResources, type ResourceStores } from './container-resources.ts'
import { environmentFileStore } from './environment-file-store.ts'
import { fileSecretStore, noSecretStore } from './file-secret-store.ts'

const ssm = (name: string) => `arn:aws:ssm:us-east-1:123456789012:parameter/${name}`
const asm = (rest: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${rest}`
const s3 = (path: string) => `arn:aws:s3:::${path}`

const secrets = {
  parameters: { 'db-host': '10.0.0.5', '/app/prod/token': 'tok' },
  secrets: {
    plain: 'just a text',
    app: { value: { user: 'maria', port: 5432, nested: { a: 1 } } },
    rotated: {
      versions: [
        { id: 'v1', stages: ['AWSPREVIOUS'], value: { password: 'old' } },
        { id: 'v2', stages: ['AWSCURRENT'], value: { password: 'new' } },
      ],
    },
    registry: { value: { username: 'puller', password: 'pw' } },
  },
}

let root = ''
let stores: ResourceStores
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-resources-'))
  writeFileSync(join(root, 'secrets.json'), JSON.stringify(secrets), { mode: 0o600 })
  mkdirSync(join(root, 'files/bucket/app'), { recursive: true })
  writeFileSync(join(root, 'outside.env'), 'A=outside')
  symlinkSync(join(root, 'outside.env'), join(root, 'files/bucket/link.env'))
  writeFileSync(
    join(root, 'files/bucket/app/one.env'),
    '# a comment\nA=1\nB= two words \n\nno sign\nEMPTY=\n=x\nC="q"=#z\n',
  )
  writeFileSync(join(root, 'files/bucket/two.env'), 'A=2\r\nD=4\r\nD=5')
  stores = {
    secrets: fileSecretStore(join(root, 'secrets.json'), silentLog),
    environmentFiles: environmentFileStore(join(root, 'files'), systemClock),
  }
})
afterAll(() => rmSync(root, { recursive: true }))

const fetched = (declared: ContainerDefinition, override?: ContainerOverride, from = stores) =>
  containerResources({ declared, override }, from, new AbortController().signal)

const secret = async (valueFrom: string) =>
  (await fetched({ secrets: [{ name: 'S', valueFrom }] })).environment[0]?.value

describe('a secret', () => {
  test.each([
    ['a parameter by name', 'db-host', '10.0.0.5'],
    ['a parameter by path', '/app/prod/token', 'tok'],
    ['a parameter by ARN', ssm('db-host'), '10.0.0.5'],
    ['a parameter with a path by ARN', ssm('app/prod/token'), 'tok'],
    ['a secret by ARN', asm('plain-AbCdEf'), 'just a text'],
    ['a secret by ARN without the six characters', asm('plain'), 'just a text'],
    ['all of a JSON secret', asm('app-AbCdEf'), '{"user":"maria","port":5432,"nested":{"a":1}}'],
    ['a member of a JSON secret', asm('app-AbCdEf:user::'), 'maria'],
    ['a member that is a number', asm('app-AbCdEf:port::'), '5432'],
    ['the current version', asm('rotated-AbCdEf:password::'), 'new'],
    ['a version by its stage', asm('rotated-AbCdEf:password:AWSPREVIOUS:'), 'old'],
    ['a version by its id', asm('rotated-AbCdEf:password::v1'), 'old'],
  ])('is %s', async (_what, valueFrom, value) => {
    expect(await secret(valueFrom)).toBe(value)
  })

  test.each([
    ['missing', 'unable to retrieve secrets from ssm: invalid parameters: missing'],
    ['toString', 'unable to retrieve secrets from ssm: invalid parameters: toString'],
    [asm('gone-AbCdEf'), "ResourceNotFoundException: Secrets Manager can't find the specified secret."],
    [asm('app-AbCdEf:password::'), 'did not contain json key password'],
    [asm('plain-AbCdEf:user::'), 'did not contain json key user'],
    [asm('rotated-AbCdEf::AWSPENDING:'), 'staging label: AWSPENDING'],
    [asm('rotated-AbCdEf:::v3'), 'VersionId: v3'],
    [asm('plain-AbCdEf::AWSPREVIOUS:'), 'staging label: AWSPREVIOUS'],
    ['arn:aws:s3:::bucket/key', 'invalid ARN'],
  ])('%s is not to be had, in the words of AWS', async (valueFrom, words) => {
    await expect(secret(valueFrom)).rejects.toThrow(`unable to pull secrets or registry auth: `)
    await expect(secret(valueFrom)).rejects.toThrow(words)
  })

  test('also goes to the log driver', async () => {
    const { logOptions } = await fetched({
      logConfiguration: { logDriver: 'fluentd', secretOptions: [{ name: 'token', valueFrom: '/app/prod/token' }] },
    })
    expect(logOptions).toEqual([{ key: 'token', value: 'tok' }])
  })

  test('is what signs in to a registry, by name or ARN', async () => {
    for (const credentialsParameter of ['registry', asm('registry-AbCdEf')]) {
      const { repositoryCredentials } = await fetched({ repositoryCredentials: { credentialsParameter } })
      expect(repositoryCredentials).toEqual({ username: 'puller', password: 'pw' })
    }
    await expect(fetched({ repositoryCredentials: { credentialsParameter: 'plain' } })).rejects.toThrow(
      'secret plain is not of the form {"username": "...", "password": "..."}',
    )
  })

  test('is read anew each time', async () => {
    const path = join(root, 'changing.json')
    const from = { ...stores, secrets: fileSecretStore(path, silentLog) }
    const value = async () =>
      (await fetched({ secrets: [{ name: 'S', valueFrom: 'p' }] }, undefined, from)).environment[0]?.value
    writeFileSync(path, '{"parameters":{"p":"before"}}')
    expect(await value()).toBe('before')
    writeFileSync(path, '{"parameters":{"p":"after"}}')
    expect(await value()).toBe('after')
  })

  test('stands in no message about a file that cannot be understood', async () => {
    const path = join(root, 'broken.json')
    const lines: string[] = []
    const log: Log = { ...silentLog, error: (...line) => void lines.push(JSON.stringify(line)) }
    const from = { ...stores, secrets: fileSecretStore(path, log) }
    for (const text of ['{"parameters":{"p":"hunter2"', '{"parameters":{"p":{"x":"hunter2"}}}', '{"hunter2":1}x']) {
      writeFileSync(path, text)
      await expect(fetched({ secrets: [{ name: 'S', valueFrom: 'p' }] }, undefined, from)).rejects.toThrow(
        'the secrets store of the control plane cannot be read; its log says why',
      )
    }
    expect(lines).toHaveLength(3)
    expect(lines.join()).not.toContain('hunter2')
  })

  test('that others can read is warned of once for each change of the file', async () => {
    const path = join(root, 'open.json')
    writeFileSync(path, '{"parameters":{"p":"x"}}')
    chmodSync(path, 0o644)
    const lines: string[] = []
    const store = fileSecretStore(path, { ...silentLog, warn: (line) => void lines.push(line) })
    for (let times = 0; times < 3; times++)
      await store.valueOf({ kind: 'parameter', name: 'p' }, new AbortController().signal)
    expect(lines).toEqual(['the secrets can be read by others than their owner'])
  })

  test('without a store says what to set', async () => {
    await expect(
      fetched({ secrets: [{ name: 'S', valueFrom: 'p' }] }, undefined, { ...stores, secrets: noSecretStore }),
    ).rejects.toThrow('the control plane has no secrets store: set BERTH_SECRETS_FILE')
  })
})

describe('environment files', () => {
  const variables = async (declared: ContainerDefinition, override?: ContainerOverride, from = stores) =>
    Object.fromEntries((await fetched(declared, override, from)).environment.map(({ key, value }) => [key, value]))
  const files = (...paths: string[]) => paths.map((path) => ({ type: 's3' as const, value: s3(path) }))

  test('are read line by line, as they are', async () => {
    expect(await variables({ environmentFiles: files('bucket/app/one.env') })).toEqual({
      A: '1',
      B: ' two words ',
      C: '"q"=#z',
    })
  })

  test('give way to the definition, an override and an earlier file', async () => {
    const environmentFiles = files('bucket/two.env', 'bucket/app/one.env')
    expect(await variables({ environmentFiles })).toMatchObject({ A: '2', D: '5', B: ' two words ' })
    const environment = [{ name: 'A', value: 'declared' }]
    expect(await variables({ environmentFiles, environment })).not.toHaveProperty('A')
    expect(await variables({ environmentFiles }, { environment: [{ name: 'D', value: 'x' }] })).not.toHaveProperty('D')
  })

  test('of an override take the place of those of the definition', async () => {
    const declared = { environmentFiles: files('bucket/app/one.env') }
    const override = { environmentFiles: files('bucket/two.env') }
    expect(await variables(declared, override)).toEqual({ A: '2', D: '5' })
    expect(needsResources({ declared: {}, override })).toBe(true)
  })

  test.each([
    ['bucket/none.env', 'NoSuchKey: The specified key does not exist.'],
    ['bucket/link.env', 'NoSuchKey: The specified key does not exist.'],
    ['bucket/../../outside.env', 'it is not the ARN of an .env file'],
    ['bucket/one.txt', 'it is not the ARN of an .env file'],
  ])('%s cannot be had', async (path, why) => {
    await expect(variables({ environmentFiles: files(path) })).rejects.toThrow(
      `failed to download env files: ${s3(path)}: ${why}`,
    )
  })

  test('come from an HTTP server as well', async () => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/files/bucket/a%20b/one.env' ? 200 : 404
      response.end('A=http')
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/files/`
    const from = { ...stores, environmentFiles: environmentFileStore(base, systemClock) }
    try {
      expect(await variables({ environmentFiles: files('bucket/a b/one.env') }, undefined, from)).toEqual({ A: 'http' })
      await expect(variables({ environmentFiles: files('bucket/two.env') }, undefined, from)).rejects.toThrow(
        'the file store answered 404',
      )
    } finally {
      server.closeAllConnections()
      server.close()
    }
    await expect(variables({ environmentFiles: files('bucket/two.env') }, undefined, from)).rejects.toThrow(
      'the file store cannot be reached: ',
    )
  })
})
