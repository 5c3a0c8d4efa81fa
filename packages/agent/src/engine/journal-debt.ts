import { sleep } from '@berth/shared/clock.ts'
import { backoffDelay } from '@berth/shared/backoff.ts'
import type { JournalRecord } from '../journal/journal-record.ts'
import { type EngineDeps, engineBackoff } from './engine-deps.ts'

/** What is written without being waited for, since until it is on disk the runtime's list says the same. */
type UnawaitedRecord = Extract<JournalRecord, { kind: 'result' | 'dropped' }>

const keyOf = (record: UnawaitedRecord): string =>
  `${record.kind} ${record.kind === 'result' ? record.result.taskArn : record.taskArn}`

/**
 * What the journal did not take, as while the disk is full: the newest word of each task, written again with a growing pause
 * until the journal takes it. As long as something is owed the host can promise nothing, and says so.
 */
export class JournalDebt {
  readonly #deps: EngineDeps
  readonly #signal: AbortSignal
  readonly #owed = new Map<string, UnawaitedRecord>()
  #message = ''
  #paying = false

  constructor(deps: EngineDeps, signal: AbortSignal) {
    this.#deps = deps
    this.#signal = signal
  }

  /** Why the journal was not written last; empty while it is. */
  get message(): string {
    return this.#message
  }

  /** Writes a record, now or as soon as the journal takes it. */
  write(record: UnawaitedRecord): void {
    if (this.#owed.size > 0) this.#owed.delete(keyOf(record))
    this.#deps.journal.append(record).then(
      () => this.wrote(),
      (error: unknown) => {
        if (!this.#owed.has(keyOf(record))) this.#owed.set(keyOf(record), record)
        this.failed(error)
        this.#payBack()
      },
    )
  }

  /** The journal took something. */
  wrote(): void {
    if (this.#owed.size > 0 || this.#message === '') return
    this.#deps.log.info('The journal is written again.')
    this.#message = ''
  }

  /** The journal did not take something. */
  failed(error: unknown): void {
    if (this.#signal.aborted) return
    if (this.#message === '') this.#deps.log.error('The journal cannot be written.', { error })
    this.#message = error instanceof Error ? error.message : String(error)
  }

  #payBack(): void {
    if (this.#paying) return
    this.#paying = true
    this.#payUntilNothingIsOwed().catch((error: unknown) => {
      if (!this.#signal.aborted) this.#deps.log.error('What the journal did not take is not written again.', { error })
    })
  }

  async #payUntilNothingIsOwed(): Promise<void> {
    const { clock, random, journal } = this.#deps
    for (let attempt = 0; this.#owed.size > 0; attempt++) {
      await sleep(clock, 1 + backoffDelay(attempt, engineBackoff, random), this.#signal)
      try {
        for (const [key, record] of this.#owed) {
          await journal.append(record)
          if (this.#owed.get(key) === record) this.#owed.delete(key)
        }
      } catch (error) {
        this.failed(error)
      }
    }
    this.#paying = false
    this.wrote()
  }
}
