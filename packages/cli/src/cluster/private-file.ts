import { randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Puts a file that only its owner may read in the place of another: a reader sees the old text or the new one, whole. */
export function replacePrivateFile(path: string, text: string): void {
  const next = `${path}.${randomBytes(4).toString('hex')}.new`
  try {
    writeFileSync(next, text, { mode: 0o600, flag: 'wx', flush: true })
    renameSync(next, path)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
}

/** The text of a file; `undefined` when there is none. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Takes from everybody else the right to read a secret that was copied or edited by hand. */
export const makePrivate = (path: string): void => chmodSync(path, 0o600)
