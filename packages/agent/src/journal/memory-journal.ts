import type { JournalRecord } from './journal-record.ts'
import { JournalFold, snapshotRecords } from './journal-state.ts'
import type { Journal } from './journal.ts'

/** A disk in memory, which outlives the agents that write on it. */
export interface MemoryDisk {
  readonly records: JournalRecord[]
  /** Whether nothing more fits on it. */
  isFull: boolean
}

export const memoryDisk = (): MemoryDisk => ({ records: [], isFull: false })

/** A journal on a disk in memory, for labs and simulations. */
export interface MemoryJournal extends Journal {
  /** The agent dies: what it appends from now on reaches nobody, and nothing of it resolves. */
  crash(): void
}

/** Records that are worth keeping as they came; a snapshot has one for each task, and a few. */
const mostRecords = (tasks: number): number => 64 + 1.25 * tasks

/** As a journal on a real disk: what is out of date goes, so that a host which runs for long does not grow. */
function compact({ records }: MemoryDisk, state: JournalFold): void {
  records.splice(0, records.length, ...snapshotRecords(state))
}

/** Opens the journal on `disk`, replayed. */
export function openMemoryJournal(disk: MemoryDisk): MemoryJournal {
  const state = new JournalFold()
  for (const record of disk.records) state.add(record)
  let condition: 'open' | 'closed' | 'crashed' = 'open'
  return {
    state,
    async append(record) {
      if (condition === 'closed') throw new Error('The journal is closed.')
      if (condition === 'crashed') await new Promise<never>(() => {})
      if (disk.isFull) throw new Error('The journal cannot be written.')
      disk.records.push(record)
      state.add(record)
      if (disk.records.length > mostRecords(state.tasks.size)) compact(disk, state)
    },
    async close() {
      condition = 'closed'
    },
    crash() {
      condition = 'crashed'
    },
  }
}
