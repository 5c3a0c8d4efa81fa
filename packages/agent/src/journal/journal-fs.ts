import { constants } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** An open file, as much of it as a journal needs. */
export interface JournalFile {
  readAll(): Promise<Uint8Array>
  /** Writes all of `bytes` at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>
  truncate(length: number): Promise<void>
  /** Resolves when everything written is on the disk. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** The file system, as much of it as a journal needs. */
export interface JournalFs {
  /** Opens for reading and writing; makes the file, and its directory, where there is none, readable by the owner alone. */
  open(path: string, how: 'keep' | 'empty'): Promise<JournalFile>
  /** Puts a file in the place of another, durably. */
  replace(from: string, to: string): Promise<void>
}

/** The file system of the machine. */
export const nodeJournalFs: JournalFs = {
  async open(path, how) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const flags = constants.O_RDWR | constants.O_CREAT | (how === 'empty' ? constants.O_TRUNC : 0)
    const file = await open(path, flags, 0o600)
    await syncDirectory(dirname(path))
    return {
      readAll: () => file.readFile(),
      async write(bytes, position) {
        for (let done = 0; done < bytes.length;) {
          const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
          done += bytesWritten
        }
      },
      truncate: (length) => file.truncate(length),
      sync: () => file.datasync(),
      close: () => file.close(),
    }
  },
  async replace(from, to) {
    await rename(from, to)
    await syncDirectory(dirname(to))
  },
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
