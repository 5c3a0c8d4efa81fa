import { describe, expect, it } from 'vitest'
import { type ContainerSnapshot, RuntimeError } from '../runtime/container-runtime.ts'
import { exitReason, failureReason, volumeFailureReason } from './container-reason.ts'

describe('the reason of a container that could not be run', () => {
  const refused = new RuntimeError('refused', 'no such thing')
  it.each([
    ['pull', refused, 'CannotPullContainerError: no such thing'],
    ['create', refused, 'CannotCreateContainerError: no such thing'],
    ['start', refused, 'CannotStartContainerError: no such thing'],
    ['start', 'a text', 'CannotStartContainerError: a text'],
    [
      'start',
      new RuntimeError('timeout', 'timeout after 3m0s'),
      'DockerTimeoutError: Could not transition to started; timeout after 3m0s',
    ],
  ] as const)('%s of %o', (operation, error, reason) => {
    expect(failureReason(operation, error)).toBe(reason)
  })

  it('of a volume that could not be made', () => {
    expect(volumeFailureReason(new Error('no space'))).toBe('CannotCreateVolumeError: no space')
  })
})

describe('the reason of a container that ended', () => {
  const ended = (over: Partial<ContainerSnapshot>): ContainerSnapshot => ({
    runtimeId: 'c',
    taskArn: 'arn:task',
    containerName: 'app',
    runtimeName: 'ecs-web-1-task-app',
    state: 'exited',
    exitCode: 137,
    oomKilled: false,
    error: '',
    health: 'UNKNOWN',
    imageId: 'image',
    ports: [],
    restartCount: 0,
    ...over,
  })
  it.each([
    [{ oomKilled: true }, 'OutOfMemoryError: Container killed due to memory usage'],
    [{ oomKilled: true, exitCode: 0 }, ''],
    [{}, ''],
    [{ exitCode: 128, error: 'no such program' }, 'CannotStartContainerError: no such program'],
  ])('%j', (over, reason) => {
    expect(exitReason(ended(over))).toBe(reason)
  })
})
