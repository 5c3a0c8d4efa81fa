import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { decodeRecord } from '@berth/agent/journal/journal-record.ts'
import { journalMagic, readRecords } from '@berth/agent/journal/record-framing.ts'

/** The ids of the hosts whose agents keep, or kept, their journals under `agents/`: containers are labelled with them. */
export function hostIdsUnder(agents: string): ReadonlySet<string> {
  const files = listing(agents).flatMap((agent) =>
    listing(join(agents, agent)).map((name) => join(agents, agent, name)),
  )
  return new Set(files.flatMap((file) => hostIdsIn(file)))
}

/** A journal has one identity in effect; earlier ones, of the same host, have the same id. */
function hostIdsIn(path: string): readonly string[] {
  if (!statSync(path).isFile()) return []
  const bytes = readFileSync(path)
  if (journalMagic.some((byte, index) => bytes[index] !== byte)) return []
  return readRecords(bytes, journalMagic.length).records.flatMap((bytes) => {
    const record = decodeRecord(bytes)
    return record.kind === 'identity' ? [record.identity.hostId] : []
  })
}

function listing(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}
