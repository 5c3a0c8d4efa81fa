import { once } from 'node:events'
import { connect, createServer, type TLSSocket } from 'node:tls'
import type { KeyedCertificate } from '../issue-certificate.ts'

export interface Handshake {
  readonly server: KeyedCertificate
  /** PEM of what the server takes clients' certificates from; without, it asks for none. */
  readonly serverTrusts?: string
  readonly client?: KeyedCertificate
  /** PEM. */
  readonly clientTrusts: string
  readonly name: string
}

/** Shakes hands over a real socket. @returns what the server sees of the client: its alternative names. @throws what either side objects to. */
export async function handshake({ server, serverTrusts, client, clientTrusts, name }: Handshake): Promise<string> {
  const seen = Promise.withResolvers<string>()
  const asks = serverTrusts === undefined ? {} : { ca: serverTrusts, requestCert: true, rejectUnauthorized: false }
  const listener = createServer({ cert: server.certificate, key: server.key, ...asks }, (socket: TLSSocket) => {
    if (serverTrusts !== undefined && !socket.authorized) seen.reject(new Error(String(socket.authorizationError)))
    seen.resolve(socket.getPeerCertificate().subjectaltname ?? '')
    socket.on('error', () => {})
    socket.end('x')
  })
  listener.on('tlsClientError', (error) => seen.reject(error))
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  const own = client === undefined ? {} : { cert: client.certificate, key: client.key }
  const socket = connect({ port, host: '127.0.0.1', ca: clientTrusts, servername: name, ...own })
  socket.on('error', (error) => seen.reject(error))
  socket.resume()
  try {
    return await seen.promise
  } finally {
    socket.destroy()
    listener.close()
  }
}
