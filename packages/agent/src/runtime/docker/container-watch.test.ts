import { expect, it } from 'vitest'
import { containerEvent, oomVictim } from './container-watch.ts'

const line = (Action: string, attributes: Readonly<Record<string, string>> = {}) => ({
  Type: 'container',
  Action,
  Actor: {
    ID: 'c1',
    Attributes: {
      'com.amazonaws.ecs.task-arn': 'arn:task',
      'com.amazonaws.ecs.container-name': 'main',
      image: 'busybox',
      ...attributes,
    },
  },
})

it.each([
  ['create', {}, { kind: 'created' }],
  ['start', {}, { kind: 'started' }],
  ['die', { exitCode: '137' }, { kind: 'died', exitCode: 137 }],
  ['die', {}, { kind: 'died' }],
  ['destroy', {}, { kind: 'removed' }],
  ['health_status: healthy', {}, { kind: 'health', health: 'HEALTHY' }],
  ['health_status: unhealthy', {}, { kind: 'health', health: 'UNHEALTHY' }],
])('%s %o', (action, attributes, expected) => {
  const event = containerEvent(line(action, attributes))
  expect(event).toEqual({ runtimeId: 'c1', taskArn: 'arn:task', containerName: 'main', ...expected })
})

it.each(['exec_create: /bin/true', 'attach', 'oom', 'rename'])('%s tells nothing', (action) => {
  expect(containerEvent(line(action))).toBeUndefined()
})

it('is not disturbed by a line of another kind', () => {
  expect(containerEvent({})).toBeUndefined()
})

it('a container that ran out of memory is told of by its id', () => {
  expect(oomVictim(line('oom'))).toBe('c1')
  expect(oomVictim(line('die', { exitCode: '137' }))).toBeUndefined()
})
