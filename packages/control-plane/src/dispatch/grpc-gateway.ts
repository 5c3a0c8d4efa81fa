import { Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js'
import {
  AgentGatewayService,
  type AgentGatewayServer,
  type AgentMessage,
  type ControlMessage,
  type RenewCertificateAnswer,
} from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { Clock } from '@berth/shared/clock.ts'
import type { HostName } from '@berth/shared/host-trust.ts'
import type { Log } from '@berth/shared/log.ts'
import { type ListenerIdentity, listenForConnections } from './agent-listener.ts'
import type { AgentPeer } from './agent-peer.ts'
import type { Dispatcher } from './dispatcher.ts'

/** What agents may take of this process. */
export interface GatewayLimits {
  /** Largest message taken from an agent, in bytes. */
  readonly maxMessageBytes: number
  /** Streams of one connection at one time. */
  readonly maxStreams: number
  readonly maxConnections: number
  /** How long a connection may last, in ms; its host then opens another. */
  readonly maxConnectionAgeMs: number
}

export interface GrpcGatewayOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** With it hosts must prove themselves by certificates; without, connections are plain. */
  readonly identity?: ListenerIdentity
  readonly limits: GatewayLimits
  /** Whether one more connection may come now. */
  readonly mayConnect: () => boolean
  /** Says for one stream, message by message, whether it may have another one now. */
  readonly messageLimit: () => () => boolean
  /** Gives a host that proved itself a new certificate. Absent where there are none. */
  readonly renewCertificate?: (csr: string, host: HostName) => Promise<RenewCertificateAnswer>
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
  /** Shows another certificate, and takes others, from now on. */
  renew(identity: ListenerIdentity): void
  close(): Promise<void>
}

/** How long the streams of a connection that is too old, or of a process that stops, may take to end, in ms. */
const graceMs = 1000
/** How long a stream that says too much is not read from, in ms; the transport's windows then hold its agent back. */
const restMs = 100

/**
 * Listens for agents and hands their streams to the dispatcher. While this process does not lead, every stream is answered with
 * NOT_LEADER and the leader's address; whoever is no host by his certificate is told so, and nothing else.
 */
export async function listenForAgents(options: GrpcGatewayOptions): Promise<GrpcGateway> {
  const { limits, log } = options
  const server = new Server({
    'grpc.max_receive_message_length': limits.maxMessageBytes,
    'grpc.max_concurrent_streams': limits.maxStreams,
    'grpc.max_connection_age_ms': limits.maxConnectionAgeMs,
    'grpc.max_connection_age_grace_ms': graceMs,
    // For connections that never said who they are: of hosts the heartbeats tell sooner.
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.keepalive_permit_without_calls': 1,
  })
  const gateway: AgentGatewayServer = {
    session: (call) => openSession(call, listener.peer(call.getPeer()), options),
    renewCertificate(call, answer) {
      const peer = listener.peer(call.getPeer())
      if (peer.kind !== 'host' || options.renewCertificate === undefined) {
        const details = peer.kind === 'stranger' ? peer.reason : 'This control plane takes agents without certificates.'
        return answer({ code: status.UNAUTHENTICATED, details })
      }
      options.renewCertificate(call.request.csr, peer.name).then(
        (renewed) => answer(null, renewed),
        (error: Error) => {
          log.warn('a certificate was not renewed', { hostId: peer.name.hostId, reason: error.message })
          answer({ code: status.UNAVAILABLE, details: error.message })
        },
      )
    },
  }
  server.addService(AgentGatewayService, gateway)
  // TLS ends in the listener, which knows who is there before anything is read.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  const listener = await listenForConnections({
    ...options,
    maxConnections: limits.maxConnections,
    onConnection: (socket) => injector.injectConnection(socket),
  })
  return {
    port: listener.port,
    renew: (identity) => listener.renew(identity),
    close: () =>
      new Promise((resolve) => {
        listener.close()
        const cancelForce = options.clock.after(graceMs, () => server.forceShutdown())
        server.tryShutdown(() => {
          cancelForce()
          resolve()
        })
      }),
  }
}

type AgentStream = ServerDuplexStream<AgentMessage, ControlMessage>

function openSession(call: AgentStream, peer: AgentPeer, options: GrpcGatewayOptions): void {
  const end = () => call.end()
  const send = (message: NonNullable<ControlMessage['message']>) => call.write({ message })
  call.on('error', (error) => options.log.debug('stream of an agent failed', { error }))
  const refuse = (code: string, message: string, leaderAddress = '') => {
    send({ $case: 'refused', value: { code, message, leaderAddress } })
    end()
  }
  if (peer.kind === 'stranger') return refuse('UNAUTHENTICATED', peer.reason)
  const dispatcher = options.dispatcher()
  if (!dispatcher) {
    const message = 'This control plane does not lead the cell at the moment.'
    return refuse('NOT_LEADER', message, options.leaderAddress())
  }
  const connection = dispatcher.open({ send, close: end }, peer)
  const mayGoOn = options.messageLimit()
  let rests = 0
  call.on('data', (message: AgentMessage) => {
    void connection.receive(message)
    if (mayGoOn()) return
    if (rests++ === 0)
      options.log.warn('an agent says more than is taken; it is read more slowly', { from: call.getPeer() })
    call.pause()
    options.clock.after(restMs, () => call.resume())
  })
  const closed = () => dispatcher.closed(connection)
  call.on('end', closed)
  call.on('close', closed)
  call.on('cancelled', closed)
  call.on('error', closed)
}
