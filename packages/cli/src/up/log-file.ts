import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs'

/** A log that is larger at a start is put aside, so that the directory holds at most two of this size for a process. */
const rotateAtBytes = 10 * 1024 * 1024

/** Puts a log that has grown large aside as `<path>.1`, in the place of the one before. */
export function rotateLog(path: string, atBytes = rotateAtBytes): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size >= atBytes) renameSync(path, `${path}.1`)
}

/** More than a screen of lines of a log is never shown. */
const tailBytes = 16 * 1024

/** The last lines of a log; empty when there is none. */
export function logTail(path: string, lines: number): string {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0) return ''
  const from = Math.max(0, size - tailBytes)
  const bytes = Buffer.alloc(size - from)
  const file = openSync(path, 'r')
  try {
    readSync(file, bytes, 0, bytes.length, from)
  } finally {
    closeSync(file)
  }
  return bytes.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n')
}
