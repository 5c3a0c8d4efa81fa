import { describe, expect, test } from 'vitest'
import { createGate, startGate, stopGate } from './dependency-order.ts'
import { type ContainerState, newTask, type TaskState } from './task-state.ts'
import { awsvpc, container, task } from './testing/task-builder.ts'

/** A task of `app`, which depends on `on` as told, with `on` in the state given. */
function given(spec: Parameters<typeof container>[1], on: Partial<ContainerState>, startTimeoutS = 0): TaskState {
  const state = newTask(task('t', [container('on', { startTimeoutS }), container('app', spec)]))
  return {
    ...state,
    containers: state.containers.map((each) => (each.name === 'on' ? { ...each, ...on } : each)),
  }
}

const app = (state: TaskState): ContainerState => state.containers.at(-1) as ContainerState

const created: Partial<ContainerState> = { status: 'CREATED', runtimeId: 'id' }
const runs: Partial<ContainerState> = { ...created, status: 'RUNNING', alive: true, launched: true, startedAt: 1000 }
const healthy: Partial<ContainerState> = { ...runs, health: 'HEALTHY' }
const ended = (exitCode: number): Partial<ContainerState> => ({ ...runs, status: 'STOPPED', alive: false, exitCode })
const neverRan: Partial<ContainerState> = { ...created, status: 'STOPPED' }

describe('a container may start', () => {
  test.each([
    ['START', created, 'closed'],
    ['START', runs, 'open'],
    ['START', ended(1), 'open'],
    ['START', neverRan, 'failed'],
    ['COMPLETE', runs, 'closed'],
    ['COMPLETE', ended(1), 'open'],
    ['COMPLETE', neverRan, 'failed'],
    ['SUCCESS', runs, 'closed'],
    ['SUCCESS', ended(0), 'open'],
    ['SUCCESS', ended(1), 'failed'],
    ['SUCCESS', neverRan, 'failed'],
    ['HEALTHY', runs, 'closed'],
    ['HEALTHY', healthy, 'open'],
    ['HEALTHY', ended(0), 'failed'],
    ['NONSENSE', runs, 'failed'],
  ])('%s of %j: %s', (condition, on, kind) => {
    const state = given({ dependsOn: [{ containerName: 'on', condition }] }, on)
    expect(startGate(app(state), state, 2000).kind).toBe(kind)
  })

  test('not on a container that there is not', () => {
    const state = given({ dependsOn: [{ containerName: 'nobody', condition: 'START' }] }, runs)
    expect(startGate(app(state), state, 2000).kind).toBe('failed')
  })

  test('until the dependency has had its time, from its own start', () => {
    const state = given({ dependsOn: [{ containerName: 'on', condition: 'HEALTHY' }] }, runs, 30)
    expect(startGate(app(state), state, 30_999)).toEqual({ kind: 'closed', until: 31_000 })
    expect(startGate(app(state), state, 31_000).kind).toBe('failed')
  })

  test('on the network of its task once that is up', () => {
    const state = newTask(task('t', [container('app')], awsvpc))
    expect([createGate(app(state), state).kind, startGate(app(state), state, 0).kind]).toEqual(['closed', 'closed'])
    const up = { ...state, containers: state.containers.map((each) => (each.isPause ? { ...each, ...created } : each)) }
    expect([createGate(app(up), up).kind, startGate(app(up), up, 0).kind]).toEqual(['open', 'closed'])
  })

  test.each([{ links: ['on:alias'] }, { volumesFrom: [{ sourceContainer: 'on' }] }])(
    'not even be created before what it names is: %j',
    (spec) => {
      const waiting = given(spec, {})
      expect(createGate(app(waiting), waiting).kind).toBe('closed')
      const there = given(spec, created)
      expect(createGate(app(there), there).kind).toBe('open')
      expect(startGate(app(there), there, 0).kind).toBe('links' in spec ? 'closed' : 'open')
    },
  )
})

describe('a container may stop', () => {
  test.each([
    { dependsOn: [{ containerName: 'on', condition: 'COMPLETE' }] },
    { links: ['on'] },
    { volumesFrom: [{ sourceContainer: 'on' }] },
  ])('only after those that depend on it: %j', (spec) => {
    const state = given(spec, runs)
    const on = state.containers[0] as ContainerState
    expect(stopGate(on, state).kind).toBe('closed')
    expect(stopGate(app(state), state).kind).toBe('open')
    const over = { ...state, containers: [on, { ...app(state), status: 'STOPPED' as const }] }
    expect(stopGate(on, over).kind).toBe('open')
  })
})
