import { once } from 'node:events'
import { createServer } from 'node:net'

/** The port, when nobody listens on it at 127.0.0.1; 0 asks for any free one. `undefined` when it is taken. */
export async function freePort(wanted: number): Promise<number | undefined> {
  const probe = createServer().listen(wanted, '127.0.0.1')
  try {
    await once(probe, 'listening')
  } catch (error) {
    if (['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' ? address?.port : undefined
}

/** Any free port. Who takes it should do so soon: nothing keeps it. */
export async function anyFreePort(): Promise<number> {
  const port = await freePort(0)
  if (port === undefined) throw new Error('no port is free at 127.0.0.1')
  return port
}
