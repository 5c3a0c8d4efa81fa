import type { ContainerReport, TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import {
  type ContainerStatus,
  containerStatusRank,
  type TaskStatus,
  taskStatusRank,
} from '@berth/shared/task-status.ts'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TaskRecord } from './records.ts'
import { applyTaskReport, endTask, hostLost, setConnectivity, stopTask } from './task-changes.ts'

const task: TaskRecord = {
  id: '1',
  cluster: 'default',
  taskDefinitionArn: 'web:1',
  family: 'web',
  revision: 1,
  group: 'family:web',
  launchType: 'EC2',
  hostId: 'h',
  claim: { cpu: 0, memoryMib: 0, gpus: 0, networkInterfaces: 1, ports: [], dynamicPorts: [] },
  lastStatus: 'PENDING',
  desiredStatus: 'RUNNING',
  connectivity: 'DISCONNECTED',
  containers: [
    {
      id: 'c',
      name: 'app',
      image: 'i',
      essential: true,
      lastStatus: 'PENDING',
      healthStatus: 'UNKNOWN',
      hasHealthCheck: false,
      portGrants: [],
      networkBindings: [],
      cpu: 0,
      gpuIds: [],
      restartCount: 0,
    },
  ],
  networkInterface: {
    attachmentId: 'a',
    networkInterfaceId: 'eni-1',
    subnetId: 's',
    securityGroups: [],
    assignPublicIp: false,
    status: 'PRECREATED',
  },
  overrides: {},
  enableExecuteCommand: false,
  tags: {},
  version: 1,
  createdAt: 0,
}

const containerReport = (status: ContainerStatus, more: Partial<ContainerReport> = {}): ContainerReport => ({
  name: 'app',
  containerArn: 'c',
  status: containerStatusRank[status],
  runtimeId: '',
  reason: '',
  healthStatus: 'UNKNOWN',
  imageDigest: '',
  bindings: [],
  bindIp: '',
  restartCount: 0,
  essential: true,
  startedAt: 0,
  finishedAt: 0,
  ...more,
})

const report = (status: TaskStatus, more: Partial<TaskReport> = {}): TaskReport => ({
  taskArn: 'arn:1',
  status: taskStatusRank[status],
  stopCode: '',
  stoppedReason: '',
  containers: [],
  network: undefined,
  pullStartedAt: 0,
  pullStoppedAt: 0,
  startedAt: 0,
  stoppingAt: 0,
  executionStoppedAt: 0,
  stoppedAt: 0,
  ...more,
})

describe('applyTaskReport', () => {
  test('a task that runs shows when, its address, and that its host is heard of', () => {
    const running = applyTaskReport(
      task,
      report('RUNNING', {
        startedAt: 50,
        pullStartedAt: 10,
        pullStoppedAt: 20,
        network: { privateIpv4: '10.0.0.1', macAddress: 'aa:bb' },
        containers: [
          containerReport('RUNNING', {
            runtimeId: 'docker-1',
            imageDigest: 'sha256:1',
            bindIp: '0.0.0.0',
            bindings: [{ containerPort: 80, hostPort: 8080, protocol: 'tcp', name: '' }],
          }),
        ],
      }),
      60,
    )
    expect(running).toMatchObject({
      lastStatus: 'RUNNING',
      desiredStatus: 'RUNNING',
      connectivity: 'CONNECTED',
      connectivityAt: 60,
      startedAt: 50,
      pullStartedAt: 10,
      pullStoppedAt: 20,
      version: 2,
      networkInterface: { status: 'ATTACHED', privateIpv4: '10.0.0.1', macAddress: 'aa:bb' },
      containers: [
        {
          lastStatus: 'RUNNING',
          runtimeId: 'docker-1',
          networkBindings: [{ bindIP: '0.0.0.0', containerPort: 80, hostPort: 8080, protocol: 'tcp' }],
        },
      ],
    })
  })

  test('a task that ends by itself is to stay ended, with its exit code and reason', () => {
    const running = applyTaskReport(task, report('RUNNING'), 1)
    const stopped = applyTaskReport(
      running,
      report('STOPPED', {
        stopCode: 'EssentialContainerExited',
        stoppedReason: 'Essential container in task exited',
        executionStoppedAt: 70,
        stoppedAt: 80,
        containers: [containerReport('STOPPED', { exitCode: 1, reason: 'OutOfMemoryError: killed' })],
      }),
      90,
    )
    expect(stopped).toMatchObject({
      lastStatus: 'STOPPED',
      desiredStatus: 'STOPPED',
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      executionStoppedAt: 70,
      stoppedAt: 80,
      networkInterface: { status: 'DELETED' },
      containers: [{ lastStatus: 'STOPPED', exitCode: 1, reason: 'OutOfMemoryError: killed' }],
    })
  })

  test('steps that a host tells no time of have the time at which they were heard of', () => {
    const heard = (['ACTIVATING', 'RUNNING', 'DEACTIVATING', 'DEPROVISIONING'] as const).reduce(
      (current, status, index) => applyTaskReport(current, report(status), 10 * (index + 1)),
      task,
    )
    expect(heard).toMatchObject({ activatingAt: 10, startedAt: 20, deactivatingAt: 30, deprovisioningAt: 40 })
    expect(applyTaskReport(heard, report('DEPROVISIONING'), 50)).toBe(heard)
  })

  test('the reason that a task was asked to stop for stays', () => {
    const stopping = stopTask(task, { code: 'UserInitiated', reason: 'enough' }, 5)
    const stopped = applyTaskReport(
      stopping,
      report('STOPPED', { stopCode: 'EssentialContainerExited', stoppedReason: 'exited' }),
      9,
    )
    expect(stopped).toMatchObject({
      stopCode: 'UserInitiated',
      stoppedReason: 'enough',
      stoppingAt: 5,
      stoppedAt: 9,
      containers: [{ lastStatus: 'STOPPED' }],
    })
  })

  test('the same report again is nothing new', () => {
    const told = report('RUNNING', { startedAt: 5, containers: [containerReport('RUNNING', { runtimeId: 'x' })] })
    const running = applyTaskReport(task, told, 6)
    expect(applyTaskReport(running, told, 7)).toBe(running)
  })

  test('a restarted container runs again, one that is told late does not', () => {
    const exited = applyTaskReport(task, report('RUNNING', { containers: [containerReport('STOPPED')] }), 1)
    const late = applyTaskReport(exited, report('RUNNING', { containers: [containerReport('RUNNING')] }), 2)
    expect(late).toBe(exited)
    const again = applyTaskReport(
      exited,
      report('RUNNING', { containers: [containerReport('RUNNING', { restartCount: 1 })] }),
      3,
    )
    expect(again.containers[0]).toMatchObject({ lastStatus: 'RUNNING', restartCount: 1 })
  })

  test('health comes and goes while the status stays', () => {
    const told = (healthStatus: string) =>
      report('RUNNING', { containers: [containerReport('RUNNING', { healthStatus })] })
    const healthy = applyTaskReport(task, told('HEALTHY'), 1)
    const sick = applyTaskReport(healthy, told('UNHEALTHY'), 2)
    expect(sick.containers[0]?.healthStatus).toBe('UNHEALTHY')
    expect(sick.version).toBe(healthy.version + 1)
  })

  test('whatever comes in whatever order, status goes forward and versions count the changes', () => {
    const statuses = fc.constantFrom(...(Object.keys(taskStatusRank) as TaskStatus[]))
    const containerStatuses = fc.constantFrom(...(Object.keys(containerStatusRank) as ContainerStatus[]))
    fc.assert(
      fc.property(fc.array(fc.tuple(statuses, containerStatuses, fc.nat(2))), (reports) => {
        let current = task
        for (const [status, container, restartCount] of reports) {
          const told = report(status, { containers: [containerReport(container, { restartCount })] })
          const next = applyTaskReport(current, told, 1)
          expect(taskStatusRank[next.lastStatus]).toBeGreaterThanOrEqual(taskStatusRank[current.lastStatus])
          expect(next.version).toBe(next === current ? current.version : current.version + 1)
          expect(next.containers[0]?.restartCount).toBeGreaterThanOrEqual(current.containers[0]?.restartCount ?? 0)
          if (current.lastStatus === 'STOPPED') expect(next).toBe(current)
          if (next.desiredStatus === 'RUNNING')
            expect(taskStatusRank[next.lastStatus]).toBeLessThan(taskStatusRank.DEACTIVATING)
          current = next
        }
      }),
    )
  })
})

describe('stopTask', () => {
  test('asks once, and leaves the status to the host', () => {
    const stopping = stopTask(task, { code: 'UserInitiated', reason: 'enough' }, 5)
    expect(stopping).toMatchObject({ desiredStatus: 'STOPPED', lastStatus: 'PENDING', version: 2 })
    expect(stopTask(stopping, { code: 'ServiceSchedulerInitiated', reason: 'other' }, 6)).toBe(stopping)
  })

  test('ends a task without a host at once', () => {
    const { hostId: _, ...waiting } = task
    expect(stopTask(waiting, { code: 'UserInitiated', reason: 'enough' }, 5)).toMatchObject({
      lastStatus: 'STOPPED',
      stoppedAt: 5,
      stoppedReason: 'enough',
    })
  })
})

describe('a host that is lost', () => {
  test('takes its tasks with it, and what they were stopped for before stays', () => {
    const lost = endTask(task, hostLost('i-1'), 9)
    expect(lost).toMatchObject({
      lastStatus: 'STOPPED',
      desiredStatus: 'STOPPED',
      stopCode: 'TerminationNotice',
      stoppedReason: 'Host EC2 (instance i-1) stopped/terminated',
      connectivity: 'DISCONNECTED',
      containers: [{ lastStatus: 'STOPPED' }],
    })
    expect(endTask(lost, hostLost('i-2'), 10)).toBe(lost)
    const stopping = stopTask(task, { code: 'UserInitiated', reason: 'enough' }, 5)
    expect(endTask(stopping, hostLost('i-1'), 9)).toMatchObject({ stopCode: 'UserInitiated', stoppingAt: 5 })
  })

  test('is seen in the connectivity of those that live', () => {
    const connected = setConnectivity(task, 'CONNECTED', 3)
    expect(connected).toMatchObject({ connectivity: 'CONNECTED', connectivityAt: 3, version: 2 })
    expect(setConnectivity(connected, 'CONNECTED', 4)).toBe(connected)
    const ended = endTask(connected, hostLost('i-1'), 9)
    expect(setConnectivity(ended, 'CONNECTED', 10)).toBe(ended)
  })
})
