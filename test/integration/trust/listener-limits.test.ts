import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectPlainly, type Socket } from 'node:net'
import { certificateChannelOptions, certificateCredentials } from '@berth/agent/trust/grpc-trust.ts'
import type { HostCertificate } from '@berth/agent/trust/host-certificate.ts'
import { joinHost } from '@berth/agent/trust/join-host.ts'
import { AgentGatewayClient } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../e2e/eventually.ts'
import { helloOf, openStream, sayHello } from './agent-stream.ts'
import { startTrustLab, type TrustLab } from './trust-lab.ts'

let lab: TrustLab
let hostId: string
let certificate: HostCertificate
beforeAll(async () => {
  lab = await startTrustLab({
    BERTH_AGENT_MAX_STREAMS: '2',
    BERTH_AGENT_MAX_CONNECTIONS: '3',
    BERTH_AGENT_MESSAGE_RATE: '20',
  })
  hostId = randomUUID()
  certificate = await joinHost({
    server: lab.api,
    token: await lab.token(),
    hostId,
    dataDir: lab.hostDirectory('host'),
  })
})
afterAll(() => lab.remove())

test('a connection has so many streams at one time, and the next waits until one of them has ended', async () => {
  const client = new AgentGatewayClient(lab.agents, certificateCredentials(certificate), {
    ...certificateChannelOptions,
    'grpc.use_local_subchannel_pool': 1,
  })
  const openStream = () => client.session().on('error', () => {})
  try {
    const [first, second] = [openStream(), openStream()]
    const order: string[] = []
    const third = openStream()
    const answered = once(third, 'data').then(() => order.push('the third is answered'))
    third.write({ message: { $case: 'hello', value: helloOf(hostId) } })
    // Whoever comes by a connection of his own does not wait for them.
    expect(await sayHello(lab.agents, helloOf(hostId), certificate)).toBe('welcome')
    order.push('the first ends')
    first.cancel()
    await answered
    expect(order).toEqual(['the first ends', 'the third is answered'])
    second.cancel()
    third.cancel()
  } finally {
    client.close()
  }
})

test('an agent that says too much is read more slowly, and loses nothing', async () => {
  const stream = openStream(lab.agents, certificateCredentials(certificate))
  stream.send({ $case: 'hello', value: helloOf(hostId) })
  await stream.hear('welcome')
  const isSaid = () => lab.logged.join('\n').includes('an agent says more than is taken')
  const last = 70
  for (let sequence = 1; sequence <= last; sequence++)
    stream.send({ $case: 'statusReport', value: { sequence, tasks: [] } })
  await eventually('the last one is acknowledged', () =>
    Promise.resolve(
      stream.heard.some((word) => word.$case === 'statusAck' && word.value.sequence === last) ? true : undefined,
    ),
  )
  expect(isSaid()).toBe(true)
  stream.close()
})

test('there are so many connections at one time; one more is closed, and comes in when there is room', async () => {
  const [host = '', port] = lab.agents.split(':')
  const holders: Socket[] = []
  try {
    for (let count = 0; count < 3; count++) {
      const socket = connectPlainly(Number(port), host).on('error', () => {})
      holders.push(socket)
      await once(socket, 'connect')
    }
    expect(await sayHello(lab.agents, helloOf(hostId), certificate)).toContain('UNAVAILABLE')
    expect(lab.logged.join('\n')).toContain('too many connections of agents; one is turned away')
  } finally {
    for (const socket of holders) socket.destroy()
  }
  await eventually('there is room again', async () =>
    (await sayHello(lab.agents, helloOf(hostId), certificate)) === 'welcome' ? true : undefined,
  )
})
