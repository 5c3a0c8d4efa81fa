import { hostLabel } from '@berth/agent/runtime/docker/container-labels.ts'
import type Docker from 'dockerode'

/** How long containers may take to stop, in seconds, before they are killed: as `docker compose down` gives them. */
const stopWithinSeconds = 10
/** Containers that are asked to stop at once: they mostly wait. */
const parallelStops = 64
/** Removing keeps the engine busy: beyond its number of cores, more at once makes none of it faster. */
const parallelRemovals = 8

/**
 * Stops and removes every container of these hosts, with its anonymous volumes. Named volumes stay: those of single tasks
 * are removed by the agents when they are back, and what tasks share is data.
 *
 * @returns how many containers there were.
 */
export async function removeHostContainers(docker: Docker, hostIds: ReadonlySet<string>): Promise<number> {
  const labelled = { label: [hostLabel] }
  const containers = (await docker.listContainers({ all: true, filters: labelled })).filter(({ Labels }) =>
    hostIds.has(Labels[hostLabel] ?? ''),
  )
  const running = containers.filter(({ State }) => State === 'running' || State === 'paused' || State === 'restarting')
  await inParallel(parallelStops, running, ({ Id }) => stop(docker.getContainer(Id)))
  await inParallel(parallelRemovals, containers, ({ Id }) => remove(docker.getContainer(Id)))
  return containers.length
}

const stop = (container: Docker.Container): Promise<unknown> =>
  tolerating([304, 404], () => container.stop({ t: stopWithinSeconds }))

/** 409: somebody else is removing it. */
const remove = (container: Docker.Container): Promise<unknown> =>
  tolerating([404, 409], () => container.remove({ force: true, v: true }))

async function tolerating(statuses: readonly number[], work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!statuses.includes((error as { statusCode?: number }).statusCode ?? 0)) throw error
  }
}

async function inParallel<T>(limit: number, items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
}
