import { describeJournalContract } from './journal-contract.ts'
import { memoryDisk, openMemoryJournal } from './memory-journal.ts'

describeJournalContract('the journal in memory', async () => {
  const disk = memoryDisk()
  return { open: async () => openMemoryJournal(disk) }
})
