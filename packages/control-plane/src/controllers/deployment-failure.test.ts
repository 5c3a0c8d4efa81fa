import { describe, expect, test } from 'vitest'
import type { TaskRecord } from '../cell/records.ts'
import { clusterWithServices } from './testing/service-cluster.ts'

const breaker = { enable: true, rollback: true }
const ofRevision = (revision: number) => (task: TaskRecord) => task.revision === revision

/** A service of two tasks that run and are steady, whose next revision is there. */
async function steadyService(deploymentCircuitBreaker: object = breaker) {
  const cluster = await clusterWithServices()
  await cluster.call('CreateService', {
    serviceName: 'web',
    taskDefinition: 'web',
    desiredCount: 2,
    deploymentConfiguration: { deploymentCircuitBreaker: { ...breaker, ...deploymentCircuitBreaker } },
  })
  await cluster.clock.settle()
  await cluster.hostsWork()
  await cluster.clock.advanceBy(5000)
  await cluster.newRevision()
  return cluster
}

/** Fails what the service starts of a revision for a while. */
async function keepFailing(cluster: Awaited<ReturnType<typeof steadyService>>, revision: number) {
  for (let second = 0; second < 20; second++) {
    await cluster.failPending(ofRevision(revision))
    await cluster.clock.advanceBy(1000)
  }
}

describe('a deployment whose tasks fail', () => {
  test('is rolled back to the last that completed, whose tasks never stopped', async () => {
    const cluster = await steadyService()
    const before = (await cluster.service()).deployments?.[0]?.id
    const kept = cluster.running().map(({ id }) => id)
    await cluster.call('UpdateService', { service: 'web', taskDefinition: 'web' })
    await keepFailing(cluster, 2)

    const { deployments, taskDefinition } = await cluster.service()
    expect(taskDefinition).toMatch(/web:1$/)
    expect(deployments?.[0]).toMatchObject({ id: before, status: 'PRIMARY', rolloutState: 'COMPLETED' })
    expect(cluster.running().map(({ id }) => id)).toEqual(kept)
    expect((await cluster.said())?.slice(0, 5)).toEqual([
      '(service web) has reached a steady state.',
      '(service web) (deployment ecs-svc/N) deployment completed.',
      expect.stringMatching('stopped 1 running tasks'),
      '(service web) rolling back to deployment ecs-svc/N.',
      '(service web) (deployment ecs-svc/N) deployment failed: tasks failed to start.',
    ])
  })

  test('shows its failure, and where the rollback goes, while its last task stops', async () => {
    const cluster = await steadyService({ thresholdConfiguration: { type: 'COUNT', value: 1 } })
    const before = (await cluster.service()).deployments?.[0]?.id
    await cluster.call('UpdateService', { service: 'web', taskDefinition: 'web' })
    await cluster.clock.settle()
    const [starts, fails] = cluster.tasks().filter(ofRevision(2))
    await cluster.report(starts as TaskRecord, 'RUNNING')
    await cluster.report(fails as TaskRecord, 'STOPPED', { stopCode: 'TaskFailedToStart' })
    await cluster.clock.settle()
    expect((await cluster.service()).deployments).toMatchObject([
      {
        id: before,
        status: 'PRIMARY',
        rolloutState: 'IN_PROGRESS',
        rolloutStateReason: `ECS deployment circuit breaker: rolling back to deploymentId ${before}.`,
      },
      {
        status: 'ACTIVE',
        rolloutState: 'FAILED',
        rolloutStateReason: 'ECS deployment circuit breaker: task failed to start.',
      },
    ])
    await cluster.hostsWork()
    expect((await cluster.service()).deployments).toMatchObject([{ id: before, rolloutState: 'COMPLETED' }])
  })

  test('without rollback starts no more tasks, and leaves those that run', async () => {
    const cluster = await steadyService({ rollback: false })
    await cluster.call('UpdateService', { service: 'web', taskDefinition: 'web' })
    await keepFailing(cluster, 2)
    expect(cluster.tasks().filter(ofRevision(2))).toHaveLength(4)
    expect((await cluster.service()).deployments?.[0]).toMatchObject({ rolloutState: 'FAILED', status: 'PRIMARY' })
    expect(cluster.running()).toHaveLength(2)

    await cluster.call('UpdateService', { service: 'web', taskDefinition: 'web:1' })
    await cluster.clock.settle()
    expect((await cluster.service()).deployments?.[0]).toMatchObject({ rolloutState: 'IN_PROGRESS' })
  })

  test('counts tasks that ran but ended before they were healthy, and forgets them when one is', async () => {
    const cluster = await steadyService()
    await cluster.call('UpdateService', { service: 'web', taskDefinition: 'web' })
    const crash = async () => {
      await cluster.clock.settle()
      const task = cluster.tasks().find((each) => each.revision === 2 && each.lastStatus === 'PENDING') as TaskRecord
      await cluster.report(task, 'RUNNING')
      await cluster.clock.advanceBy(100)
      await cluster.report(task, 'STOPPED', { stopCode: 'EssentialContainerExited' })
      await cluster.clock.settle()
    }
    await crash()
    await crash()
    const [survivor] = cluster.tasks().filter((each) => each.revision === 2 && each.lastStatus === 'PENDING')
    await cluster.report(survivor as TaskRecord, 'RUNNING')
    await cluster.clock.advanceBy(5000)
    await crash()
    await crash()
    expect((await cluster.service()).deployments?.[0]).toMatchObject({ rolloutState: 'IN_PROGRESS' })
    await crash()
    expect((await cluster.service()).taskDefinition).toMatch(/web:1$/)
  })

  test('keeps the count over healthy tasks where resetOnHealthyTask is false', async () => {
    const cluster = await steadyService({ resetOnHealthyTask: false })
    await cluster.call('UpdateService', { service: 'web', taskDefinition: 'web' })
    await cluster.clock.settle()
    const fail = async () => {
      const [task] = cluster.tasks().filter((each) => each.revision === 2 && each.lastStatus === 'PENDING')
      await cluster.report(task as TaskRecord, 'STOPPED', { stopCode: 'TaskFailedToStart' })
      await cluster.clock.advanceBy(5000)
    }
    await fail()
    await fail()
    const [survivor] = cluster.tasks().filter((each) => each.revision === 2 && each.lastStatus === 'PENDING')
    await cluster.report(survivor as TaskRecord, 'RUNNING')
    await cluster.clock.advanceBy(5000)
    expect((await cluster.service()).taskDefinition).toMatch(/web:2$/)
    await fail()
    expect((await cluster.service()).taskDefinition).toMatch(/web:1$/)
  })

  test('counts tasks whose health check fails as soon as it does', async () => {
    const cluster = await steadyService({ thresholdConfiguration: { type: 'COUNT', value: 2 } })
    await cluster.newRevision({ healthCheck: { command: ['CMD', 'false'] } })
    await cluster.call('UpdateService', { service: 'web', taskDefinition: 'web' })
    await cluster.clock.settle()
    await cluster.hostsWork()
    for (const task of cluster.running().filter(ofRevision(3))) await cluster.reportHealth(task, 'UNHEALTHY')
    await cluster.clock.settle()
    expect((await cluster.service()).taskDefinition).toMatch(/web:1$/)
    expect(await cluster.said()).toContain('(service web) (task ID) failed container health checks.')
  })

  test('has failed itself when it is the one that was rolled back to', async () => {
    const cluster = await steadyService()
    await cluster.call('UpdateService', {
      service: 'web',
      taskDefinition: 'web',
      deploymentConfiguration: { minimumHealthyPercent: 0, maximumPercent: 100 },
    })
    await cluster.clock.settle()
    for (let second = 0; second < 60; second++) {
      for (const task of cluster.tasks())
        if (task.desiredStatus === 'STOPPED' && task.lastStatus !== 'STOPPED') await cluster.report(task, 'STOPPED')
      await cluster.failPending()
      await cluster.clock.advanceBy(1000)
    }
    const { deployments, taskDefinition } = await cluster.service()
    expect(taskDefinition).toMatch(/web:1$/)
    expect(deployments).toMatchObject([{ status: 'PRIMARY', rolloutState: 'FAILED' }])
  })
})
