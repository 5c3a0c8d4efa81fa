import type { JournalRecord } from './journal-record.ts'
import type { JournalState } from './journal-state.ts'

/**
 * What this host has promised, and what became of it: append-only, and there again after a crash. Records are folded into
 * `state` in the order in which they were appended.
 */
export interface Journal {
  /** What all records that are durable amount to. */
  readonly state: JournalState
  /**
   * Resolves once the record is on disk, and all that were appended before it.
   *
   * @throws Error when it could not be written: then it is not part of the journal, nor will it be after a restart.
   */
  append(record: JournalRecord): Promise<void>
  /** Resolves when everything appended so far is durable or was refused; takes no more. */
  close(): Promise<void>
}
