import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@berth/shared/log.ts'
import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { openFileJournal } from './file-journal.ts'
import { assignmentOf, assignmentsOf, describeJournalContract, resultOf } from './journal-contract.ts'
import { type JournalFs, nodeJournalFs } from './journal-fs.ts'
import type { JournalRecord } from './journal-record.ts'
import { JournalFold } from './journal-state.ts'

const directories: string[] = []

async function freshPath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-journal-'))
  directories.push(directory)
  return join(directory, 'data', 'agent.journal')
}

afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true })
})

describeJournalContract('the journal in a file', async () => {
  const path = await freshPath()
  return { open: () => openFileJournal(nodeJournalFs, { path }, silentLog) }
})

describeJournalContract('the journal in a file that is compacted after every write', async () => {
  const path = await freshPath()
  return { open: () => openFileJournal(nodeJournalFs, { path, compactAtBytes: 1 }, silentLog) }
})

const anyRecord: fc.Arbitrary<JournalRecord> = fc.oneof(
  fc.record({
    kind: fc.constant('identity' as const),
    identity: fc.record({ hostId: fc.string(), containerInstanceArn: fc.string() }),
  }),
  fc
    .tuple(fc.nat(1000), fc.subarray(['a', 'b', 'c']), fc.subarray(['a', 'b', 'c']), fc.boolean(), fc.boolean())
    .map(([number, put, removeTaskArns, full, run]) =>
      assignmentsOf(
        number,
        put.map((arn) => assignmentOf(arn, run)),
        { full, removeTaskArns },
      ),
    ),
  fc.constantFrom('a', 'b', 'c').map((arn) => ({ kind: 'result' as const, result: resultOf(arn) })),
  fc.constantFrom('a', 'b', 'c').map((taskArn) => ({ kind: 'dropped' as const, taskArn })),
)

const stateAfter = (records: readonly JournalRecord[]) => {
  const fold = new JournalFold()
  for (const record of records) fold.add(record)
  return plain(fold)
}
const plain = ({ identity, held, tasks }: JournalFold | Awaited<ReturnType<typeof openFileJournal>>['state']) => ({
  identity,
  held,
  tasks: new Map(tasks),
})

describe('a journal cut anywhere', () => {
  test('replays to the state after some first part of what was written, and goes on from there', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRecord, { maxLength: 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (records, at) => {
          const disk = memoryFs()
          const journal = await openFileJournal(disk.fs, { path: 'j' }, silentLog)
          for (const record of records) await journal.append(record)
          const whole = disk.bytes('j')
          disk.put('j', whole.slice(0, Math.floor(at * (whole.length + 1))))

          const again = await openFileJournal(disk.fs, { path: 'j' }, silentLog)
          const prefixes = records.map((_, count) => stateAfter(records.slice(0, count + 1)))
          const kept = [stateAfter([]), ...prefixes]
          expect(kept).toContainEqual(plain(again.state))

          const before = plain(again.state)
          const added: JournalRecord = { kind: 'identity', identity: { hostId: 'after', containerInstanceArn: '' } }
          await again.append(added)
          const last = await openFileJournal(disk.fs, { path: 'j' }, silentLog)
          expect(plain(last.state)).toEqual({ ...before, identity: added.identity })
        },
      ),
      { numRuns: 200 },
    )
  })

  test('loses nothing when it is whole, compacted or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRecord, { maxLength: 20 }),
        fc.constantFrom(1, 600, 1 << 20),
        async (records, compactAtBytes) => {
          const disk = memoryFs()
          const journal = await openFileJournal(disk.fs, { path: 'j', compactAtBytes }, silentLog)
          for (const record of records) await journal.append(record)
          await journal.close()
          const again = await openFileJournal(disk.fs, { path: 'j' }, silentLog)
          expect(plain(again.state)).toEqual(stateAfter(records))
        },
      ),
      { numRuns: 200 },
    )
  })

  test('stops at a damaged record', async () => {
    const path = await freshPath()
    const journal = await openFileJournal(nodeJournalFs, { path }, silentLog)
    await journal.append(assignmentsOf(1, []))
    await journal.append(assignmentsOf(2, []))
    await journal.close()
    const bytes = await readFile(path)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
    await writeFile(path, bytes)
    const again = await openFileJournal(nodeJournalFs, { path }, silentLog)
    expect(again.state.held.number).toBe(1)
    await again.close()
  })

  test('a file that is something else is not touched', async () => {
    const path = await freshPath()
    await (await openFileJournal(nodeJournalFs, { path }, silentLog)).close()
    await writeFile(path, 'somebody else wrote this')
    await expect(openFileJournal(nodeJournalFs, { path }, silentLog)).rejects.toThrow('not a journal')
    expect(await readFile(path, 'utf8')).toBe('somebody else wrote this')
  })
})

describe('a journal on a disk that fails', () => {
  test('a full disk refuses what it cannot take, and takes more once there is room', async () => {
    const disk = memoryFs()
    const journal = await openFileJournal(disk.fs, { path: 'j' }, silentLog)
    await journal.append(assignmentsOf(1, []))
    disk.faults.room = disk.bytes('j').length + 5
    await expect(journal.append(assignmentsOf(2, []))).rejects.toThrow('cannot be written')
    expect(journal.state.held.number).toBe(1)
    disk.faults.room = Infinity
    await journal.append(assignmentsOf(3, []))
    expect((await openFileJournal(disk.fs, { path: 'j' }, silentLog)).state.held.number).toBe(3)
  })

  test('takes nothing more after a sync that failed', async () => {
    const disk = memoryFs()
    const broken: string[] = []
    const onBroken = ({ message }: Error) => broken.push(message)
    const journal = await openFileJournal(disk.fs, { path: 'j', onBroken }, silentLog)
    disk.faults.sync = true
    await expect(journal.append(assignmentsOf(1, []))).rejects.toThrow('could not be brought to the disk')
    disk.faults.sync = false
    await expect(journal.append(assignmentsOf(2, []))).rejects.toThrow('must start again')
    expect(journal.state.held.number).toBe(0)
    expect(broken).toEqual([expect.stringContaining('must start again')])
  })

  test('one sync serves all that were appended together', async () => {
    const disk = memoryFs()
    const journal = await openFileJournal(disk.fs, { path: 'j' }, silentLog)
    const before = disk.faults.syncs
    await Promise.all(Array.from({ length: 100 }, (_, number) => journal.append(assignmentsOf(number, []))))
    expect(disk.faults.syncs - before).toBe(1)
  })
})

/** A disk in memory whose faults can be chosen: `room` is the longest that a file may become. */
function memoryFs() {
  const inodes = new Map<string, { bytes: Uint8Array }>()
  const faults = { room: Infinity, sync: false, syncs: 0 }
  const inodeOf = (path: string) => inodes.get(path) ?? { bytes: new Uint8Array() }
  const fs: JournalFs = {
    async open(path, how) {
      const inode = inodeOf(path)
      inodes.set(path, inode)
      if (how === 'empty') inode.bytes = new Uint8Array()
      return {
        readAll: async () => inode.bytes.slice(),
        async write(bytes, position) {
          const fits = Math.min(bytes.length, Math.max(0, faults.room - position))
          const next = new Uint8Array(Math.max(inode.bytes.length, position + fits))
          next.set(inode.bytes)
          next.set(bytes.subarray(0, fits), position)
          inode.bytes = next
          if (fits < bytes.length) throw new Error('ENOSPC')
        },
        async truncate(length) {
          inode.bytes = inode.bytes.slice(0, length)
        },
        async sync() {
          faults.syncs += 1
          if (faults.sync) throw new Error('EIO')
        },
        async close() {},
      }
    },
    async replace(from, to) {
      inodes.set(to, inodeOf(from))
      inodes.delete(from)
    },
  }
  return {
    fs,
    faults,
    bytes: (path: string) => inodeOf(path).bytes.slice(),
    put: (path: string, bytes: Uint8Array) => inodes.set(path, { bytes }),
  }
}
