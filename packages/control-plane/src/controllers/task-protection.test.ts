import { describe, expect, test } from 'vitest'
import { testScope } from '../api/ecs/testing/test-control-plane.ts'
import type { TaskRecord } from '../cell/records.ts'
import { arnOfTask } from '../cell/task-arns.ts'
import { clusterWithServices } from './testing/service-cluster.ts'

/** A steady service of three tasks, one of which is protected. */
async function serviceWithProtectedTask(expiresInMinutes?: number) {
  const cluster = await clusterWithServices()
  await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 3 })
  await cluster.clock.settle()
  await cluster.hostsWork()
  await cluster.clock.advanceBy(5000)
  const [kept] = cluster.running() as [TaskRecord]
  const protect = (protectionEnabled: boolean, tasks = [kept.id]) =>
    cluster.call('UpdateTaskProtection', {
      cluster: 'default',
      tasks,
      protectionEnabled,
      ...(expiresInMinutes !== undefined && { expiresInMinutes }),
    })
  const protection = async () =>
    (await cluster.call('GetTaskProtection', { cluster: 'default', tasks: [arnOfTask(testScope, kept)] }))
      .protectedTasks?.[0]
  return { ...cluster, kept, protect, protection, before: await protection(), answer: await protect(true) }
}

describe('task protection', () => {
  test('lasts two hours when nothing is said, and is taken back', async () => {
    const { kept, before, answer, protection, protect, clock } = await serviceWithProtectedTask()
    expect(before).toEqual({ taskArn: arnOfTask(testScope, kept), protectionEnabled: false })
    const protectedTask = {
      taskArn: arnOfTask(testScope, kept),
      protectionEnabled: true,
      expirationDate: new Date(clock.now() + 120 * 60_000),
    }
    expect(answer).toEqual({ protectedTasks: [protectedTask], failures: [] })
    expect(await protection()).toEqual(protectedTask)
    await protect(false)
    expect(await protection()).toEqual({ taskArn: arnOfTask(testScope, kept), protectionEnabled: false })
  })

  test('keeps a task through scale-in, until it expires', async () => {
    const { call, clock, hostsWork, running, kept, protection } = await serviceWithProtectedTask(1)
    await call('UpdateService', { service: 'web', desiredCount: 1 })
    await clock.settle()
    await hostsWork()
    expect(running()).toEqual([expect.objectContaining({ id: kept.id })])
    await call('UpdateService', { service: 'web', desiredCount: 0 })
    await clock.settle()
    expect(running()).toHaveLength(1)
    await clock.advanceBy(60_000)
    await hostsWork()
    expect(running()).toHaveLength(0)
    expect((await protection())?.protectionEnabled).toBeUndefined()
  })

  test('keeps a task through a deployment, which completes when it is taken back', async () => {
    const cluster = await serviceWithProtectedTask()
    await cluster.newRevision()
    await cluster.call('UpdateService', { service: 'web', taskDefinition: 'web' })
    const work = async () => {
      for (let step = 0; step < 10; step++) {
        await cluster.clock.settle()
        await cluster.hostsWork()
        await cluster.clock.advanceBy(1000)
      }
    }
    await work()
    expect(cluster.running().map(({ revision }) => revision)).toEqual([1, 2, 2, 2])
    expect((await cluster.service()).deployments).toMatchObject([{ rolloutState: 'IN_PROGRESS' }, { runningCount: 1 }])
    await cluster.protect(false)
    await work()
    expect(cluster.running().map(({ revision }) => revision)).toEqual([2, 2, 2])
    expect((await cluster.service()).deployments).toMatchObject([{ rolloutState: 'COMPLETED' }])
  })

  test('ends with its service', async () => {
    const { call, clock, running } = await serviceWithProtectedTask()
    await call('DeleteService', { service: 'web', force: true })
    await clock.settle()
    expect(running()).toHaveLength(0)
  })

  test('is for tasks of services, and says which are none', async () => {
    const { call, protect } = await serviceWithProtectedTask()
    const { tasks: alone } = await call('RunTask', { taskDefinition: 'web' })
    const missing = 'f'.repeat(32)
    const { failures, protectedTasks } = await protect(true, [alone?.[0]?.taskArn ?? '', missing])
    expect(protectedTasks).toEqual([])
    expect(failures).toEqual([
      { arn: alone?.[0]?.taskArn, reason: 'TASK_NOT_VALID' },
      { arn: expect.stringContaining(missing), reason: 'MISSING' },
    ])
  })

  test.each([0, 2881])('refuses %i minutes', async (expiresInMinutes) => {
    await expect(serviceWithProtectedTask(expiresInMinutes)).rejects.toMatchObject({
      code: 'InvalidParameterException',
    })
  })
})
