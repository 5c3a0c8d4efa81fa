import { NetworkMode } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { expect, test } from 'vitest'
import { admit } from './admission.ts'
import { container, task } from './testing/task-builder.ts'

const rules = { allowsPrivileged: true }
const withPort = (name: string, hostPort: number, protocol = 'tcp', over: Parameters<typeof task>[2] = {}) =>
  task(name, [container('app', { ports: [{ containerPort: 80, hostPort, protocol }] })], over)

test.each([
  ['another port', withPort('b', 81), false, 'admitted'],
  ['the other protocol', withPort('b', 80, 'udp'), false, 'admitted'],
  ['the same port', withPort('b', 80), false, 'refused'],
  ['the same port of one that stops', withPort('b', 80), true, 'waits'],
  [
    'the same port in a network of its own',
    withPort('b', 80, 'tcp', { networkMode: NetworkMode.NETWORK_MODE_AWSVPC }),
    false,
    'admitted',
  ],
  ['a port that is not bound', withPort('b', 0), false, 'admitted'],
])('beside a task with port 80, one with %s', (_name, assignment, isStopping, kind) => {
  expect(admit(assignment, [{ assignment: withPort('a', 80), isStopping }], rules).kind).toBe(kind)
})

test('a privileged container is refused by name where none is allowed', () => {
  const assignment = task('a', [container('root', { privileged: true })])
  expect(admit(assignment, [], rules).kind).toBe('admitted')
  expect(admit(assignment, [], { allowsPrivileged: false })).toEqual({
    kind: 'refused',
    reason: 'Container root is privileged, which this host does not allow',
  })
})
