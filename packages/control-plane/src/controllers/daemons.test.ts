import { describe, expect, test } from 'vitest'
import { hostIds } from '../api/ecs/testing/test-cluster.ts'
import type { HostRecord, TaskRecord } from '../cell/records.ts'
import { clusterWithServices } from './testing/service-cluster.ts'

const [first = '', second = '', third = ''] = hostIds

/** A DAEMON service of `web` that is steady on all hosts. */
async function steadyDaemon(hosts = 2, more: object = {}) {
  const cluster = await clusterWithServices(hosts)
  await cluster.call('CreateService', {
    serviceName: 'agent',
    taskDefinition: 'web',
    schedulingStrategy: 'DAEMON',
    ...more,
  })
  await cluster.clock.settle()
  await cluster.hostsWork()
  await cluster.clock.advanceBy(5000)
  const onHosts = (tasks: readonly TaskRecord[]) =>
    tasks.map(({ hostId }) => hostId).toSorted((a = '', b = '') => a.localeCompare(b))
  /** A machine like the first joins. */
  const join = async (id: string, change: Partial<HostRecord> = {}) => {
    const like = cluster.cell.tables.hosts.get(first) as HostRecord
    await cluster.put('hosts', id, { ...like, id, agentHostId: id, ...change })
    await cluster.clock.settle()
  }
  return { ...cluster, onHosts, join }
}

describe('a DAEMON service', () => {
  test('runs once on each host, and is steady at as many tasks as there are hosts', async () => {
    const cluster = await steadyDaemon()
    expect(cluster.onHosts(cluster.running())).toEqual([first, second])
    expect(await cluster.service('agent')).toMatchObject({ desiredCount: 2, runningCount: 2 })
    expect((await cluster.service('agent')).deployments).toMatchObject([{ desiredCount: 2, rolloutState: 'COMPLETED' }])
    expect((await cluster.said('agent'))?.[0]).toBe('(service agent) has reached a steady state.')
  })

  test('follows hosts that come, and those that do not fit its constraints are none of its', async () => {
    const cluster = await steadyDaemon(1, {
      placementConstraints: [{ type: 'memberOf', expression: 'attribute:ecs.availability-zone == zone-0' }],
    })
    await cluster.join(second)
    await cluster.join(third, { attributes: [] })
    expect(cluster.onHosts(cluster.tasks())).toEqual([first, second])
    expect((await cluster.service('agent')).desiredCount).toBe(2)
  })

  test('leaves a host that drains, after the replicas there', async () => {
    const cluster = await steadyDaemon()
    await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 2 })
    await cluster.clock.settle()
    await cluster.hostsWork()
    await cluster.clock.advanceBy(5000)
    await cluster.call('UpdateContainerInstancesState', { containerInstances: [first], status: 'DRAINING' })
    await cluster.clock.settle()
    const here = () => cluster.running().filter(({ hostId }) => hostId === first)
    for (let step = 0; step < 20; step++) {
      if (here().some(({ serviceName }) => serviceName === 'web'))
        expect(here().map(({ serviceName }) => serviceName)).toContain('agent')
      await cluster.hostsWork()
      await cluster.clock.advanceBy(1000)
    }
    expect(here()).toEqual([])
    expect((await cluster.service('agent')).desiredCount).toBe(1)
    await cluster.call('UpdateContainerInstancesState', { containerInstances: [first], status: 'ACTIVE' })
    await cluster.clock.settle()
    await cluster.hostsWork()
    expect(here().map(({ serviceName }) => serviceName)).toEqual(['agent'])
  })

  test('rolls with a static port: the old task ends before the new one on its host begins', async () => {
    const cluster = await steadyDaemon(2, { deploymentConfiguration: { minimumHealthyPercent: 50 } })
    for (const host of ['8080', '8080'])
      await cluster.newRevision({ portMappings: [{ containerPort: 80, hostPort: Number(host) }] })
    for (const revision of [2, 3]) {
      await cluster.call('UpdateService', { service: 'agent', taskDefinition: `web:${revision}` })
      for (let step = 0; step < 20; step++) {
        await cluster.clock.settle()
        expect(cluster.running().length).toBeGreaterThanOrEqual(1)
        const live = cluster.tasks().filter(({ lastStatus }) => lastStatus !== 'STOPPED')
        expect(new Set(live.map(({ hostId }) => hostId)).size).toBe(live.length)
        await cluster.hostsWork()
        await cluster.clock.advanceBy(1000)
      }
      expect(new Set(cluster.running().map((task) => task.revision))).toEqual(new Set([revision]))
      expect((await cluster.service('agent')).deployments).toMatchObject([
        { rolloutState: 'COMPLETED', runningCount: 2 },
      ])
    }
  })

  test('waits for room on a host that is full, and says so', async () => {
    const cluster = await steadyDaemon(1)
    await cluster.join(second, { cpu: 100 })
    expect((await cluster.said('agent'))?.[0]).toMatch(/unable to place a task.*has insufficient CPU units available/)
    const host = cluster.cell.tables.hosts.get(second) as HostRecord
    await cluster.put('hosts', second, { ...host, cpu: 1024 })
    await cluster.clock.settle()
    expect(cluster.onHosts(cluster.tasks())).toEqual([first, second])
  })

  test('keeps its task on a host that is out of touch, and ends with the service', async () => {
    const cluster = await steadyDaemon()
    const host = cluster.cell.tables.hosts.get(first) as HostRecord
    await cluster.put('hosts', first, { ...host, agentConnected: false })
    await cluster.clock.settle()
    expect(cluster.running()).toHaveLength(2)
    await cluster.call('DeleteService', { service: 'agent' })
    await cluster.clock.settle()
    await cluster.hostsWork()
    expect((await cluster.service('agent')).status).toBe('INACTIVE')
    expect(cluster.running()).toEqual([])
  })
})
