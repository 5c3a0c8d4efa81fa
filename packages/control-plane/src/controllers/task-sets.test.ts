import { describe, expect, test } from 'vitest'
import type { TaskRecord } from '../cell/records.ts'
import { clusterWithServices } from './testing/service-cluster.ts'

const of = { cluster: 'default', service: 'web' }

/** A cluster with the service `web` that an external controller deploys, of four tasks. */
async function externalService(hosts = 2) {
  const cluster = await clusterWithServices(hosts)
  await cluster.call('CreateService', {
    serviceName: 'web',
    desiredCount: 4,
    deploymentController: { type: 'EXTERNAL' },
  })
  const create = async (value: number, taskDefinition = 'web') => {
    const { taskSet } = await cluster.call('CreateTaskSet', {
      ...of,
      taskDefinition,
      scale: { value, unit: 'PERCENT' },
    })
    await cluster.clock.settle()
    return taskSet?.id ?? ''
  }
  const scale = async (taskSet: string, value: number) => {
    await cluster.call('UpdateTaskSet', { ...of, taskSet, scale: { value, unit: 'PERCENT' } })
    await cluster.clock.settle()
  }
  const set = async (id: string) => (await cluster.call('DescribeTaskSets', { ...of, taskSets: [id] })).taskSets?.[0]
  const tasksOf = (id: string) =>
    cluster.tasks().filter(({ startedBy, lastStatus }) => startedBy === id && lastStatus !== 'STOPPED')
  /** Hosts do what is to be done, and tasks come to be healthy. */
  const goOn = async () => {
    await cluster.hostsWork()
    await cluster.clock.advanceBy(5000)
  }
  return { ...cluster, create, scale, set, tasksOf, goOn }
}

describe('the task sets of a service', () => {
  test('each have their share of its tasks, which the service and the set count', async () => {
    const cluster = await externalService()
    const blue = await cluster.create(75)
    const green = await cluster.create(25)
    expect([cluster.tasksOf(blue).length, cluster.tasksOf(green).length]).toEqual([3, 1])
    expect(cluster.tasksOf(blue)[0]).toMatchObject({ group: 'service:web', startedBy: blue, deploymentId: blue })
    expect(await cluster.service()).toMatchObject({ runningCount: 0, pendingCount: 4, deployments: [] })
    expect(await cluster.set(blue)).toMatchObject({ pendingCount: 3, stabilityStatus: 'STABILIZING' })

    await cluster.goOn()
    expect(await cluster.service()).toMatchObject({ runningCount: 4, pendingCount: 0 })
    expect(await cluster.set(blue)).toMatchObject({ runningCount: 3, stabilityStatus: 'STEADY_STATE' })
    expect((await cluster.said())?.map((message) => message?.replaceAll(/\(task .*\)/g, ''))).toEqual([
      '(service web) has reached a steady state.',
      '(service web, taskSet ecs-svc/N) has started 1 tasks: .',
      '(service web, taskSet ecs-svc/N) has started 3 tasks: .',
    ])
  })

  test('are brought from 75 and 25 to 25 and 75, and one that is deleted is gone with its last task', async () => {
    const cluster = await externalService()
    const blue = await cluster.create(75)
    const green = await cluster.create(25)
    await cluster.goOn()
    await cluster.scale(blue, 25)
    await cluster.scale(green, 75)
    await cluster.goOn()
    expect([cluster.running().length, cluster.tasksOf(blue).length, cluster.tasksOf(green).length]).toEqual([4, 1, 3])
    const [stopped] = cluster.tasks().filter(({ lastStatus }) => lastStatus === 'STOPPED')
    expect(stopped).toMatchObject({ stopCode: 'ServiceSchedulerInitiated' })
    expect(stopped?.stoppedReason).toBe(`Scaling activity initiated by (deployment ${blue})`)

    await cluster.call('UpdateServicePrimaryTaskSet', { ...of, primaryTaskSet: green })
    await cluster.call('DeleteTaskSet', { ...of, taskSet: blue, force: true })
    await cluster.clock.settle()
    expect((await cluster.set(blue))?.status).toBe('DRAINING')
    await cluster.hostsWork()
    expect(await cluster.set(blue)).toBeUndefined()
    expect((await cluster.service()).taskSets?.map(({ id, status }) => [id, status])).toEqual([[green, 'PRIMARY']])
  })

  test('replace a task that died, and are stable again when its successor is healthy', async () => {
    const cluster = await externalService()
    const blue = await cluster.create(100)
    await cluster.goOn()
    const [victim] = cluster.running()
    await cluster.report(victim as TaskRecord, 'STOPPED', { stopCode: 'EssentialContainerExited' })
    expect((await cluster.set(blue))?.stabilityStatus).toBe('STABILIZING')
    await cluster.clock.settle()
    expect(cluster.tasksOf(blue)).toHaveLength(4)
    await cluster.goOn()
    expect((await cluster.set(blue))?.stabilityStatus).toBe('STEADY_STATE')
  })

  test('wait longer each time for tasks that never run, each set for itself', async () => {
    const cluster = await externalService()
    const blue = await cluster.create(25)
    const started = () => cluster.tasks().filter(({ startedBy }) => startedBy === blue).length
    await cluster.failPending()
    expect(started()).toBe(1)
    await cluster.clock.advanceBy(1000)
    expect(started()).toBe(2)
    await cluster.failPending()
    await cluster.clock.advanceBy(1000)
    expect(started()).toBe(2)
    const green = await cluster.create(25)
    expect(cluster.tasksOf(green)).toHaveLength(1)
    await cluster.clock.advanceBy(1000)
    expect(started()).toBe(3)
  })

  test('say once why there is no room, and take it when it comes', async () => {
    const cluster = await externalService(1)
    await cluster.call('UpdateService', { service: 'web', desiredCount: 5 })
    const blue = await cluster.create(100)
    expect(cluster.tasksOf(blue)).toHaveLength(4)
    await cluster.hostsWork()
    await cluster.clock.advanceBy(120_000)
    expect((await cluster.said())?.filter((message) => message?.includes('unable to place'))).toHaveLength(1)
    await cluster.put('hosts', 'd'.repeat(32), {
      ...[...cluster.cell.tables.hosts.values()][0]!,
      id: 'd'.repeat(32),
    })
    await cluster.clock.settle()
    expect(cluster.tasksOf(blue)).toHaveLength(5)
  })

  test('leave protected tasks alone when they are scaled in', async () => {
    const cluster = await externalService()
    const blue = await cluster.create(100)
    await cluster.goOn()
    const [guarded] = cluster.running()
    await cluster.call('UpdateTaskProtection', {
      cluster: 'default',
      tasks: [guarded?.id ?? ''],
      protectionEnabled: true,
    })
    await cluster.scale(blue, 0)
    await cluster.hostsWork()
    expect(cluster.tasksOf(blue).map(({ id }) => id)).toEqual([guarded?.id])
  })

  test('go with their service, which is INACTIVE when the last task stops', async () => {
    const cluster = await externalService()
    await cluster.create(100)
    await cluster.goOn()
    await cluster.call('DeleteService', { service: 'web', force: true })
    await cluster.clock.settle()
    expect((await cluster.service()).status).toBe('DRAINING')
    await cluster.hostsWork()
    expect(await cluster.service()).toMatchObject({ status: 'INACTIVE', taskSets: [] })
    expect([...cluster.cell.tables.taskSets.values()]).toEqual([])
  })
})
