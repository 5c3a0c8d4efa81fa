import { Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js'
import { systemClock } from '@berth/shared/clock.ts'
import {
  type AgentMessage,
  AgentGatewayService,
  type AgentGatewayServer,
  type ControlMessage,
} from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { afterEach, describe, expect, test } from 'vitest'
import { grpcTransport } from './grpc-transport.ts'

type Stream = ServerDuplexStream<AgentMessage, ControlMessage>

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown()
})

async function listen(session: (stream: Stream) => void): Promise<string> {
  const server = new Server()
  servers.push(server)
  const gateway: AgentGatewayServer = {
    session,
    renewCertificate: (_, answer) => answer({ code: status.UNIMPLEMENTED }),
  }
  server.addService(AgentGatewayService, gateway)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return `127.0.0.1:${port}`
}

const heartbeat = (sequence: number, engineMessage = ''): AgentMessage => ({
  message: { $case: 'heartbeat', value: { sequence, engineHealthy: true, engineMessage } },
})

describe('sessions over gRPC', () => {
  test('carry messages both ways, in order, large ones too', async () => {
    const address = await listen((stream) => {
      stream.on('data', ({ message }: AgentMessage) => {
        if (message?.$case === 'heartbeat')
          stream.write({
            message: { $case: 'heartbeatAck', value: { sequence: message.value.sequence, intervalMs: 0 } },
          })
      })
      stream.on('end', () => stream.end())
    })
    const answers: number[] = []
    const done = Promise.withResolvers<void>()
    const channel = grpcTransport({ clock: systemClock }).connect(
      address,
      ({ message }) => {
        if (message?.$case === 'heartbeatAck') answers.push(message.value.sequence)
        if (answers.length === 100) done.resolve()
      },
      (reason) => done.reject(new Error(reason)),
    )
    for (let sequence = 1; sequence <= 100; sequence++)
      channel.send(heartbeat(sequence, sequence === 50 ? 'x'.repeat(1_000_000) : ''))
    await done.promise
    channel.close()
    expect(answers).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
  })

  test('bring what was sent last before they close', async () => {
    const heard = Promise.withResolvers<string>()
    const address = await listen((stream) => {
      stream.on('data', ({ message }: AgentMessage) => {
        if (message?.$case === 'goodbye') heard.resolve(message.value.reason)
      })
      stream.on('end', () => stream.end())
    })
    const channel = grpcTransport({ clock: systemClock }).connect(
      address,
      () => {},
      () => heard.reject(new Error('closed from the other side')),
    )
    channel.send({ message: { $case: 'goodbye', value: { reason: 'tired' } } })
    channel.close()
    await expect(heard.promise).resolves.toBe('tired')
  })

  test('tell once when the server ends them', async () => {
    const address = await listen((stream) => stream.end())
    const reasons: string[] = []
    const closed = Promise.withResolvers<void>()
    grpcTransport({ clock: systemClock }).connect(
      address,
      () => {},
      (reason) => {
        reasons.push(reason)
        closed.resolve()
      },
    )
    await closed.promise
    await new Promise((resolve) => setImmediate(resolve))
    expect(reasons).toHaveLength(1)
  })

  test('tell when there is no server', async () => {
    const closed = Promise.withResolvers<string>()
    grpcTransport({ clock: systemClock }).connect('127.0.0.1:1', () => {}, closed.resolve)
    await expect(closed.promise).resolves.toContain('UNAVAILABLE')
  })
})
