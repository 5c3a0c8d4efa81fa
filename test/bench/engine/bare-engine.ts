import { request as httpRequest } from 'node:http'
import { engineHttp } from './engine-http.ts'

/** What a container is made of when nobody stands between: what matters to the engine's work is as in Berth's. */
export interface BareContainer {
  readonly image: string
  readonly command: readonly string[]
  readonly networkMode: string
  readonly cpuShares: number
  readonly memoryMib: number
}

/** The machine's Docker engine over its socket, by nothing but HTTP on kept-alive connections. */
export interface BareEngine {
  /** Resolves with the id of a container that runs. */
  start(container: BareContainer): Promise<string>
  kill(id: string): Promise<void>
  /** Asks it to end, kills it after so many seconds, and resolves when it has ended. */
  stop(id: string, withinSeconds: number): Promise<void>
  remove(id: string): Promise<void>
  imageId(reference: string): Promise<string>
  /** Watches for starts of containers of the bench. It costs Berth nothing, so that asking it begins when there is something to see. */
  watchStarts(): Promise<StartWatch>
  /** Ids of the containers with this label, in this state where one is given. */
  labelled(label: string, status?: 'exited'): Promise<readonly string[]>
  close(): void
}

export interface StartWatch {
  /** Resolves when so many have started since the watch began. */
  reached(count: number): Promise<void>
  close(): void
}

/** On every container of the bench, so that none is left behind. */
export const benchLabel = 'berth.bench'

export function bareEngine(socketPath = '/var/run/docker.sock'): BareEngine {
  const { call, close } = engineHttp(socketPath)
  return {
    async start({ image, command, networkMode, cpuShares, memoryMib }) {
      const { Id } = (await call('POST', '/containers/create', {
        Image: image,
        Cmd: command,
        Labels: { [benchLabel]: 'bare' },
        HostConfig: { NetworkMode: networkMode, CpuShares: cpuShares, Memory: memoryMib * 2 ** 20 },
      })) as { Id: string }
      await call('POST', `/containers/${Id}/start`)
      return Id
    },
    async kill(id) {
      await call('POST', `/containers/${id}/kill`)
    },
    async stop(id, withinSeconds) {
      await call('POST', `/containers/${id}/stop?t=${withinSeconds}`)
    },
    async remove(id) {
      await call('DELETE', `/containers/${id}?force=true&v=true`)
    },
    watchStarts: () => watchStarts(socketPath),
    async imageId(reference) {
      return ((await call('GET', `/images/${reference}/json`)) as { Id: string }).Id
    },
    async labelled(label, status) {
      const filters = encodeURIComponent(JSON.stringify({ label: [label], ...(status && { status: [status] }) }))
      const found = (await call('GET', `/containers/json?all=true&filters=${filters}`)) as readonly { Id: string }[]
      return found.map(({ Id }) => Id)
    },
    close,
  }
}

function watchStarts(socketPath: string): Promise<StartWatch> {
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ['start'], label: [benchLabel] }))
  let started = 0
  let onStart = () => {}
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, path: `/v1.41/events?filters=${filters}` }, (response) => {
      response.setEncoding('utf8').on('data', (text: string) => {
        started += text.split('\n').length - 1
        onStart()
      })
      resolve({
        reached: (count) =>
          new Promise((done) => {
            onStart = () => {
              if (started >= count) done()
            }
            onStart()
          }),
        close: () => request.destroy(),
      })
    })
    request.on('error', reject)
    request.end()
  })
}

/** Runs `work` over all items, so many at once. */
export async function inParallel<T, R>(
  items: readonly T[],
  parallelism: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  const worker = async () => {
    for (const [at, item] of queue) results[at] = await work(item)
  }
  await Promise.all(Array.from({ length: parallelism }, worker))
  return results
}
