import { readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs'
import { identifyProcess, isAlive, processIdentity } from '@berth/shared/process-identity.ts'
import { z } from 'zod'

const noted = z.object({
  /** Who holds the lease, if that process does. */
  holder: z.string(),
  process: processIdentity,
  /** Process numbers mean nothing to those who see other processes. */
  pidNamespace: z.string(),
})

/**
 * Notes in a file that this process is `holder`, and says which holder noted itself there before, if its process has ended for
 * certain: it is of this start of the machine, and nobody has its process number and start any more. A lease that it left can be taken
 * at once. A file that somebody else wrote, or that cannot be read, says nothing.
 *
 * @throws an error of the file system when the file cannot be written.
 */
export function takeHolderFile(path: string, holder: string): string | undefined {
  const before = read(path)
  const self = identifyProcess(process.pid)
  const pidNamespace = ownPidNamespace()
  if (self === undefined || pidNamespace === '') return undefined
  const next = `${path}.${process.pid}.new`
  writeFileSync(next, JSON.stringify({ holder, process: self, pidNamespace }), { mode: 0o600 })
  renameSync(next, path)
  const hasEnded =
    before?.pidNamespace === pidNamespace && before.process.bootId === self.bootId && !isAlive(before.process)
  return hasEnded ? before.holder : undefined
}

function read(path: string): z.infer<typeof noted> | undefined {
  try {
    return noted.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}

function ownPidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}
