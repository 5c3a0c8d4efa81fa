import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { CellBackup } from '@berth/control-plane/store/redis/redis-backup.ts'
import { z } from 'zod'
import { CliError } from '../cli-error.ts'

const header = z.object({
  format: z.literal('berth-backup'),
  version: z.literal(1),
  cell: z.string(),
  /** In ms since the epoch. */
  takenAt: z.number(),
  epoch: z.int(),
  sequence: z.int(),
  records: z.int(),
  documents: z.array(z.tuple([z.string(), z.string()])),
})
const line = z.tuple([z.string(), z.string(), z.string()])

export interface BackupFile {
  readonly cell: string
  readonly takenAt: number
  readonly backup: CellBackup
}

/**
 * A backup as bytes: gzip of lines of JSON. The first says what it is, then each record is `[table, key, value]`, and the last is the SHA-256 of
 * all before it.
 */
export function encodeBackup({ cell, takenAt, backup }: BackupFile): Buffer {
  const { epoch, sequence, records, documents } = backup
  const first = {
    format: 'berth-backup',
    version: 1,
    cell,
    takenAt,
    epoch,
    sequence,
    records: records.length,
    documents,
  }
  const lines = [first, ...records.map(({ table, key, value }) => [table, key, value])]
  const text = lines.map((each) => `${JSON.stringify(each)}\n`).join('')
  return gzipSync(`${text}${sha256(text)}\n`)
}

/** @throws CliError for bytes that are no backup, or not whole. */
export function decodeBackup(bytes: Buffer): BackupFile {
  try {
    const text = gunzipSync(bytes).toString('utf8')
    const end = text.lastIndexOf('\n', text.length - 2) + 1
    if (text.slice(end) !== `${sha256(text.slice(0, end))}\n`) throw new Error('its checksum does not fit')
    const [first = '', ...rest] = text.slice(0, end - 1).split('\n')
    const { cell, takenAt, epoch, sequence, documents, records: count } = header.parse(JSON.parse(first))
    const records = rest.map((each) => {
      const [table, key, value] = line.parse(JSON.parse(each))
      return { table, key, value }
    })
    if (records.length !== count) throw new Error('it does not have all records')
    return { cell, takenAt, backup: { epoch, sequence, documents, records } }
  } catch (cause) {
    throw new CliError(`This is no backup of Berth, or not a whole one: ${(cause as Error).message}`, { cause })
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
