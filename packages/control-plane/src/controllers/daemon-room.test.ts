import { describe, expect, test } from 'vitest'
import { hostIds } from '../api/ecs/testing/test-cluster.ts'
import type { HostRecord, TaskRecord } from '../cell/records.ts'
import { daemonController } from './daemons.ts'
import { clusterWithServices } from './testing/service-cluster.ts'

const [first = '', second = ''] = hostIds

/** Hosts of 1024 units, the DAEMON service `agent` of 256, and the REPLICA service `web` of as many of 256 as are asked for. */
async function clusterWithDaemon(hosts = 1) {
  const cluster = await clusterWithServices(hosts)
  const daemon = (serviceName = 'agent', taskDefinition = 'web') =>
    cluster.call('CreateService', { serviceName, taskDefinition, schedulingStrategy: 'DAEMON' })
  const replicas = async (desiredCount: number) => {
    await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount })
    await cluster.clock.settle()
  }
  const join = async (id: string, change: Partial<HostRecord> = {}) =>
    cluster.put('hosts', id, {
      ...(cluster.cell.tables.hosts.get(first) as HostRecord),
      id,
      agentHostId: id,
      ...change,
    })
  const live = (serviceName: string, hostId = first) =>
    cluster
      .tasks()
      .filter((task) => task.serviceName === serviceName && task.hostId === hostId && task.lastStatus !== 'STOPPED')
  const runTasks = async (count: number) => (await cluster.call('RunTask', { taskDefinition: 'web', count })).tasks
  const end = async (task: TaskRecord | undefined) => {
    await cluster.report(task as TaskRecord, 'STOPPED', { stopCode: 'EssentialContainerExited' })
    await cluster.clock.settle()
  }
  return { ...cluster, daemon, replicas, join, live, runTasks, end }
}

describe('room for daemons', () => {
  test('is kept on a host from the moment that it joins, whoever asks first', async () => {
    const cluster = await clusterWithDaemon()
    await cluster.daemon()
    await cluster.replicas(9)
    expect(cluster.live('web')).toHaveLength(3)
    // Both are asked for before any controller has looked at the host.
    const joined = cluster.join(second)
    const asked = cluster.runTasks(9)
    await joined
    expect((await asked)?.filter(({ containerInstanceArn }) => containerInstanceArn?.endsWith(second))).toHaveLength(3)
    await cluster.clock.settle()
    expect(cluster.live('agent', second)).toHaveLength(1)
  })

  test('is kept ahead of replicas where a host is full, as its tasks end one by one', async () => {
    const cluster = await clusterWithDaemon()
    await cluster.replicas(5)
    await cluster.hostsWork()
    expect(cluster.live('web')).toHaveLength(4)
    await cluster.daemon()
    await cluster.clock.settle()
    expect(cluster.live('agent')).toHaveLength(0)
    await cluster.end(cluster.live('web')[0])
    expect(cluster.live('agent')).toHaveLength(1)
    expect(cluster.live('web')).toHaveLength(3)
  })

  test('is kept for a daemon that died and waits for its throttle', async () => {
    const cluster = await clusterWithDaemon()
    await cluster.daemon()
    await cluster.clock.settle()
    await cluster.failPending()
    expect(cluster.live('agent')).toHaveLength(0)
    await cluster.replicas(4)
    expect(cluster.live('web')).toHaveLength(3)
    await cluster.clock.advanceBy(1000)
    expect(cluster.live('agent')).toHaveLength(1)
  })

  test('goes to one daemon where there is room for one of two', async () => {
    const cluster = await clusterWithDaemon()
    await cluster.replicas(3)
    await Promise.all([cluster.daemon('one'), cluster.daemon('two')])
    await cluster.clock.settle()
    expect(cluster.live('one').length + cluster.live('two').length).toBe(1)
  })

  test('is not kept of a host that is too small for the daemon, nor once the daemon is deleted', async () => {
    const cluster = await clusterWithDaemon()
    await cluster.call('RegisterTaskDefinition', {
      family: 'huge',
      containerDefinitions: [{ name: 'main', image: 'busybox', memory: 4096 }],
    })
    await cluster.daemon('huge', 'huge')
    expect(await cluster.runTasks(2)).toHaveLength(2)
    await cluster.daemon()
    await cluster.failPending()
    await cluster.call('DeleteService', { service: 'agent' })
    expect(await cluster.runTasks(2)).toHaveLength(2)
  })

  test('is kept by the next leader too, before anything is placed', async () => {
    const cluster = await clusterWithDaemon()
    await cluster.daemon()
    await cluster.clock.settle()
    await cluster.failPending()
    for (const claim of [`daemon/default/agent/${first}`]) cluster.cell.fleet.hosts.unreserve(claim)
    const next = daemonController({ ...cluster.deps, defer: (run) => queueMicrotask(run) })
    next.start(cluster.cell)
    expect(await cluster.runTasks(4)).toHaveLength(3)
    next.stop()
  })

  test('is what is left of the host for those who look', async () => {
    const cluster = await clusterWithDaemon()
    await cluster.daemon()
    await cluster.clock.settle()
    await cluster.failPending()
    expect(cluster.cell.fleet.hosts.roomOn(first)).toMatchObject({ cpu: 1024, memory: 2048, runningTasks: 0 })
    expect(cluster.cell.fleet.hosts.tasksOn(first)).toEqual([])
    await cluster.put('hosts', first, { ...(cluster.cell.tables.hosts.get(first) as HostRecord), status: 'INACTIVE' })
    await cluster.join(second, { status: 'ACTIVE' })
    expect(await cluster.runTasks(4)).toHaveLength(3)
  })
})
