import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Ticks a second of the figures in /proc: 100 on every Linux that Node runs on, asked all the same. */
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** Fields of /proc/PID/stat, counted from the one after the program's name (proc(5) counts that one as its third). */
const ownFields = [11, 12] as const
const childFields = [13, 14] as const

/** CPU seconds that a process has taken, all threads; 0 when it is gone. A tick is 10 ms, so measure for long enough. */
export const processCpu = (pid: number): number => secondsOf(pid, ownFields)

/** As `processCpu`, with what the children took that it has waited for. */
export const processTreeCpu = (pid: number): number => secondsOf(pid, [...ownFields, ...childFields])

function secondsOf(pid: number, fields: readonly number[]): number {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return 0
  }
  // The name stands in brackets and may hold spaces and brackets itself.
  const values = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.reduce((sum, field) => sum + Number(values[field]), 0) / ticksPerSecond
}
