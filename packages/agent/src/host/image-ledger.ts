import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '@berth/shared/clock.ts'
import { z } from 'zod'

const ledgerImage = z.object({ imageId: z.string(), pulledAt: z.number(), lastUsedAt: z.number() }).readonly()

/** An image that this agent brought to the engine; moments in ms since the epoch. */
export type LedgerImage = z.infer<typeof ledgerImage>

/** Which images this agent brought to the engine, and so may take away again. Kept in a file, since agents restart. */
export interface ImageLedger {
  images(): readonly LedgerImage[]
  /** A pull came to this image. It is entered if it is new; if it has been entered, it has been used now. */
  resolved(imageId: string, isNew: boolean): void
  /** These are in use now. */
  used(imageIds: ReadonlySet<string>): void
  forget(imageId: string): void
  /** Resolves when all of the above is in the file. */
  save(): Promise<void>
}

/**
 * Opens the ledger at `path`. Where it is absent, or is not a ledger, it begins empty: then images stay that could have
 * gone, and no image goes that somebody else brought.
 */
export async function openImageLedger(path: string, clock: Clock): Promise<ImageLedger> {
  const images = new Map((await readLedger(path)).map((image) => [image.imageId, image]))
  let saving = Promise.resolve()

  const write = async (): Promise<void> => {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(`${path}.new`, JSON.stringify([...images.values()]))
    await rename(`${path}.new`, path)
  }

  const touch = (imageId: string): void => {
    const image = images.get(imageId)
    if (image !== undefined) images.set(imageId, { ...image, lastUsedAt: clock.now() })
  }

  return {
    images: () => [...images.values()],
    resolved(imageId, isNew) {
      const now = clock.now()
      if (isNew && !images.has(imageId)) images.set(imageId, { imageId, pulledAt: now, lastUsedAt: now })
      else touch(imageId)
    },
    used(imageIds) {
      for (const imageId of imageIds) touch(imageId)
    },
    forget(imageId) {
      images.delete(imageId)
    },
    save() {
      saving = saving.then(write, write)
      return saving
    },
  }
}

async function readLedger(path: string): Promise<readonly LedgerImage[]> {
  try {
    return z.array(ledgerImage).parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return []
  }
}
