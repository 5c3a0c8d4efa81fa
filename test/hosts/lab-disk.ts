import { mkdirSync, rmSync, statfsSync, writeFileSync, appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { tool } from './tool.ts'

/** A disk of a host, small enough to be filled. */
export interface LabDisk {
  readonly path: string
  /** Writes a file until nothing more fits. */
  fill(): void
  /** Removes that file. */
  clear(): void
}

/** Mounts a disk of so many MiB, kept in memory. Whoever removes the lab unmounts it. */
export async function labDisk(path: string, sizeMib: number): Promise<LabDisk> {
  mkdirSync(path, { recursive: true })
  await tool('mount', '-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tmpfs', path)
  return diskAt(path)
}

/** What is mounted at `path`, as a disk that can be filled. */
export function diskAt(path: string): LabDisk {
  const ballast = join(path, 'ballast')
  return {
    path,
    fill() {
      writeFileSync(ballast, '')
      const { bsize } = statfsSync(path)
      for (const chunk of [Buffer.alloc(1 << 20), Buffer.alloc(bsize)]) {
        while (statfsSync(path).bavail * bsize >= chunk.length) appendFileSync(ballast, chunk)
      }
    },
    clear: () => rmSync(ballast, { force: true }),
  }
}
