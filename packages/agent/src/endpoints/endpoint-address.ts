import { createHmac } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Random, randomHex } from '@berth/shared/random.ts'
import { z } from 'zod'

const keptSchema = z.object({
  /** 64 hex digits: what the ids of containers are made from. */
  key: z.string().regex(/^[0-9a-f]{64}$/),
  /** The port listened on before: containers that were started then still ask there. 0 for none yet. */
  port: z.int().min(0).max(65_535),
})

/** What an agent must find again after a restart, so that containers which outlived it find it. */
export type KeptEndpoints = Readonly<z.infer<typeof keptSchema>>

/**
 * Reads the file, or begins one that only its owner can read.
 *
 * @throws an error of the file system.
 */
export async function openKeptEndpoints(path: string, random: Random): Promise<KeptEndpoints> {
  try {
    return keptSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined && (error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw error
    const begun = { key: randomHex(random, 64), port: 0 }
    await saveKeptEndpoints(path, begun)
    return begun
  }
}

export async function saveKeptEndpoints(path: string, kept: KeptEndpoints): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.new`, JSON.stringify(kept), { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/**
 * The id that a container asks for itself under: 32 hex digits that nobody guesses and that are the same after a restart. Who has it may read
 * the task's metadata and change its protection.
 */
export const containerEndpointId = (key: string, taskArn: string, containerName: string): string =>
  createHmac('sha256', Buffer.from(key, 'hex')).update(`${taskArn}\0${containerName}`).digest('hex').slice(0, 32)
