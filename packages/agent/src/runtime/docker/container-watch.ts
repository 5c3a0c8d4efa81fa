import { backoffDelay } from '@berth/shared/backoff.ts'
import { type Clock, sleep } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import type { ContainerEvent } from '../container-runtime.ts'
import { containerNameLabel, hostLabel, taskArnLabel } from './container-labels.ts'
import { healthStatus } from './container-snapshot.ts'
import type { EngineConnection } from './engine-connection.ts'
import { jsonLines } from './json-lines.ts'

export interface WatchDeps {
  readonly connection: EngineConnection
  readonly hostId: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** A process of the container was killed for want of memory: no news of its life, since the container may go on. */
  readonly onOomKill: (runtimeId: string) => void
}

/** Between tries to reach an engine that is away: a restart of dockerd takes about a second. */
const backoff = { baseMs: 250, maxMs: 5_000 }

/** A stream that held this long, in ms, was a good one: the next failure counts as the first again. */
const steadyAfterMs = 5_000

/**
 * How far back the engine is asked to repeat its events, in s. It answers before it has subscribed us, so that what
 * happens in between would be lost; events from before that are covered by the list that `onGap` asks for.
 */
const overlapSeconds = 2

/** Watches as `ContainerRuntime.watch` promises. An event may be told twice; none is lost without an `onGap` after it. */
export async function watchContainers(
  deps: WatchDeps,
  onEvent: (event: ContainerEvent) => void,
  onGap: () => void,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, log } = deps
  for (let failures = 0; ;) {
    signal.throwIfAborted()
    const openedAt = clock.monotonic()
    try {
      const stream = await openEvents(deps, signal)
      onGap()
      for await (const line of jsonLines(stream as AsyncIterable<Uint8Array>)) {
        const victim = oomVictim(line)
        if (victim !== undefined) deps.onOomKill(victim)
        const event = containerEvent(line)
        if (event !== undefined) onEvent(event)
      }
      log.warn('Docker ended its stream of events')
    } catch (error) {
      signal.throwIfAborted()
      log.warn("Docker's events are not heard", { error })
    }
    failures = clock.monotonic() - openedAt >= steadyAfterMs ? 0 : failures + 1
    await sleep(clock, backoffDelay(failures, backoff, random), signal)
  }
}

function openEvents(deps: WatchDeps, signal: AbortSignal): Promise<NodeJS.ReadableStream> {
  const since = Math.floor(deps.clock.now() / 1000) - overlapSeconds
  const filters = {
    type: ['container'],
    event: ['create', 'start', 'die', 'destroy', 'health_status', 'oom'],
    label: [`${hostLabel}=${deps.hostId}`],
  }
  const query = { since, filters: JSON.stringify(filters) }
  return deps.connection.open({ operation: 'watch', method: 'GET', path: '/events', query }, signal)
}

/** A line of Docker's event stream, as far as it matters. */
interface DockerEvent {
  readonly Action?: string
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> }
}

const kinds: Readonly<Record<string, ContainerEvent['kind']>> = {
  create: 'created',
  start: 'started',
  die: 'died',
  destroy: 'removed',
  health_status: 'health',
}

/** The container that a line of Docker's stream says ran out of memory. */
export function oomVictim(line: unknown): string | undefined {
  const { Action, Actor } = line as DockerEvent
  return Action === 'oom' ? Actor?.ID : undefined
}

/** The event that a line of Docker's stream tells of; `undefined` for one that tells nothing of a container's life. */
export function containerEvent(line: unknown): ContainerEvent | undefined {
  const { Action = '', Actor = {} } = line as DockerEvent
  const [action = '', detail] = Action.split(': ')
  const kind = kinds[action]
  const attributes = Actor.Attributes ?? {}
  if (kind === undefined || Actor.ID === undefined) return undefined
  const exitCode = Number(attributes['exitCode'])
  return {
    runtimeId: Actor.ID,
    taskArn: attributes[taskArnLabel] ?? '',
    containerName: attributes[containerNameLabel] ?? '',
    kind,
    ...(kind === 'died' && Number.isInteger(exitCode) ? { exitCode } : {}),
    ...(kind === 'health' ? { health: healthStatus(detail) } : {}),
  }
}
