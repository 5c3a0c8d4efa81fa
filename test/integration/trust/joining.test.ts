import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { joinCommand, type JoinCommandDeps } from '@berth/agent/join-command.ts'
import { requestAgain, requestNewKey } from '@berth/agent/trust/certificate-request.ts'
import { joinByKey, joinByToken } from '@berth/agent/trust/join-control-plane.ts'
import { joinHost } from '@berth/agent/trust/join-host.ts'
import { readHostCertificate } from '@berth/agent/trust/host-certificate.ts'
import { systemClock } from '@berth/shared/clock.ts'
import { silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { helloOf, sayHello } from './agent-stream.ts'
import { startTrustLab, type TrustLab } from './trust-lab.ts'

let lab: TrustLab
let other: TrustLab
beforeAll(async () => {
  ;[lab, other] = await Promise.all([startTrustLab(), startTrustLab()])
})
afterAll(() => Promise.all([lab.remove(), other.remove()]))
afterEach(() => {
  lab.clockAheadMs = 0
})

const join_ = async (token: string, more: { readonly hostId?: string; readonly cluster?: string } = {}) =>
  joinHost({ server: lab.api, token, hostId: randomUUID(), dataDir: lab.hostDirectory('host'), ...more })

describe('a host that joins by a token', () => {
  test('gets a certificate by which it is let in, as the host that it is', async () => {
    const hostId = randomUUID()
    const certificate = await join_(await lab.token(), { hostId })
    expect(certificate).toMatchObject({ cluster: 'default', servers: [lab.agents] })
    expect(await sayHello(lab.agents, helloOf(hostId), certificate)).toBe('welcome')
  })

  test('is turned away with a token that nobody made', async () => {
    const token = await lab.token()
    const wrong = token.replace(/^(berth1\.\w+\.)\w{8}/, '$100000000')
    await expect(join_(wrong)).rejects.toThrow(
      'The join token is not valid: it is not one that this control plane made.',
    )
    await expect(join_('anything')).rejects.toThrow('This is not a join token.')
  })

  test('is turned away with a token that has expired', async () => {
    const token = await lab.token({ lifetimeSeconds: 60 })
    lab.clockAheadMs = 61_000
    await expect(join_(token)).rejects.toThrow(
      /^Join token \w+ expired at 20\d\d-.*Make another one: berth token create$/,
    )
  })

  test('is turned away with a token that is used up', async () => {
    const token = await lab.token({ uses: 1 })
    await join_(token)
    await expect(join_(token)).rejects.toThrow(/^Join token \w+ is used up: it has let in 1 of 1 hosts\./)
  })

  test('is turned away with a token that was revoked', async () => {
    const token = await lab.token()
    await lab.berth('RevokeJoinToken', { id: token.split('.')[1] })
    await expect(join_(token)).rejects.toThrow(/^Join token \w+ was revoked\./)
  })

  test('is turned away from another cluster than that of the token', async () => {
    const token = await lab.token()
    await expect(join_(token, { cluster: 'secret' })).rejects.toThrow('is for cluster default, not for secret.')
  })

  test('does not tell its token to a control plane of another CA', async () => {
    const token = await other.token()
    await expect(join_(token)).rejects.toThrow('is not the one that this token is from: its CA is another one.')
    const { joinTokens } = await other.berth<{ joinTokens: readonly { used: number }[] }>('ListJoinTokens', {})
    expect(joinTokens.map(({ used }) => used)).toEqual([0])
  })

  test('takes one use off the token, also when the answer was lost', async () => {
    const token = await lab.token({ uses: 1 })
    const asked = { token, hostId: randomUUID(), csr: '' }
    const { key, csr } = await requestNewKey()
    await joinByToken(lab.api, { ...asked, csr })
    const again = await requestAgain(key)
    await expect(joinByToken(lab.api, { ...asked, csr: again.csr })).resolves.toMatchObject({ cluster: 'default' })
    const stranger = await requestNewKey()
    await expect(joinByToken(lab.api, { ...asked, csr: stranger.csr })).rejects.toThrow('is used up')
  })

  test('cannot take the place of a host that has a certificate', async () => {
    const token = await lab.token({ uses: 2 })
    const hostId = randomUUID()
    await join_(token, { hostId })
    await expect(join_(token, { hostId })).rejects.toThrow(`Host ${hostId} has a certificate of another key until`)
  })
})

describe('a host whose certificate ran out while it was off', () => {
  test('is let in again by its key, for as long as that is allowed', async () => {
    const hostId = randomUUID()
    const { key, ca } = await join_(await lab.token(), { hostId })
    lab.clockAheadMs = 48 * 3600_000
    const { csr } = await requestAgain(key)
    // The lab's control plane lives two days later; its own certificate is still good for both.
    await expect(joinByKey(lab.api, { hostId, csr }, ca)).resolves.toMatchObject({ cluster: 'default' })
    const stranger = await requestNewKey()
    await expect(joinByKey(lab.api, { hostId, csr: stranger.csr }, ca)).rejects.toThrow('is not known by this key')
    lab.clockAheadMs = 12 * 24 * 3600_000
    await expect(joinByKey(lab.api, { hostId, csr }, ca)).rejects.toThrow(
      'too long ago to be renewed. Join with a token.',
    )
  })
})

describe('berth-agent join', () => {
  const run = async (args: readonly string[], dataDir: string, more: Partial<JoinCommandDeps> = {}) => {
    const said: string[] = []
    await joinCommand([...args, '--data-dir', dataDir], {
      environment: {},
      configFiles: [],
      clock: systemClock,
      random: systemRandom(),
      log: silentLog,
      out: (line) => void said.push(line),
      ...more,
    })
    return said
  }

  test('keeps the key for its owner only, and the settings for every start', async () => {
    const dataDir = lab.hostDirectory('command')
    const token = await lab.token()
    const said = await run(
      ['--server', lab.api, '--token', token, '--zone', 'z1', '--attribute', 'stack=blue'],
      dataDir,
    )
    expect(said.join()).toContain('Joined cluster default')
    expect(readdirSync(dataDir).toSorted()).toEqual(['agent.journal', 'host-certificate.json', 'joined.env'])
    for (const name of ['host-certificate.json', 'joined.env'])
      expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600)
    const settings = readFileSync(join(dataDir, 'joined.env'), 'utf8')
    expect(settings).toContain(`BERTH_SERVER=${lab.agents}\n`)
    expect(settings).toContain('BERTH_ZONE=z1\n')
    expect(settings).not.toContain(token)
    expect((await readHostCertificate(dataDir))?.cluster).toBe('default')
    await expect(run(['--server', lab.api, '--token', token], dataDir)).rejects.toThrow(
      'This host has joined cluster default',
    )
  })

  describe('where a package has made a service of the agent', () => {
    const started: string[] = []
    const service = { name: 'berth-agent.service', start: async () => void started.push('started') }
    const joined = async (args: readonly string[], dataDir: string, settings: string) => {
      const file = join(lab.hostDirectory('etc'), 'agent.env')
      writeFileSync(file, settings)
      started.length = 0
      const token = await lab.token()
      await run(['--server', lab.api, '--token', token, ...args], dataDir, { service, configFiles: [file] })
      return started.length > 0
    }

    test('it is started, unless told otherwise', async () => {
      const [first, second] = [lab.hostDirectory('service-1'), lab.hostDirectory('service-2')]
      expect(await joined([], first, `BERTH_DATA_DIR=${first}\n`)).toBe(true)
      expect(await joined(['--no-start'], second, `BERTH_DATA_DIR=${second}\n`)).toBe(false)
    })

    test('it is not started for a data directory that it does not know', async () => {
      expect(await joined([], lab.hostDirectory('service-3'), 'BERTH_DATA_DIR=/elsewhere\n')).toBe(false)
    })
  })

  test('does not keep what a file would overrule, and asks for the cluster that a file names', async () => {
    const dataDir = lab.hostDirectory('overruled')
    const file = join(dataDir, 'ecs.config')
    writeFileSync(file, 'ECS_CLUSTER=other\nBERTH_ZONE=z1\n')
    const args = ['--server', lab.api, '--token', await lab.token()]
    await expect(run([...args, '--zone', 'z2'], dataDir, { configFiles: [file] })).rejects.toThrow(
      `--zone z2: ${file} has BERTH_ZONE=z1, which counts before it.`,
    )
    await expect(run(args, dataDir, { configFiles: [file] })).rejects.toThrow('other')
  })

  test.each([
    ['no token', ['--server', 'https://127.0.0.1:1'], '--token TOKEN are needed'],
    [
      'an address without TLS',
      ['--server', 'http://127.0.0.1:1', '--token', `berth1.abcdefgh.${'a'.repeat(32)}.${'0'.repeat(64)}`],
      'https://HOST:PORT',
    ],
    ['a setting that is wrong', ['--server', 'https://x:1', '--token', 'x', '--memory', 'much'], 'much'],
  ])('is refused with %s', async (_, args, reason) => {
    await expect(run(args, lab.hostDirectory('refused'))).rejects.toThrow(reason)
  })
})
