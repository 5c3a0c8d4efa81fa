import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { retireJournal } from './retired-journal.ts'

test('the journals of deregistered hosts are put aside one after the other, and none is lost', () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-retired-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  retireJournal(directory)
  for (const content of ['first', 'second']) {
    writeFileSync(join(directory, 'agent.journal'), content)
    retireJournal(directory)
    expect(existsSync(join(directory, 'agent.journal'))).toBe(false)
  }
  expect(existsSync(join(directory, 'agent.journal.deregistered-1'))).toBe(true)
  expect(existsSync(join(directory, 'agent.journal.deregistered-2'))).toBe(true)
})
