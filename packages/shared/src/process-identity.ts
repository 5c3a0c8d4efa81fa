import { readFileSync } from 'node:fs'
import { z } from 'zod'

/**
 * One process, not to be mistaken for a later one that was given the same number: its start, in clock ticks since the
 * machine started, and which start of the machine that was.
 */
export const processIdentity = z.object({
  pid: z.int().positive(),
  startTicks: z.int().nonnegative(),
  bootId: z.string(),
})
export type ProcessIdentity = Readonly<z.infer<typeof processIdentity>>

/** Who has this number now; `undefined` when nobody has, or only what is left of a process that has ended. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = readProc(`/proc/${pid}/stat`)
  const parsed = stat === undefined ? undefined : parseProcessStat(stat)
  if (parsed === undefined || parsed.ended) return undefined
  return { pid, startTicks: parsed.startTicks, bootId: readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? '' }
}

export function isAlive(identity: ProcessIdentity): boolean {
  const now = identifyProcess(identity.pid)
  return now !== undefined && now.startTicks === identity.startTicks && now.bootId === identity.bootId
}

/**
 * State and start of a process from `/proc/<pid>/stat`. The second field is the name of its program in parentheses, with
 * whatever the program wrote in it; so fields are counted from the last parenthesis (proc(5): state is 3, starttime 22).
 */
export function parseProcessStat(stat: string): { readonly ended: boolean; readonly startTicks: number } | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const startTicks = Number(fields[19])
  if (fields[0] === undefined || !Number.isSafeInteger(startTicks)) return undefined
  return { ended: ['Z', 'X', 'x'].includes(fields[0]), startTicks }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
