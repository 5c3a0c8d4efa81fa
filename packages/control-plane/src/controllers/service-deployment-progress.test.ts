import { describe, expect, onTestFinished, test } from 'vitest'
import type { TaskRecord } from '../cell/records.ts'
import { reaperController } from './reaper.ts'
import { clusterWithServices } from './testing/service-cluster.ts'

/** A steady service of two tasks, whose second revision is registered. */
async function steadyService(breaker = { enable: true, rollback: true }) {
  const cluster = await clusterWithServices()
  await cluster.call('CreateService', {
    serviceName: 'web',
    taskDefinition: 'web',
    desiredCount: 2,
    deploymentConfiguration: { deploymentCircuitBreaker: breaker },
  })
  const settleIn = async () => {
    await cluster.clock.settle()
    await cluster.hostsWork()
    await cluster.clock.advanceBy(5000)
    await cluster.hostsWork()
  }
  const described = async (index: number) => {
    const { serviceDeployments: list = [] } = await cluster.call('ListServiceDeployments', { service: 'web' })
    const serviceDeploymentArns = [list[index]?.serviceDeploymentArn ?? '']
    const { serviceDeployments } = await cluster.call('DescribeServiceDeployments', { serviceDeploymentArns })
    if (!serviceDeployments?.[0]) throw new Error('no such service deployment')
    return serviceDeployments[0]
  }
  const stop = async (stopType?: 'ABORT' | 'ROLLBACK') => {
    const { currentServiceDeployment: arn = '' } = await cluster.service()
    return cluster.call('StopServiceDeployment', { serviceDeploymentArn: arn, ...(stopType && { stopType }) })
  }
  await settleIn()
  await cluster.newRevision()
  return {
    ...cluster,
    settleIn,
    described,
    stop,
    update: () => cluster.call('UpdateService', { service: 'web', taskDefinition: 'web' }),
  }
}

describe('a service deployment', () => {
  test('goes on, and succeeds when the service is steady', async () => {
    const cluster = await steadyService()
    expect(await cluster.described(0)).toMatchObject({
      status: 'SUCCESSFUL',
      sourceServiceRevisions: [],
      targetServiceRevision: { requestedTaskCount: 2, runningTaskCount: 2, pendingTaskCount: 0 },
      deploymentCircuitBreaker: { status: 'MONITORING_COMPLETE', failureCount: 0, threshold: 3 },
      startedAt: expect.any(Date),
      finishedAt: expect.any(Date),
    })
    const updated = cluster.update()
    const { service } = await updated
    expect(service?.currentServiceRevisions).toHaveLength(2)
    await cluster.clock.settle()
    expect(await cluster.described(0)).toMatchObject({
      serviceDeploymentArn: service?.currentServiceDeployment,
      status: 'IN_PROGRESS',
      sourceServiceRevisions: [{ runningTaskCount: 2 }],
      deploymentCircuitBreaker: { status: 'MONITORING' },
    })
    await cluster.settleIn()
    expect((await cluster.described(0)).status).toBe('SUCCESSFUL')
    expect((await cluster.service()).currentServiceRevisions).toHaveLength(1)
  })

  test('tells what its target is made from', async () => {
    const cluster = await steadyService()
    await cluster.update()
    const serviceRevisionArns = [(await cluster.described(0)).targetServiceRevision?.arn ?? '']
    const { serviceRevisions, failures } = await cluster.call('DescribeServiceRevisions', { serviceRevisionArns })
    expect(failures).toEqual([])
    expect(serviceRevisions).toMatchObject([
      {
        taskDefinition: expect.stringMatching(/web:2$/),
        launchType: 'EC2',
        containerImages: [{ containerName: 'main', image: 'busybox:2' }],
      },
    ])
  })

  test('is rolled back by the circuit breaker', async () => {
    const cluster = await steadyService()
    await cluster.update()
    for (let second = 0; second < 10; second++) {
      await cluster.failPending()
      await cluster.clock.advanceBy(1000)
    }
    expect(await cluster.described(0)).toMatchObject({
      status: 'ROLLBACK_SUCCESSFUL',
      statusReason: expect.stringMatching(
        /^ECS deployment circuit breaker: rolling back to deploymentId ecs-svc\/\d+\.$/,
      ),
      rollback: { serviceRevisionArn: (await cluster.described(1)).targetServiceRevision?.arn },
      deploymentCircuitBreaker: { status: 'TRIGGERED', failureCount: 3, threshold: 3 },
    })
  })

  test('says why it was rolled back also where that is over at once, since nothing of the revision before had stopped', async () => {
    const cluster = await steadyService()
    await cluster.call('UpdateService', {
      service: 'web',
      taskDefinition: 'web',
      deploymentConfiguration: {
        deploymentCircuitBreaker: { enable: true, rollback: true, thresholdConfiguration: { type: 'COUNT', value: 2 } },
      },
    })
    await cluster.clock.settle()
    const pending = cluster.tasks().filter(({ revision }) => revision === 2)
    await Promise.all(pending.map((task) => cluster.report(task, 'STOPPED', { stopCode: 'TaskFailedToStart' })))
    await cluster.clock.settle()
    const reason = expect.stringMatching(
      /^ECS deployment circuit breaker: rolling back to deploymentId ecs-svc\/\d+\.$/,
    )
    expect(await cluster.described(0)).toMatchObject({
      status: 'ROLLBACK_SUCCESSFUL',
      statusReason: reason,
      rollback: { reason },
      deploymentCircuitBreaker: { status: 'TRIGGERED', failureCount: 2, threshold: 2 },
    })
  })

  test('is STOPPED by a failure without rollback, and by a newer deployment', async () => {
    const cluster = await steadyService({ enable: true, rollback: false })
    await cluster.update()
    for (let second = 0; second < 10; second++) {
      await cluster.failPending()
      await cluster.clock.advanceBy(1000)
    }
    expect(await cluster.described(0)).toMatchObject({
      status: 'STOPPED',
      statusReason: 'ECS deployment circuit breaker: task failed to start.',
      stoppedAt: expect.any(Date),
    })
    await cluster.update()
    await cluster.call('UpdateService', { service: 'web', forceNewDeployment: true })
    await cluster.clock.advanceBy(1)
    await cluster.call('UpdateService', { service: 'web', forceNewDeployment: true })
    expect(await cluster.described(1)).toMatchObject({ status: 'STOPPED' })
  })

  test('is rolled back where a user asks for it', async () => {
    const cluster = await steadyService()
    await cluster.update()
    await cluster.clock.settle()
    const [one] = cluster.tasks().filter(({ revision }) => revision === 2)
    await cluster.report(one as TaskRecord, 'RUNNING')
    await cluster.stop()
    await cluster.clock.settle()
    expect(await cluster.described(0)).toMatchObject({
      status: 'ROLLBACK_IN_PROGRESS',
      deploymentCircuitBreaker: { status: 'MONITORING_COMPLETE', failureCount: 0 },
    })
    await cluster.hostsWork()
    expect(await cluster.described(0)).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL' })
    expect((await cluster.service()).taskDefinition).toMatch(/web:1$/)
    expect(cluster.running()).toHaveLength(2)
    await expect(cluster.stop()).rejects.toMatchObject({ code: 'ConflictException' })
  })

  test('stays where it is when a user aborts it', async () => {
    const cluster = await steadyService()
    await cluster.update()
    await cluster.clock.settle()
    await cluster.stop('ABORT')
    await cluster.settleIn()
    expect(await cluster.described(0)).toMatchObject({
      status: 'STOPPED',
      statusReason: 'ECS deployment stopped by user.',
    })
    expect((await cluster.service()).deployments?.[0]).toMatchObject({ rolloutState: 'FAILED' })
  })

  test('cannot be rolled back when it is the first', async () => {
    const cluster = await clusterWithServices()
    const { service } = await cluster.call('CreateService', {
      serviceName: 'web',
      taskDefinition: 'web',
      desiredCount: 1,
    })
    const serviceDeploymentArn = service?.currentServiceDeployment ?? ''
    await expect(cluster.call('StopServiceDeployment', { serviceDeploymentArn })).rejects.toMatchObject({
      code: 'ClientException',
    })
  })

  test('ends with its service', async () => {
    const cluster = await steadyService()
    await cluster.update()
    await cluster.call('DeleteService', { service: 'web', force: true })
    await cluster.clock.settle()
    expect((await cluster.described(0)).status).toBe('STOPPED')
  })
})

describe('service deployments', () => {
  test('are listed newest first, by status and time of creation', async () => {
    const cluster = await steadyService()
    await cluster.update()
    const list = async (more: object = {}) =>
      (await cluster.call('ListServiceDeployments', { service: 'web', ...more })).serviceDeployments?.map(
        ({ status }) => status,
      )
    expect(await list()).toEqual(['IN_PROGRESS', 'SUCCESSFUL'])
    expect(await list({ status: ['SUCCESSFUL'] })).toEqual(['SUCCESSFUL'])
    const [newest] = (await cluster.call('ListServiceDeployments', { service: 'web' })).serviceDeployments ?? []
    const seconds = (newest?.createdAt?.getTime() ?? 0) / 1000
    expect(await list({ createdAt: { before: seconds } })).toEqual(['SUCCESSFUL'])
    expect(await list({ createdAt: { after: seconds } })).toEqual([])
    const page = await cluster.call('ListServiceDeployments', { service: 'web', maxResults: 1 })
    expect(page.serviceDeployments).toHaveLength(1)
    expect(await list({ nextToken: page.nextToken })).toEqual(['SUCCESSFUL'])
  })

  test('that are not there are MISSING, and what is no ARN of one is refused', async () => {
    const cluster = await clusterWithServices()
    const arn = 'arn:aws:ecs:us-east-1:123456789012:service-deployment/default/web/0'
    const { failures } = await cluster.call('DescribeServiceDeployments', { serviceDeploymentArns: [arn] })
    expect(failures).toEqual([{ arn, reason: 'MISSING' }])
    await expect(cluster.call('StopServiceDeployment', { serviceDeploymentArn: arn })).rejects.toMatchObject({
      code: 'ServiceDeploymentNotFoundException',
    })
    await expect(cluster.call('DescribeServiceRevisions', { serviceRevisionArns: [arn] })).rejects.toMatchObject({
      code: 'InvalidParameterException',
    })
  })

  test('are forgotten after 90 days, but for the revision that runs', async () => {
    const cluster = await steadyService()
    await cluster.update()
    await cluster.settleIn()
    const [current] = (await cluster.service()).currentServiceRevisions ?? []
    await cluster.clock.advanceBy(91 * 24 * 3600_000)
    const reaper = reaperController(cluster.deps)
    reaper.start(cluster.cell)
    onTestFinished(() => reaper.stop())
    await cluster.clock.advanceBy(10_000)
    expect((await cluster.call('ListServiceDeployments', { service: 'web' })).serviceDeployments).toEqual([])
    expect(Array.from(cluster.cell.tables.serviceRevisions.values(), ({ id }) => id)).toEqual([
      current?.arn?.split('/').at(-1),
    ])
  })
})
