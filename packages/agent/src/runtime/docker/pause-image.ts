import { type PulledImage, RuntimeError } from '../container-runtime.ts'
import type { EngineConnection } from './engine-connection.ts'
import { imageArchive } from './image-archive.ts'
import type { ImagePuller } from './image-pull.ts'
import { jsonLines } from './json-lines.ts'
import { type PauseArchitecture, pauseProgram } from './pause-program.ts'

/** Counts up whenever the program changes, so that a new agent does not take an old one's image. */
export const pauseReference = 'berth/pause:1'

/** Docker's names for architectures in its answer to info, which are the kernel's. */
const architectures: Readonly<Record<string, PauseArchitecture>> = {
  x86_64: 'amd64',
  amd64: 'amd64',
  aarch64: 'arm64',
  arm64: 'arm64',
}

/**
 * The pause image of this engine, made from nothing if it is not there. Agents that make it at the same time make the
 * same image.
 *
 * @throws RuntimeError `refused` on an architecture that there is no pause program for.
 */
export async function ensurePauseImage(
  connection: EngineConnection,
  images: ImagePuller,
  signal: AbortSignal,
): Promise<PulledImage> {
  const present = await images.find(pauseReference, signal)
  if (present !== undefined) return present
  const info = await connection.call({ operation: 'info', method: 'GET', path: '/info' }, signal)
  await loadImage(connection, await pauseArchive((info as { Architecture: string }).Architecture), signal)
  const made = await images.find(pauseReference, signal)
  if (made === undefined) throw new RuntimeError('refused', `Docker took ${pauseReference} and does not have it`)
  return made
}

function pauseArchive(kernelArchitecture: string): Promise<Buffer> {
  const architecture = architectures[kernelArchitecture]
  if (architecture === undefined) {
    throw new RuntimeError('refused', `Tasks with an address of their own are not served on ${kernelArchitecture}`)
  }
  return imageArchive({
    reference: pauseReference,
    architecture,
    files: [{ path: 'pause', content: pauseProgram(architecture), mode: 0o755 }],
    command: ['/pause'],
    stopSignal: 'SIGKILL',
  })
}

/**
 * `docker load`.
 *
 * @throws RuntimeError with what Docker says of an archive that it does not take.
 */
export async function loadImage(connection: EngineConnection, archive: Buffer, signal: AbortSignal): Promise<void> {
  const request = { operation: 'load', method: 'POST', path: '/images/load', query: { quiet: true }, archive } as const
  const stream = await connection.open(request, signal)
  for await (const line of jsonLines(stream as AsyncIterable<Uint8Array>)) {
    const { error } = line as { readonly error?: string }
    if (error !== undefined) throw new RuntimeError('refused', error)
  }
}
