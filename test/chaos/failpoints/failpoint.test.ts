import { memoryDisk, openMemoryJournal } from '@berth/agent/journal/memory-journal.ts'
import { expect, test } from 'vitest'
import { failpointNames } from './failpoint-names.ts'
import { journalReaching, killAt } from './failpoint.ts'

test('there are at least forty places to die at, each by one name', () => {
  expect(failpointNames.length).toBeGreaterThanOrEqual(40)
  expect(new Set(failpointNames).size).toBe(failpointNames.length)
})

test('a name that there is not is refused, so that no run dies nowhere and counts as green', () => {
  expect(() => killAt('journal.assignment:before')).toThrow('there is no failpoint journal.assignment:before')
})

test('a place is reached before and after what it is named for', async () => {
  const reached: string[] = []
  const disk = memoryDisk()
  const journal = journalReaching((name) => reached.push(`${name} with ${disk.records.length} on the disk`))(
    openMemoryJournal(disk),
  )
  await journal.append({ kind: 'dropped', taskArn: 'a' })
  expect(reached).toEqual(['journal.dropped:before with 0 on the disk', 'journal.dropped:after with 1 on the disk'])
})
