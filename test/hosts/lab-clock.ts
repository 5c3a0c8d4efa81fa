import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tool } from './tool.ts'

/** The wall clock of one program, which can be set wrong while it runs. Its monotonic clock and its timers go on. */
export interface LabClock {
  /** How many seconds the clock is ahead, or behind if negative. */
  readonly aheadSeconds: number
  /** Sets the clock so many seconds ahead of the machine's, or behind it; the program sees it within a second. */
  set(aheadSeconds: number): void
  /** What the program is to be started with. */
  readonly environment: Readonly<Record<string, string>>
}

/** Of Debian's package `libfaketime`, wherever the architecture has its libraries: the loader fills `$LIB` in. */
const library = '/usr/$LIB/faketime/libfaketime.so.1'
/** Redis's own allocator asks what time it is before the library can say so: it is given the system's. */
const allocator = '/$LIB/libc.so.6'

/** A clock that goes right, until it is set; `path` is the file by which its program is told. */
export function labClock(path: string): LabClock {
  let ahead = 0
  const clock: LabClock = {
    get aheadSeconds() {
      return ahead
    },
    set(seconds) {
      ahead = seconds
      writeFileSync(path, `${seconds < 0 ? '' : '+'}${seconds}\n`)
    },
    environment: {
      LD_PRELOAD: `${library}:${allocator}`,
      FAKETIME_TIMESTAMP_FILE: path,
      // Reading the file at each look at the clock would be the most of what the program does.
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
  }
  clock.set(0)
  return clock
}

/** @throws Error where clocks cannot be set wrong. */
export async function checkLabClocks(): Promise<void> {
  const year = Number(await tool('env', `LD_PRELOAD=${library}`, 'FAKETIME=+400d', 'date', '+%Y'))
  if (year <= new Date().getFullYear())
    throw new Error('clocks cannot be set wrong here: the package libfaketime is missing')
}

/** Removes what the library leaves in shared memory of a program that was killed. */
export function forgetClockOf(pid: number): void {
  for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`]) rmSync(`/dev/shm/${name}`, { force: true })
}

/** As `forgetClockOf`, for all that have ended: a lab that goes does not hear of the end of its last ones. */
export function forgetClocksOfTheDead(): void {
  for (const name of readdirSync('/dev/shm')) {
    const pid = /^(?:sem\.)?faketime_(?:shm|sem)_(\d+)$/.exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) forgetClockOf(Number(pid))
  }
}
