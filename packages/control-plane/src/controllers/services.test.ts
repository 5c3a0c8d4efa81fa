import { describe, expect, test } from 'vitest'
import type { TaskRecord } from '../cell/records.ts'
import { clusterWithServices } from './testing/service-cluster.ts'

describe('a REPLICA service', () => {
  test('starts its tasks as a group, and is steady once they have run for the settle time', async () => {
    const cluster = await clusterWithServices()
    await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 3 })
    await cluster.clock.settle()
    expect(cluster.tasks()).toHaveLength(3)
    expect(await cluster.service()).toMatchObject({ runningCount: 0, pendingCount: 3 })

    await cluster.hostsWork()
    expect(await cluster.service()).toMatchObject({ runningCount: 3, pendingCount: 0 })
    expect((await cluster.service()).deployments?.[0]?.rolloutState).toBe('IN_PROGRESS')

    await cluster.clock.advanceBy(5000)
    const { deployments, events } = await cluster.service()
    expect(deployments).toHaveLength(1)
    expect(deployments?.[0]?.rolloutState).toBe('COMPLETED')
    expect(
      events?.map(({ message }) =>
        message?.replaceAll(/\(task [0-9a-f]+\)/g, '(task ID)').replaceAll(/ecs-svc\/\d+/g, 'ecs-svc/N'),
      ),
    ).toEqual([
      '(service web) has reached a steady state.',
      '(service web) (deployment ecs-svc/N) deployment completed.',
      '(service web) has started 3 tasks: (task ID) (task ID) (task ID).',
    ])
  })

  test('goes by the settle time of its cluster where that has one', async () => {
    const cluster = await clusterWithServices()
    const settings = [{ name: 'berth.settleTime' as 'containerInsights', value: '60s' }]
    await cluster.call('UpdateClusterSettings', { cluster: 'default', settings })
    await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 1 })
    await cluster.clock.settle()
    await cluster.hostsWork()
    await cluster.clock.advanceBy(59_000)
    expect((await cluster.service()).deployments?.[0]?.rolloutState).toBe('IN_PROGRESS')
    await cluster.clock.advanceBy(1000)
    expect((await cluster.service()).deployments?.[0]?.rolloutState).toBe('COMPLETED')
  })

  test('spreads over zones', async () => {
    const cluster = await clusterWithServices(3)
    await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 3 })
    await cluster.clock.settle()
    expect(new Set(cluster.tasks().map(({ availabilityZone }) => availabilityZone)).size).toBe(3)
  })

  test('replaces a task that died, under a new id', async () => {
    const cluster = await clusterWithServices()
    await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 2 })
    await cluster.clock.settle()
    await cluster.hostsWork()
    const [victim] = cluster.running()
    await cluster.report(victim as TaskRecord, 'STOPPED', { stopCode: 'EssentialContainerExited' })
    await cluster.clock.settle()
    const live = cluster.tasks().filter(({ lastStatus }) => lastStatus !== 'STOPPED')
    expect(live).toHaveLength(2)
    expect(live.map(({ id }) => id)).not.toContain(victim?.id)
  })

  test('rolls to a new revision without ever having fewer healthy tasks than it must', async () => {
    const cluster = await clusterWithServices(3)
    await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 4 })
    await cluster.clock.settle()
    await cluster.hostsWork()
    await cluster.clock.advanceBy(5000)
    await cluster.call('RegisterTaskDefinition', {
      family: 'web',
      containerDefinitions: [{ name: 'main', image: 'busybox:2', memory: 256, cpu: 128 }],
    })
    await cluster.call('UpdateService', { service: 'web', taskDefinition: 'web' })
    for (let step = 0; step < 20; step++) {
      await cluster.clock.settle()
      expect(cluster.running().length).toBeGreaterThanOrEqual(4)
      await cluster.hostsWork()
      await cluster.clock.advanceBy(1000)
    }
    const { deployments, runningCount } = await cluster.service()
    expect(runningCount).toBe(4)
    expect(deployments).toHaveLength(1)
    expect(deployments?.[0]).toMatchObject({ rolloutState: 'COMPLETED' })
    expect(new Set(cluster.running().map(({ revision }) => revision))).toEqual(new Set([2]))
  })

  test('says in an event why it cannot place, in ECS words first, and places when room comes', async () => {
    const cluster = await clusterWithServices(1)
    await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 5 })
    await cluster.clock.settle()
    expect(cluster.tasks()).toHaveLength(4)
    const { events } = await cluster.service()
    expect(events?.[0]?.message).toMatch(
      /^\(service web\) was unable to place a task because no container instance met all of its requirements\. The closest matching \(container-instance a{32}\) has insufficient CPU units available\./,
    )
    const host = cluster.cell.tables.hosts.get('a'.repeat(32))
    await cluster.put('hosts', 'b'.repeat(32), { ...host, id: 'b'.repeat(32), agentHostId: 'b' } as NonNullable<
      typeof host
    >)
    await cluster.clock.settle()
    expect(cluster.tasks()).toHaveLength(5)
  })

  test('waits longer each time when its tasks fail to start, and says so', async () => {
    const cluster = await clusterWithServices()
    await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 1 })
    const failPending = async () => {
      await cluster.clock.settle()
      for (const task of cluster.tasks())
        if (task.lastStatus === 'PENDING') await cluster.report(task, 'STOPPED', { stopCode: 'TaskFailedToStart' })
      await cluster.clock.settle()
    }
    await failPending()
    expect(cluster.tasks()).toHaveLength(1)
    await cluster.clock.advanceBy(1000)
    expect(cluster.tasks()).toHaveLength(2)
    await failPending()
    await cluster.clock.advanceBy(1000)
    expect(cluster.tasks()).toHaveLength(2)
    await cluster.clock.advanceBy(1000)
    await failPending()
    expect((await cluster.service()).events?.[0]?.message).toMatch(/unable to consistently start tasks successfully/)
    expect((await cluster.service()).deployments?.[0]?.failedTasks).toBe(3)
    await cluster.clock.advanceBy(4000)
    await cluster.hostsWork()
    expect((await cluster.service()).deployments?.[0]?.failedTasks).toBe(0)
  })

  test('moves off a draining host, new task first', async () => {
    const cluster = await clusterWithServices(2)
    await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 2 })
    await cluster.clock.settle()
    await cluster.hostsWork()
    await cluster.clock.advanceBy(5000)
    const drained = 'a'.repeat(32)
    await cluster.call('UpdateContainerInstancesState', { containerInstances: [drained], status: 'DRAINING' })
    for (let step = 0; step < 10; step++) {
      await cluster.clock.settle()
      expect(cluster.running().length).toBeGreaterThanOrEqual(2)
      await cluster.hostsWork()
      await cluster.clock.advanceBy(1000)
    }
    expect(cluster.running().map(({ hostId }) => hostId)).toEqual(['b'.repeat(32), 'b'.repeat(32)])
  })

  test('ends INACTIVE after it was deleted, when its tasks have stopped', async () => {
    const cluster = await clusterWithServices()
    await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 2 })
    await cluster.clock.settle()
    await cluster.hostsWork()
    await cluster.call('DeleteService', { service: 'web', force: true })
    await cluster.clock.settle()
    expect((await cluster.service()).status).toBe('DRAINING')
    await cluster.hostsWork()
    expect((await cluster.service()).status).toBe('INACTIVE')
    expect(cluster.running()).toHaveLength(0)
  })
})
