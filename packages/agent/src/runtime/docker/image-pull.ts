import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { type PulledImage, type PullRequest, RuntimeError } from '../container-runtime.ts'
import type { EngineConnection, EngineRequest } from './engine-connection.ts'
import { isImageId, parseImageReference } from './image-reference.ts'
import { jsonLines } from './json-lines.ts'
import { singleFlight } from './single-flight.ts'

export interface ImagePullOptions {
  /**
   * How long `default` goes on with the image that is there after its registry could not be reached, in ms. Each try
   * costs seconds (3 s where there is no name server), and a service of 50 tasks should not pay it 50 times. Default: 60 s.
   */
  readonly unreachableForMs?: number
  /** A pull that makes no progress for so long has failed, in ms. Default: 60 s, as ECS_IMAGE_PULL_INACTIVITY_TIMEOUT. */
  readonly inactivityMs?: number
  /** Called with what every pull comes to; `isNew` where the reference did not name this image before. */
  readonly onResolved?: (imageId: string, isNew: boolean) => void
}

export interface ImagePuller {
  /** Pulls as `ContainerRuntime.pull` promises. */
  pull(request: PullRequest, signal: AbortSignal): Promise<PulledImage>
  /** The image that is present under this name or id. */
  find(image: string, signal: AbortSignal): Promise<PulledImage | undefined>
}

export interface ImagePullDeps {
  readonly connection: EngineConnection
  readonly clock: Clock
  readonly log: Log
}

/** What to do for a task that wants an image. */
export type PullStep = 'use-present' | 'pull' | 'pull-or-use-present' | 'refuse'

export interface PullSituation {
  readonly behavior: PullRequest['behavior']
  readonly present: boolean
  /** Named by the image's own id, which no registry knows. */
  readonly byId: boolean
  /** Named by digest: whatever is present under it is what a registry would give. */
  readonly byDigest: boolean
  /** This process has pulled the reference before. */
  readonly pulledBefore: boolean
  /** The registry did not answer a moment ago. */
  readonly unreachable: boolean
}

/** The rules of ECS_IMAGE_PULL_BEHAVIOR, the first that holds deciding. */
export function pullStep(situation: PullSituation): PullStep {
  const { behavior, present, byId, byDigest, pulledBefore, unreachable } = situation
  if (byId) return present ? 'use-present' : 'refuse'
  if (!present) return 'pull'
  if (byDigest) return 'use-present'
  return {
    always: 'pull',
    default: unreachable ? 'use-present' : 'pull-or-use-present',
    once: pulledBefore ? 'use-present' : 'pull-or-use-present',
    'prefer-cached': 'use-present',
  }[behavior] as PullStep
}

/** Pulls images: once for all that want the same at the same time, and only when the rule says so. */
export function imagePuller(deps: ImagePullDeps, options: ImagePullOptions = {}): ImagePuller {
  const { connection, clock, log } = deps
  const { unreachableForMs = 60_000, inactivityMs = 60_000, onResolved = () => {} } = options
  const downloads = singleFlight<void>()
  const looks = singleFlight<PulledImage | undefined>()
  const unreachableUntil = new Map<string, number>()
  const pulledReferences = new Set<string>()

  const find = async (image: string, signal: AbortSignal): Promise<PulledImage | undefined> => {
    const request = { operation: 'image', method: 'GET', path: `/images/${encodeURIComponent(image)}/json` } as const
    try {
      return pulledImage((await connection.call(request, signal)) as ImageAnswer, image)
    } catch (error) {
      if (error instanceof RuntimeError && error.fault === 'not-found') return undefined
      throw error
    }
  }

  const download = async (request: PullRequest, signal: AbortSignal): Promise<void> => {
    const { registry } = parseImageReference(request.image)
    try {
      await readPull(connection, clock, request, inactivityMs, signal)
      unreachableUntil.delete(registry)
      pulledReferences.add(request.image)
    } catch (error) {
      if (error instanceof RuntimeError && isUnreachable(error)) {
        unreachableUntil.set(registry, clock.monotonic() + unreachableForMs)
      }
      throw error
    }
  }

  const pullNow = (request: PullRequest, signal: AbortSignal): Promise<void> =>
    downloads.run(flightKey(request), (shared) => download(request, shared), signal)

  const resolve = async (
    request: PullRequest,
    signal: AbortSignal,
  ): Promise<{ image: PulledImage; isNew: boolean }> => {
    // Fifty tasks of a service look once. What a look finds after a pull, it must have begun after it.
    const present = await looks.run(request.image, (shared) => find(request.image, shared), signal)
    const reference = parseImageReference(request.image)
    const step = pullStep({
      behavior: request.behavior,
      present: present !== undefined,
      byId: isImageId(request.image) || isPrefixOf(request.image, present),
      byDigest: reference.byDigest,
      pulledBefore: pulledReferences.has(request.image),
      unreachable: clock.monotonic() < (unreachableUntil.get(reference.registry) ?? -Infinity),
    })
    if (step === 'refuse') throw noSuchImage(request)
    if (step === 'use-present' && present !== undefined) return { image: present, isNew: false }
    try {
      await pullNow(request, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (step !== 'pull-or-use-present' || present === undefined || !(error instanceof RuntimeError)) throw error
      log.warn('the image could not be pulled: the one that is present is used', { image: request.image, error })
      return { image: present, isNew: false }
    }
    const pulled = await find(request.image, signal)
    if (pulled === undefined) throw noSuchImage(request)
    return { image: pulled, isNew: pulled.imageId !== present?.imageId }
  }

  return {
    find,
    async pull(request, signal) {
      const { image, isNew } = await resolve(request, signal)
      onResolved(image.imageId, isNew)
      return image
    },
  }
}

const noSuchImage = (request: PullRequest): RuntimeError =>
  new RuntimeError('refused', `No such image: ${request.image}`)

/** Pulls with different credentials are not shared: what one may have, another may not. */
const flightKey = (request: PullRequest): string =>
  JSON.stringify([request.image, request.credentials?.username, request.credentials?.password])

/** A pull as Docker tells it, line by line; one of them may say that it failed. */
async function readPull(
  connection: EngineConnection,
  clock: Clock,
  request: PullRequest,
  inactivityMs: number,
  signal: AbortSignal,
): Promise<void> {
  const idle = new AbortController()
  const touch = (): (() => void) =>
    clock.after(inactivityMs, () => {
      idle.abort(
        new RuntimeError('timeout', `The pull of ${request.image} made no progress for ${inactivityMs / 1000} s`),
      )
    })
  const either = AbortSignal.any([signal, idle.signal])
  let calm = touch()
  try {
    const stream = await connection.open(pullRequest(request), either)
    for await (const line of jsonLines(stream as AsyncIterable<Uint8Array>)) {
      calm()
      calm = touch()
      const said = line as { readonly error?: string; readonly errorDetail?: { readonly message?: string } }
      if (said.error !== undefined) throw new RuntimeError('refused', said.errorDetail?.message ?? said.error)
    }
  } catch (error) {
    either.throwIfAborted()
    if (!(error instanceof RuntimeError)) throw new RuntimeError('unavailable', String(error), { cause: error })
    throw error.fault === 'not-found' ? new RuntimeError('refused', error.message, { cause: error }) : error
  } finally {
    calm()
  }
}

function pullRequest(request: PullRequest): EngineRequest {
  const { name, version, registry } = parseImageReference(request.image)
  return {
    operation: 'pull',
    method: 'POST',
    path: '/images/create',
    query: { fromImage: name, tag: version },
    ...(request.credentials === undefined ? {} : { credentials: { ...request.credentials, serveraddress: registry } }),
  }
}

/** Words of Go's network stack, which Docker hands on: the registry was not reached, so nothing was learned about the image. */
const unreachableWords =
  /dial tcp|no such host|i\/o timeout|connection refused|connection reset|TLS handshake timeout|Client\.Timeout|deadline exceeded|unreachable|no route to host|proxyconnect|server misbehaving|\bEOF\b/i

const isUnreachable = (error: RuntimeError): boolean =>
  error.fault === 'timeout' || (error.fault === 'refused' && unreachableWords.test(error.message))

interface ImageAnswer {
  readonly Id: string
  readonly RepoDigests?: readonly string[] | null
}

/** The digest under which this image's own repository has it: that of another repository would not be found in this one. */
function pulledImage(found: ImageAnswer, image: string): PulledImage {
  const { name } = parseImageReference(image)
  const digests = (found.RepoDigests ?? []).map((each) => each.split('@') as [string, string])
  const digest = digests.find(([repository]) => familiarName(repository) === familiarName(name))
  return { imageId: found.Id, digest: digest?.[1] ?? '' }
}

/** Docker Hub's repositories have several names: `redis` is `library/redis` and `docker.io/library/redis`. */
const familiarName = (repository: string): string =>
  repository.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, '')

/** A short id, as people copy it from `docker images`. */
const isPrefixOf = (image: string, present: PulledImage | undefined): boolean =>
  /^[0-9a-f]{12,}$/.test(image) && present?.imageId.startsWith(`sha256:${image}`) === true
