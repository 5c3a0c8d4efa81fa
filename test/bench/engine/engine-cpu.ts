import { readdirSync, readFileSync } from 'node:fs'
import { processTreeCpu } from '../lab/process-cpu.ts'

/**
 * CPU seconds that the machine's engine has taken: dockerd, containerd and, of the containers given, their shims with the
 * runc calls that these waited for. To be read while the containers run, since a shim takes its figures with it.
 */
export function engineCpu(containerIds: readonly string[]): number {
  const ids = new Set(containerIds)
  let seconds = 0
  for (const { pid, args } of processes()) {
    const [program = ''] = args
    const isEngine = /(^|\/)(dockerd|containerd)$/.test(program)
    const isShim = program.includes('containerd-shim') && args.some((arg) => ids.has(arg))
    if (isEngine || isShim) seconds += processTreeCpu(pid)
  }
  return seconds
}

function processes(): { readonly pid: number; readonly args: readonly string[] }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [{ pid: Number(name), args: readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0') }]
      } catch {
        return []
      }
    })
}
