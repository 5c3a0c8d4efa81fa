import type { JournalRecord } from './journal-record.ts'
import { JournalFold } from './journal-state.ts'
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
    },
    async close() {
      condition = 'closed'
    },
    crash() {
      condition = 'crashed'
    },
  }
}
