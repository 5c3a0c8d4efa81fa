import type { Log } from '@berth/shared/log.ts'
import type { JournalFile, JournalFs } from './journal-fs.ts'
import { decodeRecord, encodeRecord, type JournalRecord } from './journal-record.ts'
import { JournalFold, snapshotRecords } from './journal-state.ts'
import type { Journal } from './journal.ts'
import { frameRecords, journalMagic, readRecords } from './record-framing.ts'

export interface FileJournalOptions {
  readonly path: string
  /** The file is rewritten once it is this many bytes and at least twice what it was after the last rewrite. */
  readonly compactAtBytes?: number
  /** Called once when it is not known any more what is on the disk: nothing is taken until the journal is opened anew. */
  readonly onBroken?: (error: Error) => void
}

interface Waiting {
  readonly record: JournalRecord
  readonly bytes: Uint8Array
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

const defaultCompactAtBytes = 1 << 20

/**
 * Opens the journal at `path`, replays it, and cuts off a torn tail, which is what a crash in the middle of a write leaves.
 * Nothing in a torn tail was ever acknowledged.
 *
 * @throws Error when the file cannot be opened, is no journal, or was written by an agent that knows more.
 */
export async function openFileJournal(fs: JournalFs, options: FileJournalOptions, log: Log): Promise<Journal> {
  const file = await fs.open(options.path, 'keep')
  const bytes = await file.readAll()
  const fold = new JournalFold()
  if (bytes.length < journalMagic.length) {
    await file.truncate(0)
    await file.write(journalMagic, 0)
    await file.sync()
    return new FileJournal(fs, options, log, fold, file, journalMagic.length)
  }
  if (journalMagic.some((byte, index) => bytes[index] !== byte)) {
    throw new Error(`${options.path} is not a journal of this version of the agent.`)
  }
  const { records, end } = readRecords(bytes, journalMagic.length)
  for (const record of records) fold.add(decodeRecord(record))
  if (end < bytes.length) {
    log.warn('The journal ended in the middle of a record, as after a crash: cut it there.', {
      path: options.path,
      cutBytes: bytes.length - end,
    })
    await file.truncate(end)
    await file.sync()
  }
  return new FileJournal(fs, options, log, fold, file, end)
}

/** Writes batches: all that was appended while the last batch was on its way to the disk shares the next write and sync. */
class FileJournal implements Journal {
  readonly state: JournalFold
  readonly #fs: JournalFs
  readonly #path: string
  readonly #compactAtBytes: number
  readonly #log: Log
  readonly #onBroken: (error: Error) => void
  #file: JournalFile
  #length: number
  #compactedLength: number
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #broken: Error | undefined
  #closed = false

  constructor(
    fs: JournalFs,
    options: FileJournalOptions,
    log: Log,
    state: JournalFold,
    file: JournalFile,
    length: number,
  ) {
    this.state = state
    this.#fs = fs
    this.#path = options.path
    this.#compactAtBytes = options.compactAtBytes ?? defaultCompactAtBytes
    this.#log = log
    this.#onBroken = options.onBroken ?? (() => {})
    this.#file = file
    this.#length = length
    this.#compactedLength = length
  }

  append(record: JournalRecord): Promise<void> {
    if (this.#broken) return Promise.reject(this.#broken)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, bytes: encodeRecord(record), resolve, reject })
      this.#writing ??= this.#writeAll()
    })
  }

  async close(): Promise<void> {
    while (this.#writing) await this.#writing
    if (this.#closed) return
    this.#closed = true
    this.#broken ??= new Error('The journal is closed.')
    await this.#file.close()
  }

  async #writeAll(): Promise<void> {
    // What is appended in the same turn of the event loop belongs into the same batch.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      await this.#writeBatch(batch)
      await this.#compactIfDue()
    }
    this.#writing = undefined
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    const error = this.#broken ?? (await this.#write(frameRecords(batch.map((each) => each.bytes))))
    for (const each of batch) {
      if (error) {
        each.reject(error)
      } else {
        this.state.add(each.record)
        each.resolve()
      }
    }
  }

  async #write(bytes: Uint8Array): Promise<Error | undefined> {
    try {
      await this.#file.write(bytes, this.#length)
    } catch (cause) {
      const error = new Error('The journal cannot be written.', { cause })
      await this.#cutBack(error)
      return error
    }
    try {
      await this.#file.sync()
    } catch (cause) {
      // Linux forgets what it could not write once it has said so; what is on the disk now is known only by reading it anew.
      return this.#break(
        new Error('The journal could not be brought to the disk: the agent must start again.', { cause }),
      )
    }
    this.#length += bytes.length
    return undefined
  }

  /** Takes back the part of a batch that was written before the disk was full, so that the next batch follows good records. */
  async #cutBack(error: Error): Promise<void> {
    try {
      await this.#file.truncate(this.#length)
    } catch {
      this.#break(error)
    }
  }

  #break(error: Error): Error {
    this.#broken = error
    this.#onBroken(error)
    return error
  }

  async #compactIfDue(): Promise<void> {
    if (this.#broken || this.#length < Math.max(this.#compactAtBytes, 2 * this.#compactedLength)) return
    const path = `${this.#path}.new`
    const bytes = frameRecords(snapshotRecords(this.state).map(encodeRecord))
    this.#compactedLength = journalMagic.length + bytes.length
    let file: JournalFile | undefined
    try {
      file = await this.#fs.open(path, 'empty')
      await file.write(journalMagic, 0)
      await file.write(bytes, journalMagic.length)
      await file.sync()
    } catch (error) {
      this.#log.warn('The journal could not be compacted; it goes on growing.', { path: this.#path, error })
      await file?.close().catch(() => undefined)
      return
    }
    const old = this.#file
    this.#file = file
    this.#length = this.#compactedLength
    try {
      await this.#fs.replace(path, this.#path)
      await old.close()
    } catch (cause) {
      this.#break(new Error('It is not known which journal is on the disk: the agent must start again.', { cause }))
    }
  }
}
