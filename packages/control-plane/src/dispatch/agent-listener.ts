import { constants } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls'
import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { type AgentPeer, peerOf } from './agent-peer.ts'

/** What the listener shows of itself, and whose hosts it takes; PEM. */
export interface ListenerIdentity {
  readonly certificate: string
  readonly key: string
  readonly ca: string
}

export interface AgentListenerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Without, connections are plain, and anybody may be at their other end. */
  readonly identity?: ListenerIdentity
  /** Connections that there may be at one time. */
  readonly maxConnections: number
  /** Whether one more connection may come now; one that may not is closed at once, before it has cost anything. */
  readonly mayConnect: () => boolean
  /** Takes a connection whose handshake is over. */
  readonly onConnection: (socket: Socket) => void
  readonly clock: Clock
  readonly log: Log
}

export interface AgentListener {
  readonly port: number
  /** Who is at the other end of the connection from `address` (`ip:port`). */
  peer(address: string): AgentPeer
  /** Shows another certificate, and takes others, from now on. */
  renew(identity: ListenerIdentity): void
  /** Takes no more connections. */
  close(): void
}

/** A handshake takes milliseconds; who needs longer holds a place that others want, in ms. */
const handshakeWithinMs = 10_000
/** How long a stranger gets to read why, in ms. */
const strangerStaysMs = 3000
const shedNoticeMs = 1000

const gone: AgentPeer = { kind: 'stranger', reason: 'The connection is gone.' }

/** Takes agents' connections, and knows who is at the other end before anything that they say is read. */
export async function listenForConnections(options: AgentListenerOptions): Promise<AgentListener> {
  const { identity, clock, log } = options
  const peers = new Map<string, AgentPeer>()
  const shed = shedding(options)

  const take = (socket: Socket, peer: AgentPeer) => {
    const address = addressOf(socket)
    peers.set(address, peer)
    const cancelEnd = endOf(socket, peer, clock, log)
    socket.on('close', () => {
      peers.delete(address)
      cancelEnd()
    })
    socket.on('error', (error) => log.debug('the connection of an agent failed', { address, reason: error.message }))
    options.onConnection(socket)
  }

  const tls = identity === undefined ? undefined : tlsServer(identity)
  const server = createServer((socket) => {
    if (shed(socket)) return
    if (tls) tls.emit('connection', socket)
    else take(socket, { kind: 'anybody' })
  })
  server.maxConnections = options.maxConnections
  server.on('drop', (data) =>
    log.warn('too many connections of agents; one is turned away', { from: data?.remoteAddress }),
  )

  function tlsServer(shown: ListenerIdentity): TlsServer {
    const settings = {
      // Asked for, and judged in `peerOf`: Node would close the connection without a word of why.
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      handshakeTimeout: handshakeWithinMs,
    }
    const tls = createTlsServer({ ...settings, ...secureContext(shown) }, (socket: TLSSocket) => {
      const peer = peerOf(socket)
      if (peer.kind === 'stranger')
        log.warn('an agent is not let in', { from: socket.remoteAddress, reason: peer.reason })
      take(socket, peer)
    })
    tls.on('tlsClientError', (error, socket) =>
      log.debug('a handshake with an agent failed', { from: socket.remoteAddress, reason: error.message }),
    )
    return tls
  }

  const port = await listen(server, options.port, options.host)
  return {
    port,
    peer: (address) => peers.get(address) ?? gone,
    renew: (next) => tls?.setSecureContext(secureContext(next)),
    close: () => void server.close(),
  }
}

const secureContext = ({ certificate, key, ca }: ListenerIdentity) => ({
  cert: certificate,
  key,
  ca,
  minVersion: 'TLSv1.2' as const,
  // A session that is taken up again is not checked against certificates that changed since.
  secureOptions: constants.SSL_OP_NO_TICKET,
})

/** Closes connections that come too fast, and says how many. */
function shedding({ mayConnect, clock, log }: AgentListenerOptions): (socket: Socket) => boolean {
  let turnedAway = 0
  return (socket) => {
    if (mayConnect()) return false
    socket.destroy()
    if (turnedAway++ > 0) return true
    clock.after(shedNoticeMs, () => {
      log.warn('agents connect faster than they are taken; they will try again', { turnedAway })
      turnedAway = 0
    })
    return true
  }
}

/** A connection ends with the certificate that it was opened by; a stranger's ends soon. */
function endOf(socket: Socket, peer: AgentPeer, clock: Clock, log: Log): () => void {
  switch (peer.kind) {
    case 'anybody':
      return () => {}
    case 'stranger':
      return clock.after(strangerStaysMs, () => socket.destroy())
    default:
      return clock.after(Math.max(0, peer.until - clock.now()), () => {
        log.info('a connection ends with the certificate of its host', { hostId: peer.name.hostId })
        socket.destroy()
      })
  }
}

/** As gRPC names the other end of a call. */
const addressOf = ({ remoteAddress = '', remotePort = 0 }: Socket): string => `${remoteAddress}:${remotePort}`

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host === '' ? undefined : host, () => {
      server.off('error', reject)
      resolve((server.address() as { port: number }).port)
    })
  })
}
