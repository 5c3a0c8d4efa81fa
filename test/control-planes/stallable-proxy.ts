import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a server that can be made to carry nothing, as a cut network does: connections stay open, and nobody is told. */
export interface StallableProxy {
  readonly port: number
  stall(): void
  /** What waited passes on; connections made meanwhile are made. */
  resume(): void
  /** Breaks all connections; new ones are taken. */
  drop(): void
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1 and passes everything on to `target`. */
export async function stallableProxy(target: {
  readonly host: string
  readonly port: number
}): Promise<StallableProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let stalled = false
  const server = createServer((near) => {
    const far = connect(target)
    const pair = [near, far] as const
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', (bytes) => void to.write(bytes))
      from.on('error', end)
      from.on('close', () => {
        if (!stalled) end()
      })
      if (stalled) from.pause()
    }
  })
  const drop = () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    stall() {
      stalled = true
      for (const pair of pairs) for (const socket of pair) socket.pause()
    },
    resume() {
      stalled = false
      for (const pair of pairs) for (const socket of pair) socket.resume()
    },
    drop,
    async close() {
      drop()
      server.close()
      await once(server, 'close')
    },
  }
}
