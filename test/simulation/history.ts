import type { Clock } from '@berth/shared/clock.ts'

/** What happened lately in a run, for the one who must find out why it failed. */
export interface History {
  note(line: string): void
  /** The newest lines, oldest first. */
  recent(): readonly string[]
  /** Equal for runs in which the same happened. */
  readonly fingerprint: number
}

export function history(clock: Clock, kept = 120): History {
  const lines: string[] = []
  const begin = clock.now()
  let fingerprint = 0
  return {
    note(line) {
      const stamped = `${((clock.now() - begin) / 1000).toFixed(3).padStart(9)} s  ${line}`
      for (let i = 0; i < stamped.length; i++) fingerprint = (Math.imul(fingerprint, 31) + stamped.charCodeAt(i)) | 0
      lines.push(stamped)
      if (lines.length > kept) lines.shift()
    },
    recent: () => lines,
    get fingerprint() {
      return fingerprint
    },
  }
}
