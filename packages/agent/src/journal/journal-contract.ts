import { ContainerSpec, TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { afterEach, describe, expect, test } from 'vitest'
import type { JournalRecord, TaskResult } from './journal-record.ts'
import type { Journal } from './journal.ts'

/** A place where a journal is kept, so that it can be opened again after its agent is gone. */
export interface JournalPlace {
  open(): Promise<Journal>
}

export const assignmentOf = (taskArn: string, shouldRun = true): TaskAssignment =>
  TaskAssignment.create({
    taskArn,
    family: 'web',
    revision: 3,
    shouldRun,
    stopReason: shouldRun ? '' : 'Task stopped by user',
    containers: [ContainerSpec.create({ name: 'app', image: 'app:latest', essential: true })],
  })

export const resultOf = (taskArn: string): TaskResult => ({
  taskArn,
  status: 'RUNNING',
  stopCode: '',
  stoppedReason: '',
  times: { pullStartedAt: 1, pullStoppedAt: 2, startedAt: 3, stoppingAt: 0, executionStoppedAt: 0, stoppedAt: 0 },
  containers: [],
  cleaned: false,
})

export const assignmentsOf = (
  number: number,
  put: readonly TaskAssignment[],
  over: { full?: boolean; removeTaskArns?: readonly string[] } = {},
): JournalRecord => ({
  kind: 'assignments',
  revision: { epoch: 1, number },
  full: over.full ?? false,
  put,
  removeTaskArns: over.removeTaskArns ?? [],
})

/** Declares the tests that every `Journal` must pass. */
export function describeJournalContract(name: string, makePlace: () => Promise<JournalPlace>): void {
  describe(`${name} keeps the journal's contract`, () => {
    const opened: Journal[] = []
    const place = async (): Promise<JournalPlace> => {
      const made = await makePlace()
      return {
        async open() {
          const journal = await made.open()
          opened.push(journal)
          return journal
        },
      }
    }
    afterEach(async () => {
      for (const journal of opened.splice(0)) await journal.close()
    })

    test('a new one knows nothing', async () => {
      const { state } = await (await place()).open()
      expect(state.identity).toBeUndefined()
      expect(state.held).toEqual({ epoch: 0, number: 0 })
      expect(state.tasks.size).toBe(0)
    })

    test('what was appended is there at once and after it was opened again', async () => {
      const kept = await place()
      const journal = await kept.open()
      await journal.append({ kind: 'identity', identity: { hostId: 'h', containerInstanceArn: 'arn' } })
      await journal.append(assignmentsOf(1, [assignmentOf('a'), assignmentOf('b')], { full: true }))
      await journal.append({ kind: 'result', result: resultOf('a') })
      const before = { ...journal.state, tasks: new Map(journal.state.tasks) }
      await journal.close()
      const { state } = await kept.open()
      for (const each of [before, state]) {
        expect(each.identity).toEqual({ hostId: 'h', containerInstanceArn: 'arn' })
        expect(each.held).toEqual({ epoch: 1, number: 1 })
        expect(each.tasks).toEqual(
          new Map([
            ['a', { assignment: assignmentOf('a'), result: resultOf('a'), released: false }],
            ['b', { assignment: assignmentOf('b'), released: false }],
          ]),
        )
      }
    })

    test('keeps the order of what was appended at once', async () => {
      const kept = await place()
      const journal = await kept.open()
      await Promise.all([1, 2, 3, 4, 5].map((number) => journal.append(assignmentsOf(number, []))))
      expect(journal.state.held.number).toBe(5)
      await journal.close()
      expect((await kept.open()).state.held.number).toBe(5)
    })

    test('a full set releases the tasks that it does not have, and stops them', async () => {
      const journal = await (await place()).open()
      await journal.append(assignmentsOf(1, [assignmentOf('a'), assignmentOf('b')], { full: true }))
      await journal.append(assignmentsOf(2, [assignmentOf('b')], { full: true }))
      expect(journal.state.tasks.get('a')).toMatchObject({ released: true, assignment: { shouldRun: false } })
      expect(journal.state.tasks.get('b')).toMatchObject({ released: false, assignment: { shouldRun: true } })
    })

    test('a delta releases the tasks that it names', async () => {
      const journal = await (await place()).open()
      await journal.append(assignmentsOf(1, [assignmentOf('a'), assignmentOf('b')], { full: true }))
      await journal.append(assignmentsOf(2, [], { removeTaskArns: ['a', 'unheard-of'] }))
      expect([...journal.state.tasks].map(([arn, task]) => [arn, task.released])).toEqual([
        ['a', true],
        ['b', false],
      ])
    })

    test('a task that was to stop is not made to run again', async () => {
      const journal = await (await place()).open()
      await journal.append(assignmentsOf(1, [assignmentOf('a', false)]))
      await journal.append(assignmentsOf(2, [assignmentOf('a', true)]))
      expect(journal.state.tasks.get('a')?.assignment).toMatchObject({
        shouldRun: false,
        stopReason: 'Task stopped by user',
      })
    })

    test('forgets a task that was dropped', async () => {
      const kept = await place()
      const journal = await kept.open()
      await journal.append(assignmentsOf(1, [assignmentOf('a')]))
      await journal.append({ kind: 'dropped', taskArn: 'a' })
      await journal.append({ kind: 'result', result: resultOf('a') })
      await journal.close()
      expect((await kept.open()).state.tasks.size).toBe(0)
    })

    test('takes nothing once it is closed', async () => {
      const journal = await (await place()).open()
      await journal.close()
      await expect(journal.append({ kind: 'dropped', taskArn: 'a' })).rejects.toThrow('closed')
    })
  })
}
