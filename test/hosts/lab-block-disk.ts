import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { diskAt, type LabDisk } from './lab-disk.ts'
import { tool, tryTool } from './tool.ts'

/**
 * A disk of blocks with a file system on it. Of what a program writes it holds what was brought to it, by `fsync` or after a while by the
 * kernel; the rest is in the memory of the machine, and ends with its power.
 */
export interface LabBlockDisk extends LabDisk {
  /**
   * Leaves the disk as it is at this moment, as after a power cut: what was written and not brought to it is gone. Whoever writes to it must
   * stand still; `end` ends them before the disk is mounted again.
   */
  cutPower(end: () => Promise<void>): Promise<void>
}

/** The kernel writes by itself every few seconds, and a copy takes some milliseconds. */
const mostCopies = 20

/** Makes a disk of so many MiB and mounts it at `path`; its blocks are in memory. Whoever removes the lab unmounts it. */
export async function labBlockDisk(path: string, sizeMib: number): Promise<LabBlockDisk> {
  const shelf = `${path}-blocks`
  for (const directory of [path, shelf]) mkdirSync(directory, { recursive: true })
  await tool('mount', '-t', 'tmpfs', '-o', `size=${3 * sizeMib}m`, 'tmpfs', shelf)
  let image = join(shelf, '0')
  await tool('truncate', `--size=${sizeMib}M`, image)
  await tool('mke2fs', '-q', '-F', '-t', 'ext4', '-m', '0', image)
  await tool('mount', '-o', 'loop', image, path)
  let cuts = 0
  return {
    ...diskAt(path),
    async cutPower(end) {
      const left = await stillCopy(image, join(dirname(image), String(++cuts)))
      await end()
      await tool('umount', '--lazy', path)
      await tryTool('rm', '--force', image)
      image = left
      await tool('mount', '-o', 'loop', image, path)
    },
  }
}

/** Copies until two copies are the same: then nothing was written between them, and they are the disk at one moment. */
async function stillCopy(image: string, to: string): Promise<string> {
  const copy = (target: string) => tool('cp', '--sparse=always', image, target)
  await copy(to)
  for (let patience = 0; patience < mostCopies; patience++) {
    await copy(`${to}-again`)
    const same = await tool('cmp', '--silent', to, `${to}-again`).then(
      () => true,
      () => false,
    )
    await tool('mv', '--force', `${to}-again`, to)
    if (same) return to
  }
  throw new Error('the disk is written to without a rest: no copy of it is of one moment')
}
