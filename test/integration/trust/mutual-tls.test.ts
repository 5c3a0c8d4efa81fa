import { randomBytes, randomUUID } from 'node:crypto'
import { credentials as grpcCredentials } from '@grpc/grpc-js'
import { startAgent } from '@berth/agent/agent.ts'
import { defaultEngineOptions } from '@berth/agent/engine/engine-deps.ts'
import { memoryDisk, openMemoryJournal } from '@berth/agent/journal/memory-journal.ts'
import { fakeRuntime } from '@berth/agent/runtime/fake/fake-runtime.ts'
import { FakeWorld } from '@berth/agent/runtime/fake/fake-world.ts'
import { grpcTransport } from '@berth/agent/session/grpc-transport.ts'
import { requestNewKey } from '@berth/agent/trust/certificate-request.ts'
import { certificateChannelOptions, certificateCredentials, renewOverGrpc } from '@berth/agent/trust/grpc-trust.ts'
import type { HostCertificate } from '@berth/agent/trust/host-certificate.ts'
import { joinHost } from '@berth/agent/trust/join-host.ts'
import { memoryDocument } from '@berth/control-plane/store/memory/memory-document.ts'
import { openCertificateAuthority } from '@berth/control-plane/trust/certificate-authority.ts'
import { sealer } from '@berth/control-plane/trust/seal.ts'
import { systemClock } from '@berth/shared/clock.ts'
import { type Log, silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../e2e/eventually.ts'
import { helloOf, openStream, sayHello } from './agent-stream.ts'
import { startTrustLab, type TrustLab } from './trust-lab.ts'

let lab: TrustLab
beforeAll(async () => {
  lab = await startTrustLab()
})
afterAll(() => lab.remove())

interface JoinedHost {
  readonly hostId: string
  readonly certificate: HostCertificate
}

async function joinedHost(): Promise<JoinedHost> {
  const hostId = randomUUID()
  const token = await lab.token()
  return { hostId, certificate: await joinHost({ server: lab.api, token, hostId, dataDir: lab.hostDirectory('host') }) }
}

/** A session that is welcome. */
async function openSession({ hostId, certificate }: JoinedHost) {
  const stream = openStream(lab.agents, certificateCredentials(certificate))
  stream.send({ $case: 'hello', value: helloOf(hostId) })
  const { containerInstanceArn } = await stream.hear('welcome')
  return { ...stream, arn: containerInstanceArn }
}

describe('the listener for agents lets nobody in', () => {
  test('without a certificate', async () => {
    const { ca } = (await joinedHost()).certificate
    expect(await sayHello(lab.agents, helloOf(randomUUID()), { ca })).toBe(
      'UNAUTHENTICATED: No certificate was shown. Join with a token: berth-agent join',
    )
  })

  test('without TLS', async () => {
    const stream = openStream(lab.agents, grpcCredentials.createInsecure())
    stream.send({ $case: 'hello', value: helloOf(randomUUID()) })
    expect(await stream.closed).toContain('UNAVAILABLE')
    expect(stream.heard).toEqual([])
  })

  test('with a certificate of a foreign CA, and says so on both sides', async () => {
    const { hostId, certificate } = await joinedHost()
    const foreign = await openCertificateAuthority({
      document: memoryDocument(),
      sealer: sealer(randomBytes(32)),
      clock: systemClock,
      cell: 'foreign',
    })
    const { key, csr } = await requestNewKey()
    const forged = {
      ...certificate,
      key,
      certificate: await foreign.certifyHost(csr, { cluster: 'default', hostId }, 3600_000),
    }
    const line = "The certificate of this host is not from this control plane's CA. Join again with a token."
    expect(await sayHello(lab.agents, helloOf(hostId), forged)).toBe(`UNAUTHENTICATED: ${line}`)
    expect(lab.logged).toContain(`an agent is not let in: ${line}`)
  })

  test('with the certificate of another host, or for another cluster', async () => {
    const [mine, theirs] = [await joinedHost(), await joinedHost()]
    expect(await sayHello(lab.agents, helloOf(theirs.hostId), mine.certificate)).toBe(
      `UNAUTHENTICATED: The certificate is that of host ${mine.hostId}, not of ${theirs.hostId}.`,
    )
    expect(await sayHello(lab.agents, helloOf(mine.hostId, { cluster: 'secret' }), mine.certificate)).toBe(
      'UNAUTHENTICATED: The certificate is for a host of cluster default, not of secret.',
    )
  })

  test('of a host that was deregistered: its session ends, it is not let in, and its certificate is not renewed', async () => {
    const host = await joinedHost()
    const session = await openSession(host)
    await lab.ecs('DeregisterContainerInstance', { containerInstance: session.arn, force: true })
    await session.closed
    expect(await sayHello(lab.agents, helloOf(host.hostId), host.certificate)).toContain(
      `DEREGISTERED: Container instance ${session.arn} was deregistered.`,
    )
    const { csr } = await requestNewKey()
    await expect(renewOverGrpc(systemClock, [lab.agents], host.certificate, csr)).rejects.toThrow('was deregistered')
  })
})

describe('a host', () => {
  test('renews its certificate under a new key, and is the same host by it', async () => {
    const { hostId, certificate } = await joinedHost()
    const { key, csr } = await requestNewKey()
    const renewed = await renewOverGrpc(systemClock, [lab.agents], certificate, csr)
    expect(renewed.servers).toEqual([lab.agents])
    expect(await sayHello(lab.agents, helloOf(hostId), { ...certificate, ...renewed, key })).toBe('welcome')
  })

  test('goes over to the new root when the CA is rotated, without being turned away', async () => {
    const { hostId, certificate } = await joinedHost()
    await lab.berth('RotateCa', { overlapSeconds: 3600 })
    expect(await sayHello(lab.agents, helloOf(hostId), certificate)).toBe('welcome')
    const { key, csr } = await requestNewKey()
    const renewed = await renewOverGrpc(systemClock, [lab.agents], certificate, csr)
    expect(renewed.ca.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
    expect(await sayHello(lab.agents, helloOf(hostId), { ...certificate, ...renewed, key })).toBe('welcome')
    expect((await joinedHost()).certificate.cluster).toBe('default')
  })

  test("is given its own tasks only, and is not believed about another's", async () => {
    const hosts = [await joinedHost(), await joinedHost()]
    const [one, two] = await Promise.all(hosts.map(openSession))
    if (!one || !two) throw new Error('two hosts were joined')
    await lab.ecs('RegisterTaskDefinition', {
      family: 'web',
      containerDefinitions: [{ name: 'main', image: 'busybox', memory: 16 }],
    })
    const { tasks } = await lab.ecs<{ tasks: readonly { taskArn: string }[] }>('StartTask', {
      taskDefinition: 'web',
      containerInstances: [one.arn],
    })
    const taskArn = tasks[0]?.taskArn ?? ''
    const put = (stream: typeof one) =>
      stream.heard.flatMap((word) => (word.$case === 'assignments' ? word.value.put.map((task) => task.taskArn) : []))
    await eventually('the task is assigned', () => Promise.resolve(put(one).includes(taskArn) || undefined))
    expect(put(two)).toEqual([])

    const lie = {
      taskArn,
      status: 640,
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'so I say',
      containers: [],
    }
    const times = {
      pullStartedAt: 0,
      pullStoppedAt: 0,
      startedAt: 0,
      stoppingAt: 0,
      executionStoppedAt: 0,
      stoppedAt: 0,
    }
    two.send({ $case: 'statusReport', value: { sequence: 1, tasks: [{ ...lie, ...times, network: undefined }] } })
    await two.hear('statusAck')
    const described = await lab.ecs<{ tasks: readonly { lastStatus: string }[] }>('DescribeTasks', { tasks: [taskArn] })
    expect(described.tasks.map(({ lastStatus }) => lastStatus)).toEqual(['PENDING'])
    expect(lab.logged.join('\n')).toContain("a host reports on another host's task; it is not believed")
    one.close()
    two.close()
  })

  test('does not follow a control plane of an older epoch than it has followed, which goes above that and says so', async () => {
    const older = await startTrustLab()
    const followed = 1_000_000
    const hostId = randomUUID()
    const token = await older.token()
    const dataDir = older.hostDirectory('follower')
    const certificate = await joinHost({ server: older.api, token, hostId, dataDir })
    const journal = openMemoryJournal(memoryDisk())
    await journal.append({ kind: 'identity', identity: { hostId, containerInstanceArn: '' } })
    const revision = { epoch: followed, number: 1 }
    await journal.append({ kind: 'assignments', revision, full: true, put: [], removeTaskArns: [] })
    const refusals: unknown[] = []
    const epochs: unknown[] = []
    const log: Log = {
      ...silentLog,
      info(message, fields) {
        if (message === 'The session ended.' && fields?.['kind'] === 'refused') refusals.push(fields['refusal'])
        if (message === 'Joined the control plane.') epochs.push(fields?.['epoch'])
      },
    }
    const clock = systemClock
    const random = systemRandom()
    const { resources } = helloOf(hostId)
    const session = {
      servers: [older.agents],
      cluster: 'default',
      token: '',
      offersFargate: false,
      agentVersion: '',
      agentHash: '',
    }
    const agent = startAgent(
      { session, engine: defaultEngineOptions },
      {
        runtime: fakeRuntime(new FakeWorld({ clock, random }), hostId),
        journal,
        transport: grpcTransport({
          clock,
          credentials: () => certificateCredentials(certificate),
          channelOptions: certificateChannelOptions,
        }),
        clock,
        random,
        log,
        describe: () =>
          Promise.resolve({ dockerVersion: '', resources: resources as never, attributes: [], address: '' }),
      },
    )
    try {
      await eventually('the host joins', () => Promise.resolve(epochs[0]))
      const message = 'The cell takes a new epoch, since its store went back. Try again soon.'
      expect(refusals[0]).toMatchObject({ code: 'BUSY', message })
      expect(epochs.every((epoch) => Number(epoch) > followed)).toBe(true)
    } finally {
      await agent.stop()
      await older.remove()
    }
  })
})

describe('the limits of the listener', () => {
  test('a message that is too large ends its stream, and the listener lives on', async () => {
    const host = await joinedHost()
    const session = await openSession(host)
    const engineMessage = 'x'.repeat(5 * 1024 * 1024)
    session.send({ $case: 'heartbeat', value: { sequence: 1, engineHealthy: true, engineMessage } })
    expect(await session.closed).toMatch(/RESOURCE_EXHAUSTED|ended the stream/)
    const again = await openSession(host)
    again.close()
  })

  test('connections that come too fast are closed before they cost a handshake, and come in later', async () => {
    const slow = await startTrustLab({ BERTH_AGENT_CONNECTION_RATE: '1' })
    try {
      const { ca } = (await joinedHost()).certificate
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => sayHello(slow.agents, helloOf(randomUUID()), { ca })),
      )
      expect(answers.filter((answer) => answer.includes('UNAVAILABLE')).length).toBeGreaterThan(0)
      await eventually('the log says so', () =>
        Promise.resolve(slow.logged.some((line) => line.startsWith('agents connect faster')) || undefined),
      )
    } finally {
      await slow.remove()
    }
  })
})
