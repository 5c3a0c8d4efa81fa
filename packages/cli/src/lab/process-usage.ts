/** What a process has taken. */
export interface ProcessUsage {
  readonly cpuSeconds: number
  readonly rssBytes: number
}

/** Of every Linux that Node runs on. */
const ticksPerSecond = 100
const pageBytes = 4096

/** Reads /proc/PID/stat: proc(5) counts user time, system time and resident pages as fields 14, 15 and 24. */
export function parseProcessUsage(stat: string): ProcessUsage {
  // The name stands in brackets, as the second field, and may hold spaces and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3] ?? 0)
  return { cpuSeconds: (field(14) + field(15)) / ticksPerSecond, rssBytes: field(24) * pageBytes }
}
