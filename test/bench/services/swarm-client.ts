import { benchLabel } from '../engine/bare-engine.ts'
import { engineHttp } from '../engine/engine-http.ts'
import { until } from '../engine/until.ts'
import { engineTime } from './container-events.ts'

export type NetworkMode = 'bridge' | 'host'

/** What a service of Swarm runs. */
export interface SwarmService {
  readonly name: string
  readonly image: string
  readonly command: readonly string[]
  readonly replicas: number
  readonly memoryMib: number
  /** `bridge` is what Swarm does where nothing is said; `none` it does not know. */
  readonly networkMode: NetworkMode
  /** Tells one release from another. */
  readonly release: string
}

/** Docker Swarm by its engine's API: what its command line sends, without that program's own start. */
export interface SwarmClient {
  init(address: string): Promise<void>
  create(service: SwarmService): Promise<void>
  /** Starts all new tasks, each before the old one of its place is stopped, and all at once. */
  update(service: SwarmService): Promise<void>
  remove(name: string): Promise<void>
  /** Resolves when the list of services shows so many running, with the time at which that was asked. */
  untilRunning(name: string, count: number): Promise<number>
  close(): void
}

interface ServiceAnswer {
  readonly ID: string
  readonly Version: { readonly Index: number }
  readonly ServiceStatus?: { readonly RunningTasks: number }
}

/** As often as Berth is asked. */
const askEveryMs = 10

export function swarmClient(socketPath: string): SwarmClient {
  const { call, close } = engineHttp(socketPath)
  const found = async (name: string): Promise<ServiceAnswer | undefined> => {
    const filters = encodeURIComponent(JSON.stringify({ name: [name] }))
    const [service] = (await call('GET', `/services?status=true&filters=${filters}`)) as readonly ServiceAnswer[]
    return service
  }
  return {
    async init(address) {
      await call('POST', '/swarm/init', { ListenAddr: `${address}:2377`, AdvertiseAddr: address })
    },
    async create(service) {
      await call('POST', '/services/create', specOf(service))
    },
    async update(service) {
      const { ID, Version } = (await found(service.name)) ?? { ID: '', Version: { Index: 0 } }
      await call('POST', `/services/${ID}/update?version=${Version.Index}`, specOf(service))
    },
    async remove(name) {
      await call('DELETE', `/services/${name}`)
    },
    untilRunning: (name, count) =>
      until(
        `${count} running of ${name}`,
        async () => {
          const askedAt = engineTime()
          return (await found(name))?.ServiceStatus?.RunningTasks === count ? askedAt : undefined
        },
        { everyMs: askEveryMs },
      ),
    close,
  }
}

/** How long a container has to end after it was asked to, as Berth's in this bench. */
export const stopGraceSeconds = 10

function specOf({ name, image, command, replicas, memoryMib, networkMode, release }: SwarmService): object {
  return {
    Name: name,
    TaskTemplate: {
      ContainerSpec: {
        Image: image,
        Command: command,
        Env: [`RELEASE=${release}`],
        Labels: { [benchLabel]: 'swarm' },
        StopGracePeriod: stopGraceSeconds * 1e9,
      },
      Resources: { Limits: { MemoryBytes: memoryMib * 2 ** 20 } },
      ...(networkMode === 'host' && { Networks: [{ Target: 'host' }] }),
    },
    Mode: { Replicated: { Replicas: replicas } },
    // No limit on how many at once; Berth's minimum of 100 and maximum of 200 percent say the same.
    UpdateConfig: { Parallelism: 0, Order: 'start-first' },
  }
}
