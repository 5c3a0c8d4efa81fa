import { crc32 } from 'node:zlib'

/** What a journal file begins with: a name and a version of its format. */
export const journalMagic: Uint8Array = new TextEncoder().encode('BERTHJ1\n')

/** Length and checksum, each a little-endian 32-bit number. */
const headerBytes = 8
/** No record is longer: a length beyond it is not one. 256 MiB. */
const maxRecordBytes = 2 ** 28

/** Records one after another, each behind its length and the CRC-32 of its bytes. */
export function frameRecords(records: readonly Uint8Array[]): Uint8Array {
  const framed = new Uint8Array(records.reduce((sum, record) => sum + headerBytes + record.length, 0))
  const view = new DataView(framed.buffer)
  let offset = 0
  for (const record of records) {
    view.setUint32(offset, record.length, true)
    view.setUint32(offset + 4, crc32(record), true)
    framed.set(record, offset + headerBytes)
    offset += headerBytes + record.length
  }
  return framed
}

/** The records of `bytes` from `start` on, up to the first that is torn or damaged, and where that one begins. */
export function readRecords(bytes: Uint8Array, start: number): { records: Uint8Array[]; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records: Uint8Array[] = []
  let offset = start
  while (offset + headerBytes <= bytes.length) {
    const length = view.getUint32(offset, true)
    const next = offset + headerBytes + length
    if (length === 0 || length > maxRecordBytes || next > bytes.length) break
    const record = bytes.subarray(offset + headerBytes, next)
    if (crc32(record) !== view.getUint32(offset + 4, true)) break
    records.push(record)
    offset = next
  }
  return { records, end: offset }
}
