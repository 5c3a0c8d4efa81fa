import { createSocket } from 'node:dgram'

/**
 * The address of this machine from which `server` (`host:port`) is reached: what others can reach the host at, by the
 * kernel's own routes. No packet is sent.
 *
 * @throws Error when the server's name is not known or there is no route to it.
 */
export function localAddressTowards(server: string): Promise<string> {
  const colon = server.lastIndexOf(':')
  const host = server.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.connect(Number(server.slice(colon + 1)), host, () => {
      const { address } = socket.address()
      socket.close()
      resolve(address)
    })
  })
}
