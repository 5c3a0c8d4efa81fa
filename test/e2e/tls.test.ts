import { existsSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:tls'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { sleeperImage } from './test-images.ts'

describe('a cluster with TLS on everything', () => {
  const under = clusterForTests({ hosts: 2, tls: true })
  const aws = () => {
    const [first] = under.current.aws
    if (first === undefined) throw new Error('there is no aws command')
    return first
  }
  const root = () => under.current.root

  it('runs a task for an aws command that knows the CA, and stops it', async () => {
    expect(under.current.endpoint).toMatch(/^https:/)
    const definition = [{ name: 'sleeper', image: sleeperImage, memory: 16 }]
    await aws().json(
      'register-task-definition --family sealed --network-mode none --container-definitions',
      JSON.stringify(definition),
    )
    const { tasks } = await aws().json<{ tasks: readonly { taskArn: string }[] }>(
      'run-task --task-definition sealed --count 2',
    )
    const arns = tasks.map(({ taskArn }) => taskArn)
    expect(arns).toHaveLength(2)
    await aws().json('wait tasks-running --tasks', ...arns)
    expect(await under.current.containers()).toHaveLength(2)
    for (const arn of arns) await aws().json('stop-task --task', arn)
    await aws().json('wait tasks-stopped --tasks', ...arns)
  })

  it('has hosts that joined by a certificate, whose keys only their owner can read', () => {
    for (const number of [1, 2]) {
      const file = join(root(), 'agents', String(number), 'host-certificate.json')
      expect(statSync(file).mode & 0o777).toBe(0o600)
    }
    expect(statSync(join(root(), 'secret.key')).mode & 0o777).toBe(0o600)
  })

  it('answers no plain connection, and asks agents for certificates', async () => {
    const { ports } = under.current.runState()
    const plain = new Promise((resolve, reject) => {
      request({ port: ports.api, host: '127.0.0.1' }, resolve).on('error', reject).end()
    })
    await expect(plain).rejects.toThrow()
    const shown = await new Promise<string>((resolve, reject) => {
      const socket = connect(
        { port: ports.agents, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] },
        () => {
          resolve(socket.getPeerCertificate().subjectaltname ?? '')
          socket.destroy()
        },
      )
      socket.on('error', reject)
    })
    expect(shown).toContain('DNS:control-plane.berth.internal')
  })

  it('takes the certificate from a host that is deregistered', async () => {
    const { containerInstanceArns } = await aws().json<{ containerInstanceArns: readonly string[] }>(
      'list-container-instances',
    )
    await aws().json('deregister-container-instance --force --container-instance', containerInstanceArns[0] ?? '')
    const withCertificate = () =>
      [1, 2].filter((number) => existsSync(join(root(), 'agents', String(number), 'host-certificate.json')))
    await eventually('one host has a certificate', () => Promise.resolve(withCertificate().length === 1 || undefined))
  })

  it('gives tokens and keys by its commands, and goes over to a new root', async () => {
    const { berth, tryBerth } = under.current
    const token = (await berth('token', 'create', '--uses', '2', '--expires', '10m')).trim().split('\n').at(-1) ?? ''
    expect(token).toMatch(/^berth1\./)
    const id = token.split('.')[1] ?? ''
    expect(await berth('token', 'list')).toMatch(new RegExp(`${id} +default +ACTIVE +0 of 2`))
    await berth('token', 'revoke', id)
    expect(await berth('token', 'list')).toMatch(new RegExp(`${id} +default +REVOKED`))
    const key = await berth('access-key', 'create', '--name', 'ci')
    const [, accessKeyId = ''] = /AWS_ACCESS_KEY_ID=(\w+)/.exec(key) ?? []
    await berth('access-key', 'deactivate', accessKeyId)
    expect(await berth('access-key', 'list')).toMatch(new RegExp(`${accessKeyId} +ci +INACTIVE`))
    expect((await tryBerth('access-key', 'delete', 'AKIANONE')).stderr).toContain('There is no access key AKIANONE')

    const bundle = (await berth('ca', 'rotate', '--overlap', '1h')).match(/-----BEGIN CERTIFICATE-----/g)
    expect(bundle).toHaveLength(2)
    await aws().json('list-clusters')
    expect((await berth('ca', 'show')).match(/-----BEGIN CERTIFICATE-----/g)).toHaveLength(2)
  })
})
