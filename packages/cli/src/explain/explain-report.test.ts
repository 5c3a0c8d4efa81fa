import type { ExplainServiceAnswer } from '@berth/control-plane/api/berth/explain-service.ts'
import type { ExplainTaskAnswer } from '@berth/control-plane/api/berth/explain-task.ts'
import { describe, expect, test } from 'vitest'
import { namesTask } from '../task-reference.ts'
import { serviceExplanation, taskExplanation } from './explain-report.ts'

const host = { name: 'host-1', containerInstanceArn: 'arn:1', ec2InstanceId: 'i-1', zone: 'zone-a' }

const task: ExplainTaskAnswer = {
  task: {
    taskArn: 'arn:task',
    taskId: 'abc',
    cluster: 'default',
    group: 'family:web',
    taskDefinition: 'web:1',
    launchType: 'EC2',
    lastStatus: 'RUNNING',
    desiredStatus: 'RUNNING',
    host,
    createdAt: 1,
  },
  takes: { cpu: 256, memory: 512, gpus: 1, networkInterfaces: 0, ports: ['80/tcp'] },
  placement: {
    considered: 12,
    suitable: 1,
    removed: [
      { rule: 'agent', hosts: 10, text: 'agent not connected' },
      { rule: 'cpu', hosts: 1, text: 'without enough CPU' },
    ],
    steps: [{ step: 'binpack(memory)', value: 512, text: 'it had the least memory left that was enough: 512 MiB' }],
  },
}

describe('a task is explained', () => {
  test('by what removed the other hosts, and what its own had', () => {
    expect(taskExplanation(task)).toEqual([
      'Task abc (web:1, family:web) is RUNNING, on host-1 in zone zone-a.',
      'It takes 256 CPU units, 512 MiB, 1 GPU, host ports 80/tcp.',
      '',
      '12 hosts were considered; 1 could take it. The others were:',
      '  10 agent not connected',
      '   1 without enough CPU',
      '',
      'host-1 was taken because',
      '  it had the least memory left that was enough: 512 MiB  [binpack(memory)]',
    ])
  })

  test('by who named its host', () => {
    const placement = { considered: 1, namedBy: 'service', steps: [] } as const
    expect(taskExplanation({ ...task, placement }).at(-1)).toContain('one task on each host')
  })

  test('while it waits, by who is ahead and what the hosts lack', () => {
    const { host: _host, ...rest } = task.task
    const { placement: _placement, ...hostless } = task
    const explanation = {
      considered: 1,
      suitable: 0,
      removed: [{ rule: 'cpu', hosts: 1, text: 'without enough CPU' }],
      closest: [{ host, lacks: ['cpu: needs 256, has 0'] }],
    } as const
    const waiting = { since: 60, until: 120, priority: 3, ahead: 2, gang: 4, fitting: 1, explanation }
    expect(taskExplanation({ ...hostless, task: { ...rest, lastStatus: 'PROVISIONING' }, waiting })).toEqual([
      'Task abc (web:1, family:web) is PROVISIONING and has no host.',
      'It takes 256 CPU units, 512 MiB, 1 GPU, host ports 80/tcp.',
      '',
      'It waits for room since 1970-01-01T00:01:00.000Z, with priority 3; 2 tasks are ahead of it.',
      'It is given up at 1970-01-01T00:02:00.000Z.',
      'It starts together with 3 other tasks: now 1 of 4 would fit.',
      '',
      'Of 1 host none can take one more. They are:',
      '  1 without enough CPU',
      'The closest lack:',
      '  host-1: cpu: needs 256, has 0',
    ])
  })

  test('also after it stopped', () => {
    const stopped = { ...task.task, lastStatus: 'STOPPED', stoppedReason: 'Task stopped by user' }
    expect(taskExplanation({ ...task, task: stopped })[1]).toBe('It stopped: Task stopped by user.')
  })
})

describe('a service is explained', () => {
  const answer: ExplainServiceAnswer = {
    service: {
      serviceArn: 'arn:service',
      serviceName: 'shop',
      cluster: 'default',
      status: 'ACTIVE',
      schedulingStrategy: 'REPLICA',
      taskDefinition: 'web:1',
      desiredCount: 2,
      runningCount: 1,
      pendingCount: 0,
    },
    missing: 1,
    waiting: [{ kind: 'room', tasks: 1 }],
    explanation: {
      considered: 1,
      suitable: 0,
      removed: [{ rule: 'cpu', hosts: 1, text: 'without enough CPU' }],
      closest: [{ host, lacks: ['cpu: needs 512, has 256'] }],
    },
    tasks: [],
  }

  test('by what its missing tasks find no room for', () => {
    expect(serviceExplanation(answer)).toEqual([
      'Service shop (web:1) is ACTIVE: 2 wanted, 1 running, 0 pending.',
      '1 task waits for room.',
      '',
      'Of 1 host none can take one more. They are:',
      '  1 without enough CPU',
      'The closest lack:',
      '  host-1: cpu: needs 512, has 256',
      '',
      'It has no tasks.',
    ])
  })

  test('by what its tasks failed with', () => {
    const failing = { tasks: 3, reason: 'Essential container in task exited' }
    expect(serviceExplanation({ ...answer, failing })[1]).toBe(
      'Its last 3 tasks failed: Essential container in task exited',
    )
  })

  test.each([
    [{ kind: 'throttle', until: 0 }, 'off until 1970-01-01T00:00:00.000Z.'],
    [{ kind: 'failed-deployment', reason: 'tripped' }, 'so nothing is started: tripped'],
    [{ kind: 'turn', tasks: 2 }, '2 tasks are missing, for which there is room'],
  ] as const)('by %j', (waiting, words) => {
    expect(serviceExplanation({ ...answer, waiting: [waiting] })[1]).toContain(words)
  })
})

test.each([
  ['0f4c8d3b9b6e4f0e8d8a1c2b3d4e5f60', true],
  ['arn:aws:ecs:us-east-1:123456789012:task/default/0f4c8d3b9b6e4f0e8d8a1c2b3d4e5f60', true],
  ['arn:aws:ecs:us-east-1:123456789012:service/default/task', false],
  ['task', false],
])('%s names a task: %s', (text, expected) => {
  expect(namesTask(text)).toBe(expected)
})
