import { Server, ServerCredentials } from '@grpc/grpc-js'
import {
  AgentGatewayService,
  type AgentGatewayServer,
  type AgentMessage,
  type ControlMessage,
} from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Dispatcher } from './dispatcher.ts'

export interface GrpcGatewayOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly address: string
  readonly credentials: ServerCredentials
  /** The dispatcher of the cell that this process leads, if it leads one. */
  readonly dispatcher: () => Dispatcher | undefined
  /** Where the leader listens, as far as is known. */
  readonly leaderAddress: () => string
  readonly clock: Clock
  readonly log: Log
}

export interface GrpcGateway {
  /** The port that it listens on. */
  readonly port: number
  close(): Promise<void>
}

/** Largest message taken from an agent, in bytes: some 10,000 reports. */
const largestMessage = 4 * 1024 * 1024

/**
 * Listens for agents and hands their streams to the dispatcher. While this process does not lead, every stream is answered with
 * NOT_LEADER and the leader's address.
 */
export async function listenForAgents(options: GrpcGatewayOptions): Promise<GrpcGateway> {
  const server = new Server({
    'grpc.max_receive_message_length': largestMessage,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.keepalive_permit_without_calls': 1,
  })
  const gateway: AgentGatewayServer = {
    session(call) {
      const end = () => call.end()
      const send = (message: NonNullable<ControlMessage['message']>) => call.write({ message })
      call.on('error', (error) => options.log.debug('stream of an agent failed', { error }))
      const dispatcher = options.dispatcher()
      if (!dispatcher) {
        send({
          $case: 'refused',
          value: {
            code: 'NOT_LEADER',
            message: 'This control plane does not lead the cell at the moment.',
            leaderAddress: options.leaderAddress(),
          },
        })
        end()
        return
      }
      const connection = dispatcher.open({ send, close: end })
      call.on('data', (message: AgentMessage) => void connection.receive(message))
      const closed = () => dispatcher.closed(connection)
      call.on('end', closed)
      call.on('close', closed)
      call.on('cancelled', closed)
      call.on('error', closed)
    },
  }
  server.addService(AgentGatewayService, gateway)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(options.address, options.credentials, (error, bound) => (error ? reject(error) : resolve(bound)))
  })
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        const cancelForce = options.clock.after(1000, () => server.forceShutdown())
        server.tryShutdown(() => {
          cancelForce()
          resolve()
        })
      }),
  }
}
