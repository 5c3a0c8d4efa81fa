import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * One address before several servers, as HAProxy is one: TCP passed on by turns, to servers that answer their health check and are not cut off from
 * the store; to all of them where there are none.
 */
export interface Balancer {
  readonly port: number
  close(): Promise<void>
}

const probeEveryMs = 250
const probeWithinMs = 1500
/** What HAProxy calls `fall`: so many failures in a row until a server counts as down, and its connections are cut. */
const failuresUntilDown = 3

interface Backend {
  readonly port: number
  readonly connections: Set<Socket>
  failures: number
}

/** Balances over APIs of control planes at ports of 127.0.0.1. */
export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const backends: readonly Backend[] = ports.map((port) => ({ port, connections: new Set(), failures: 0 }))
  let turn = 0
  const server = createServer((near) => {
    near.on('error', () => near.destroy())
    const up = backends.filter(({ failures }) => failures < failuresUntilDown)
    const from = up.length === 0 ? backends : up
    passOn(
      near,
      from.map((_, index) => from[(turn + index) % from.length] as Backend),
    )
    turn += 1
  })
  const probing = setInterval(() => void Promise.all(backends.map(probe)), probeEveryMs)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      clearInterval(probing)
      for (const { connections } of backends) for (const socket of connections) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Passes a connection on to the first that takes it. */
function passOn(near: Socket, [backend, ...others]: readonly Backend[]): void {
  if (backend === undefined) return void near.destroy()
  const far = connect(backend.port, '127.0.0.1')
  far.once('connect', () => {
    backend.connections.add(near)
    near.pipe(far).pipe(near)
    for (const socket of [near, far])
      socket.once('close', () => {
        backend.connections.delete(near)
        near.destroy()
        far.destroy()
      })
  })
  far.on('error', () => {
    far.destroy()
    if (!backend.connections.has(near)) passOn(near, others)
  })
}

async function probe(backend: Backend): Promise<void> {
  const url = `http://127.0.0.1:${backend.port}/_berth/health`
  const answer = await fetch(url, { signal: AbortSignal.timeout(probeWithinMs) }).catch(() => undefined)
  // One that knows no leader still takes requests and has them wait, which is better than to refuse them all.
  const isUp = answer !== undefined && !((await answer.json()) as { cutOff?: boolean }).cutOff
  backend.failures = isUp ? 0 : backend.failures + 1
  if (backend.failures === failuresUntilDown) for (const socket of backend.connections) socket.destroy()
}
