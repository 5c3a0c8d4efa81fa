import { expect, test } from 'vitest'
import { serviceHistoryReport, taskHistoryReport } from './history-report.ts'

const task = {
  taskArn: 'arn:task',
  taskId: 'abc',
  cluster: 'default',
  group: 'family:web',
  taskDefinition: 'web:1',
  launchType: 'EC2',
  lastStatus: 'STOPPED',
  desiredStatus: 'STOPPED',
  createdAt: 100,
}

test("a task's steps have the time at which they began, and how long they lasted", () => {
  const steps = [
    { at: 100, status: 'PENDING', text: 'placed on host-1' },
    { at: 100.25, status: 'RUNNING', text: 'containers run' },
    { at: 103, status: 'STOPPED', text: 'stopped' },
  ]
  const container = {
    name: 'app',
    image: 'web',
    lastStatus: 'STOPPED',
    exitCode: 137,
    restarts: 2,
    reason: 'OutOfMemoryError',
  }
  const history = { task, steps, containers: [container], now: 200 }
  expect(taskHistoryReport(history)).toEqual([
    'Task abc (web:1, family:web) is STOPPED. It began 1970-01-01 00:01:40.000 UTC.',
    '',
    '  AFTER   LASTED  STATUS   WHAT',
    '0.000 s  0.250 s  PENDING  placed on host-1',
    '0.250 s  2.750 s  RUNNING  containers run',
    '3.000 s           STOPPED  stopped',
    '',
    'CONTAINER  STATUS   EXIT CODE  RESTARTS  REASON',
    'app        STOPPED  137        2         OutOfMemoryError',
  ])
  const running = taskHistoryReport({ ...history, task: { ...task, lastStatus: 'RUNNING' }, steps: steps.slice(0, 2) })
  expect(running).toContain('0.250 s  99.750 s  RUNNING  containers run')
})

test('deployments say what became of them, and after how long', () => {
  const service = {
    serviceArn: 'arn:service',
    serviceName: 'shop',
    cluster: 'default',
    status: 'ACTIVE',
    schedulingStrategy: 'REPLICA' as const,
    taskDefinition: 'web:2',
    desiredCount: 1,
    runningCount: 1,
    pendingCount: 0,
  }
  const began = { at: 10, status: 'IN_PROGRESS', text: 'began' }
  const report = serviceHistoryReport({
    service,
    deployments: [
      { id: 'd3', taskDefinition: 'web:3', state: 'IN_PROGRESS', reason: '', steps: [began] },
      {
        id: 'd2',
        taskDefinition: 'web:2',
        state: 'REPLACED',
        reason: 'tripped',
        steps: [
          began,
          { at: 15, status: 'FAILED', text: 'failed' },
          { at: 15, status: 'REPLACED', text: 'replaced by another deployment' },
        ],
      },
    ],
    now: 12.5,
  })
  expect(report.filter((line) => line.startsWith('Deployment') || line === 'tripped')).toEqual([
    'Deployment d3 of web:3: IN_PROGRESS, for 2.500 s so far. It began 1970-01-01 00:00:10.000 UTC.',
    'Deployment d2 of web:2: REPLACED, failed after 5.000 s. It began 1970-01-01 00:00:10.000 UTC.',
    'tripped',
  ])
})
