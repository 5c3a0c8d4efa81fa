import { type Clock, sleep } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import { containerEndpointId, type KeptEndpoints, openKeptEndpoints, saveKeptEndpoints } from './endpoint-address.ts'
import { answerContainer, answerIntrospection, type EndpointDeps, type EndpointSubject } from './endpoint-answers.ts'
import { type EndpointServer, serveEndpoint } from './endpoint-server.ts'

export interface ContainerEndpointsDeps {
  /** The host's address that containers reach; `undefined` where there is none. Asked until it answers. */
  readonly gateway: (signal: AbortSignal) => Promise<string | undefined>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface ContainerEndpointsOptions {
  /** Where the port and the key are kept. */
  readonly path: string
  readonly zone: string
  /** The port of the introspection API on the loopback address; `undefined` for none. */
  readonly introspectionPort: number | undefined
}

export interface ContainerEndpoints {
  /** What a container is told; nothing until it is known where the endpoints are. */
  variables(taskArn: string, containerName: string): Readonly<Record<string, string>>
  /**
   * Serves until the signal aborts, and looks again where it cannot be served yet. Never rejects.
   */
  serve(subject: EndpointSubject, signal: AbortSignal): Promise<void>
}

/** The port of ECS's agent for its containers, which no task is given; on a machine with several agents only one can have it. */
const firstPort = 51_679

/** Between tries to find or to take the address, in ms. */
const againAfterMs = 5_000

/** How long the first containers wait until the endpoints are found, in ms. */
const firstLookMs = 3_000

/**
 * The endpoints that containers of this host ask: metadata, statistics and protection of their own task. They listen on the host's address on
 * Docker's bridge, which containers in bridge, host and awsvpc mode all reach, on a port that stays the same over restarts.
 */
export async function openContainerEndpoints(
  deps: ContainerEndpointsDeps,
  options: ContainerEndpointsOptions,
): Promise<ContainerEndpoints> {
  const { clock, log } = deps
  /** Until the engine is there, nobody has a task to ask about. */
  let handler: EndpointDeps | undefined
  let kept = await openKeptEndpoints(options.path, deps.random)
  let address = await firstLook(deps)
  const reserved = address === undefined ? undefined : await take(address, kept)
  if (reserved !== undefined) kept = await remember(options.path, kept, reserved.port)
  let listening = reserved

  async function take(host: string, { port }: KeptEndpoints): Promise<EndpointServer | undefined> {
    for (const tried of [port || firstPort, 0]) {
      try {
        return await serveEndpoint(
          { host, port: tried },
          (request, signal) =>
            handler === undefined
              ? { status: 503, body: 'the agent is starting' }
              : answerContainer(request, handler, signal),
          log,
        )
      } catch (error) {
        const next = tried === 0 ? 'trying again later' : 'taking a free port'
        log.info(`the endpoints of containers cannot be served there: ${next}`, { host, port: tried, error })
      }
    }
    return undefined
  }

  return {
    variables(taskArn, containerName) {
      if (address === undefined || listening === undefined) return {}
      const id = containerEndpointId(kept.key, taskArn, containerName)
      const base = `http://${address}:${listening.port}`
      return {
        ECS_CONTAINER_METADATA_URI: `${base}/v3/${id}`,
        ECS_CONTAINER_METADATA_URI_V4: `${base}/v4/${id}`,
        ECS_AGENT_URI: `${base}/api/${id}`,
      }
    },

    async serve(subject, signal) {
      handler = { ...deps, subject, key: kept.key, zone: options.zone }
      const introspection = await serveIntrospection(handler, options.introspectionPort)
      try {
        while (listening === undefined && !signal.aborted) {
          await sleep(clock, againAfterMs, signal)
          address ??= await deps.gateway(signal).catch(() => undefined)
          if (address === undefined) continue
          listening = await take(address, kept)
          if (listening !== undefined) kept = await remember(options.path, kept, listening.port)
        }
        if (!signal.aborted)
          await new Promise<void>((resolve) => {
            signal.addEventListener('abort', () => resolve(), { once: true })
          })
      } catch (error) {
        if (!signal.aborted) log.error('the endpoints of containers are not served any more', { error })
      }
      await introspection?.close()
      await listening?.close()
    },
  }
}

async function firstLook({ gateway, clock }: ContainerEndpointsDeps): Promise<string | undefined> {
  const tooLate = new AbortController()
  const cancel = clock.after(firstLookMs, () => tooLate.abort(new Error('Docker does not answer')))
  try {
    return await gateway(tooLate.signal)
  } catch {
    return undefined
  } finally {
    cancel()
  }
}

async function remember(path: string, kept: KeptEndpoints, port: number): Promise<KeptEndpoints> {
  if (kept.port === port) return kept
  const changed = { ...kept, port }
  await saveKeptEndpoints(path, changed)
  return changed
}

async function serveIntrospection(deps: EndpointDeps, port: number | undefined): Promise<EndpointServer | undefined> {
  if (port === undefined) return undefined
  try {
    return await serveEndpoint({ host: '127.0.0.1', port }, (request) => answerIntrospection(request, deps), deps.log)
  } catch (error) {
    deps.log.warn('the introspection API cannot be served', { port, error })
    return undefined
  }
}
