import { describe, expect, test } from 'vitest'
import { planTask } from './container-transition.ts'
import { settleTask, statusNow, stopDecision } from './task-progress.ts'
import { type ContainerState, newTask, restoredTask, taskResult, type TaskState } from './task-state.ts'
import { awsvpc, container, task } from './testing/task-builder.ts'

const runs: Partial<ContainerState> = { status: 'RUNNING', runtimeId: 'id', alive: true, launched: true }
const created: Partial<ContainerState> = { status: 'CREATED', runtimeId: 'id' }
const ended: Partial<ContainerState> = { ...runs, status: 'STOPPED', alive: false, exitCode: 1 }
const neverRan: Partial<ContainerState> = { status: 'STOPPED', reason: 'CannotPullContainerError: no' }
const stop = { code: 'UserInitiated', reason: 'asked for' }

/** A task of two containers, `app` and a `side` that is not essential, in these states. */
function given(app: Partial<ContainerState>, side: Partial<ContainerState>, over: Partial<TaskState> = {}): TaskState {
  const state = newTask(task('t', [container('app'), container('side', { essential: false })]))
  const [first, second] = state.containers as [ContainerState, ContainerState]
  return {
    ...state,
    containers: [
      { ...first, ...app },
      { ...second, ...side },
    ],
    ...over,
  }
}

describe('the status of a task', () => {
  test.each([
    ['PENDING', {}, {}, {}],
    ['PENDING', runs, created, {}],
    ['RUNNING', runs, runs, {}],
    ['RUNNING', runs, ended, {}],
    ['RUNNING', runs, neverRan, {}],
    ['DEACTIVATING', runs, runs, { stop }],
    ['STOPPING', { ...runs, operation: 'stop' as const }, runs, { stop }],
    ['STOPPING', ended, runs, { stop }],
    ['STOPPING', { ...ended, alive: true }, ended, { stop }],
    ['STOPPING', { ...ended, unsure: true }, ended, { stop }],
    ['STOPPED', ended, ended, { stop }],
    ['STOPPED', neverRan, ended, { stop }],
  ])('is %s', (status, app, side, over) => {
    expect(statusNow(given(app, side, over))).toBe(status)
  })

  test('with a network of its own is ACTIVATING before and DEPROVISIONING after', () => {
    const state = newTask(task('t', [container('app')], awsvpc))
    expect(statusNow(state)).toBe('ACTIVATING')
    const over = {
      ...state,
      stop,
      containers: state.containers.map((each) => ({ ...each, ...(each.isPause ? runs : ended) })),
    }
    expect(statusNow(over)).toBe('DEPROVISIONING')
  })

  test('never goes back', () => {
    const state = settleTask(given(runs, runs), 5)
    expect(state).toMatchObject({ status: 'RUNNING', times: { startedAt: 5 } })
    const later = settleTask({ ...state, containers: given(created, created).containers }, 9)
    expect(later).toMatchObject({ status: 'RUNNING', times: { startedAt: 5 } })
  })
})

describe('a task must stop', () => {
  test.each([
    [
      'when its essential container ended',
      ended,
      runs,
      'EssentialContainerExited',
      'Essential container in task exited',
    ],
    ['when its essential container never ran', neverRan, runs, 'TaskFailedToStart', 'CannotPullContainerError: no'],
    [
      'when it never ran, without a reason',
      { ...neverRan, reason: '' },
      {},
      'TaskFailedToStart',
      'Task failed to start',
    ],
  ])('%s', (_name, app, side, code, reason) => {
    expect(stopDecision(given(app, side))).toEqual({ code, reason })
  })

  test('when it is told to, with the reason that it is told', () => {
    const assignment = task('t', [container('app')], { shouldRun: false, stopReason: 'because' })
    expect(stopDecision(newTask(assignment))).toEqual({ code: 'UserInitiated', reason: 'because' })
  })

  test('not when another container ended', () => {
    expect(stopDecision(given(runs, ended))).toBeUndefined()
  })

  test('gives up what has not started, but for what is being started', () => {
    const state = settleTask(given(created, { ...created, operation: 'start' }, { stop }), 1)
    expect(state.containers.map((each) => each.status)).toEqual(['STOPPED', 'CREATED'])
    expect(state.status).toBe('STOPPING')
  })
})

describe('what is to be done', () => {
  const actions = (state: TaskState) =>
    planTask(state, 0).actions.map(({ container, operation }) => `${operation} ${container.name}`)

  test.each([
    ['at first', given({}, {}), ['pull app', 'pull side']],
    ['when pulled', given({ status: 'PULLED' }, {}), ['create app', 'pull side']],
    ['when created', given(created, { status: 'PULLED', operation: 'create' }), ['start app']],
    ['when it runs', given(runs, runs), []],
    ['when one must be looked at', given({ ...runs, unsure: true }, runs), ['inspect app']],
    ['when one is to run again', given({ ...runs, alive: false, restarting: true }, runs), ['start app']],
    ['to stop', given(runs, runs, { stop }), ['stop app', 'stop side']],
    ['to stop what is being stopped', given({ ...runs, operation: 'stop' }, ended, { stop }), []],
    ['to stop what somebody started', given(ended, { ...ended, alive: true }, { stop }), ['stop side']],
    ['after its end', given(ended, ended, { stop }), []],
  ])('%s', (_name, state, expected) => {
    expect(actions(state)).toEqual(expected)
  })
})

test('a task that is restored from its result is what it was, but for what is under way and what only the list knows', () => {
  const state = settleTask(given({ ...runs, exitCode: 4, reason: 'r', startedAt: 7, restartCount: 2 }, ended), 3)
  const restored = restoredTask(state.assignment, taskResult(state))
  expect(restored).toEqual({ ...state, containers: state.containers.map((each) => ({ ...each, alive: false })) })
})
