import type { SessionTransport } from '@berth/agent/session/session-transport.ts'
import { ContainerSpec, ControlMessage, TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { expect, test } from 'vitest'
import { withSharedWords } from './shared-words.ts'

const assignment = (id: string): TaskAssignment =>
  TaskAssignment.fromPartial({
    taskArn: `arn:aws:ecs:eu-west-1:000000000000:task/lab/${id}`,
    family: 'lab-small',
    shouldRun: true,
    containers: [
      ContainerSpec.fromPartial({
        name: 'main',
        image: 'lab/small:1',
        dockerLabels: [{ key: 'berth.lab.task', value: 'small' }],
        ports: [{ hostPort: 80, containerPort: 80, protocol: 'tcp' }],
      }),
    ],
  })

test('assignments say the same as before, and keep their empty lists once', () => {
  const heard: ControlMessage[] = []
  let say: (message: ControlMessage) => void = () => undefined
  const inner: SessionTransport = {
    connect(_address, onMessage) {
      say = onMessage
      return { send() {}, close() {} }
    },
  }
  withSharedWords(inner).connect(
    'server',
    (message) => void heard.push(message),
    () => undefined,
  )
  const put = [assignment('a'), assignment('b')]
  const message = ControlMessage.fromPartial({ message: { $case: 'assignments', value: { full: true, put } } })
  say(ControlMessage.decode(ControlMessage.encode(message).finish()))
  expect(heard).toEqual([message])
  const [first, second] = heard.flatMap(({ message }) => (message?.$case === 'assignments' ? message.value.put : []))
  expect(first?.containers[0]?.mountPoints).toBe(second?.volumes)
  expect(first?.containers[0]?.ports).not.toBe(second?.containers[0]?.ports)
})
