import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs'

/** A log that is larger at a start is put aside, so that the directory holds at most two of this size for a process. */
const rotateAtBytes = 10 * 1024 * 1024

/** Puts a log that has grown large aside as `<path>.1`, in the place of the one before. */
export function rotateLog(path: string, atBytes = rotateAtBytes): void {
  if (logSize(path) >= atBytes) renameSync(path, `${path}.1`)
}

/** More than a screen of lines of a log is never shown. */
const tailBytes = 16 * 1024

export const logSize = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** The last lines of a log, of those that begin at `after` bytes or later; empty when there are none. */
export function logTail(path: string, after: number, lines: number): string {
  const size = logSize(path)
  if (size <= after) return ''
  const from = Math.max(after, size - tailBytes)
  const bytes = Buffer.alloc(size - from)
  const file = openSync(path, 'r')
  try {
    readSync(file, bytes, 0, bytes.length, from)
  } finally {
    closeSync(file)
  }
  return bytes.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n')
}
