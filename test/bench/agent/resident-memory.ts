import { readFileSync } from 'node:fs'

/** What of a process is in memory, in MiB. */
export interface ResidentMemory {
  readonly now: number
  /** Pages of files, its own program most of them: clean, so that the kernel can drop and read them again. */
  readonly file: number
  readonly highest: number
}

export function residentMib(pid: number): ResidentMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024
  return { now: mib('VmRSS'), file: mib('RssFile'), highest: mib('VmHWM') }
}
