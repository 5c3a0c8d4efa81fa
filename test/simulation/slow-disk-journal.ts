import type { Journal } from '@berth/agent/journal/journal.ts'
import type { JournalRecord } from '@berth/agent/journal/journal-record.ts'
import { JournalFold } from '@berth/agent/journal/journal-state.ts'
import type { MemoryDisk } from '@berth/agent/journal/memory-journal.ts'
import type { Clock } from '@berth/shared/clock.ts'
import { type Random, randomBelow } from '@berth/shared/random.ts'

/** A journal whose writes take time to reach the disk, and are torn off somewhere when the power goes. */
export interface SlowDiskJournal extends Journal {
  /** The agent dies: of what was not yet confirmed, a first part is on disk and the rest is not. Returns how many records are lost. */
  crash(): number
}

/** How long a write may take, in ms. */
const slowestWriteMs = 8

export function openSlowDiskJournal(disk: MemoryDisk, clock: Clock, random: Random): SlowDiskJournal {
  const state = new JournalFold()
  for (const record of disk.records) state.add(record)
  const pending: { record: JournalRecord; resolve: () => void }[] = []
  let writing = false
  let crashed = false

  const write = () => {
    if (writing || pending.length === 0) return
    writing = true
    const count = pending.length
    clock.after(randomBelow(random, slowestWriteMs), () => {
      if (crashed) return
      writing = false
      for (const { record, resolve } of pending.splice(0, count)) {
        disk.records.push(record)
        state.add(record)
        resolve()
      }
      write()
    })
  }

  return {
    state,
    append: (record) =>
      new Promise((resolve) => {
        if (crashed) return
        pending.push({ record, resolve })
        write()
      }),
    close: async () => {},
    crash() {
      crashed = true
      const written = randomBelow(random, pending.length + 1)
      for (const { record } of pending.slice(0, written)) disk.records.push(record)
      return pending.length - written
    },
  }
}
