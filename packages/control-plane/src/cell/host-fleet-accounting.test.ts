import { describe, expect, test } from 'vitest'
import { hostRecord, taskRecord } from '../api/ecs/testing/records.ts'
import { HostFleetAccounting } from './host-fleet-accounting.ts'
import type { HostRecord, TaskRecord } from './records.ts'

const claim = { cpu: 256, memoryMib: 512, gpus: 0, networkInterfaces: 0, ports: [], dynamicPorts: [50_000] }
const host = hostRecord('host', { cpu: 1024, memoryMib: 2048 })
const task = taskRecord('task', { hostId: 'host', claim, lastStatus: 'PENDING' })

function accounting() {
  const fleet = new HostFleetAccounting()
  return {
    host: (before: HostRecord | undefined, after: HostRecord | undefined) =>
      fleet.follow({ table: 'hosts', key: 'host', before, after }),
    task: (before: TaskRecord | undefined, after: TaskRecord | undefined) =>
      fleet.follow({ table: 'tasks', key: 'task', before, after }),
    left: () => fleet.hosts.roomOn('host')?.cpu,
    inGroup: () => fleet.hosts.groupCount(task.group, fleet.hosts.slotOf('host') ?? -1),
  }
}

describe('the accounts of hosts', () => {
  test('a task takes from its placement until it is STOPPED', () => {
    const { host: changeHost, task: changeTask, left } = accounting()
    changeHost(undefined, host)
    changeTask(undefined, task)
    expect(left()).toBe(768)
    const running = { ...task, lastStatus: 'RUNNING' as const }
    changeTask(task, running)
    expect(left()).toBe(768)
    changeTask(running, { ...running, lastStatus: 'STOPPED' })
    expect(left()).toBe(1024)
  })

  test('a task that is to stop keeps what it has, but counts no more among its group', () => {
    const { host: changeHost, task: changeTask, left, inGroup } = accounting()
    changeHost(undefined, host)
    changeTask(undefined, task)
    expect(inGroup()).toBe(1)
    const stopping = { ...task, desiredStatus: 'STOPPED' as const }
    changeTask(task, stopping)
    expect([left(), inGroup()]).toEqual([768, 0])
    changeTask(stopping, task)
    expect([left(), inGroup()]).toEqual([768, 1])
    changeTask(task, stopping)
    changeTask(stopping, { ...stopping, lastStatus: 'STOPPED' })
    expect([left(), inGroup()]).toEqual([1024, 0])
  })

  test('follows the reverse of what it followed', () => {
    const { host: changeHost, task: changeTask, left } = accounting()
    changeHost(undefined, host)
    changeTask(undefined, task)
    changeTask(task, undefined)
    expect(left()).toBe(1024)
  })

  test('knows what tasks hold of a host whose end was undone', () => {
    const { host: changeHost, task: changeTask, left } = accounting()
    changeHost(undefined, host)
    changeTask(undefined, task)
    const ended = { ...host, status: 'INACTIVE' as const }
    changeHost(host, ended)
    expect(left()).toBeUndefined()
    changeHost(ended, host)
    expect(left()).toBe(768)
  })

  test('takes tasks and their host in whatever order they are loaded', () => {
    const { host: changeHost, task: changeTask, left } = accounting()
    changeTask(undefined, task)
    changeHost(undefined, host)
    expect(left()).toBe(768)
    changeTask(task, { ...task, lastStatus: 'STOPPED' })
    expect(left()).toBe(1024)
  })

  test('a task that ended while its host was away holds nothing when it returns', () => {
    const { host: changeHost, task: changeTask, left } = accounting()
    changeTask(undefined, task)
    changeTask(task, { ...task, lastStatus: 'STOPPED' })
    changeHost(undefined, host)
    expect(left()).toBe(1024)
  })
})
