import type { DeploymentLifecycleHook } from '@aws-sdk/client-ecs'
import { describe, expect, test } from 'vitest'
import type { TaskRecord } from '../cell/records.ts'
import { clusterWithServices } from './testing/service-cluster.ts'

const pauseAt = (...lifecycleStages: NonNullable<DeploymentLifecycleHook['lifecycleStages']>) => ({
  targetType: 'PAUSE' as const,
  lifecycleStages,
})

/** A service of two tasks of `web:1` that are steady, and an update to `web:2` under way that stops at the hooks. */
async function updatedService(hook: DeploymentLifecycleHook, desiredCount = 2) {
  const cluster = await clusterWithServices()
  await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount })
  const goOn = async () => {
    await cluster.clock.settle()
    await cluster.hostsWork()
    await cluster.clock.advanceBy(5000)
  }
  await goOn()
  await cluster.newRevision()
  await cluster.call('UpdateService', {
    service: 'web',
    taskDefinition: 'web',
    deploymentConfiguration: { lifecycleHooks: [hook] },
  })
  await goOn()
  const deployment = async () => {
    const { currentServiceDeployment: arn = '' } = await cluster.service()
    const { serviceDeployments } = await cluster.call('DescribeServiceDeployments', { serviceDeploymentArns: [arn] })
    if (serviceDeployments?.[0] === undefined) throw new Error('no service deployment')
    return serviceDeployments[0]
  }
  const resume = async (how: { action?: 'CONTINUE' | 'ROLLBACK' } = {}) => {
    const { serviceDeploymentArn = '', lifecycleHookDetails = [] } = await deployment()
    const { hookId = '' } = lifecycleHookDetails.find(({ status }) => status === 'AWAITING_ACTION') ?? {}
    await cluster.call('ContinueServiceDeployment', { serviceDeploymentArn, hookId, ...how })
  }
  const revisions = () => cluster.running().map(({ revision }) => revision)
  return { ...cluster, goOn, deployment, resume, revisions }
}

describe('a PAUSE hook', () => {
  test('before the scale-up keeps what runs, and nothing new starts until it is continued', async () => {
    const cluster = await updatedService(pauseAt('PRE_SCALE_UP'))
    expect(await cluster.deployment()).toMatchObject({
      status: 'IN_PROGRESS',
      lifecycleStage: 'PRE_SCALE_UP',
      lifecycleHookDetails: [
        {
          hookId: expect.stringMatching(/^ecs-pause-[\w-]{43}$/) as unknown,
          targetType: 'PAUSE',
          status: 'AWAITING_ACTION',
          timeoutAction: 'ROLLBACK',
        },
      ],
    })
    expect(cluster.revisions()).toEqual([1, 1])

    await cluster.resume()
    await cluster.goOn()
    await cluster.goOn()
    expect(cluster.revisions()).toEqual([2, 2])
    expect(await cluster.deployment()).toMatchObject({
      status: 'SUCCESSFUL',
      lifecycleStage: 'CLEAN_UP',
      lifecycleHookDetails: [{ status: 'SUCCEEDED' }],
    })
  })

  test('before the scale-up replaces what dies by its like, and scales it', async () => {
    const cluster = await updatedService(pauseAt('PRE_SCALE_UP'))
    const [victim] = cluster.running()
    await cluster.report(victim as TaskRecord, 'STOPPED', { stopCode: 'EssentialContainerExited' })
    await cluster.call('UpdateService', { service: 'web', desiredCount: 3 })
    await cluster.goOn()
    expect(cluster.revisions()).toEqual([1, 1, 1])
    expect((await cluster.deployment()).status).toBe('IN_PROGRESS')
  })

  test('before the scale-up lets what keeps failing wait, longer each time', async () => {
    const cluster = await updatedService(pauseAt('PRE_SCALE_UP'))
    const [victim] = cluster.running()
    await cluster.report(victim as TaskRecord, 'STOPPED', { stopCode: 'EssentialContainerExited' })
    const before = cluster.tasks().length
    for (let second = 0; second < 20; second++) {
      await cluster.failPending()
      await cluster.clock.advanceBy(1000)
    }
    // One after each of 1, 2, 4 and 8 s, and the one that had failed first.
    expect(cluster.tasks().length - before).toBeLessThanOrEqual(5)
    expect(cluster.revisions()).toEqual([1])
  })

  test('before the scale-up holds a service that wants no tasks, and one that is new', async () => {
    const cluster = await updatedService(pauseAt('PRE_SCALE_UP'), 0)
    expect(await cluster.deployment()).toMatchObject({ status: 'IN_PROGRESS', lifecycleStage: 'PRE_SCALE_UP' })
    await cluster.call('CreateService', {
      serviceName: 'new',
      taskDefinition: 'web',
      desiredCount: 2,
      deploymentConfiguration: { lifecycleHooks: [pauseAt('PRE_SCALE_UP')] },
    })
    await cluster.goOn()
    expect(cluster.tasks().filter(({ serviceName }) => serviceName === 'new')).toEqual([])
  })

  test('after the scale-up keeps the deployment from completing, and rolls back where that is asked for', async () => {
    const cluster = await updatedService(pauseAt('POST_SCALE_UP'))
    await cluster.goOn()
    expect(cluster.revisions()).toEqual([2, 2])
    expect((await cluster.service()).deployments?.[0]?.rolloutState).toBe('IN_PROGRESS')
    expect((await cluster.deployment()).lifecycleStage).toBe('POST_SCALE_UP')

    await cluster.resume({ action: 'ROLLBACK' })
    await cluster.goOn()
    await cluster.goOn()
    expect(cluster.revisions()).toEqual([1, 1])
    expect(await cluster.deployment()).toMatchObject({
      status: 'ROLLBACK_SUCCESSFUL',
      lifecycleHookDetails: [{ status: 'FAILED' }],
    })
    expect((await cluster.deployment()).rollback?.reason).toMatch(
      /^ECS deployment rolled back at a lifecycle hook: rolling back to deploymentId ecs-svc\/\d+\.$/,
    )
  })

  test.each([
    ['ROLLBACK', 1, 'ROLLBACK_SUCCESSFUL'],
    ['CONTINUE', 2, 'SUCCESSFUL'],
  ] as const)('whose time is over does %s', async (action, revision, status) => {
    const timeoutConfiguration = { timeoutInMinutes: 10, action }
    const cluster = await updatedService({ ...pauseAt('PRE_SCALE_UP'), timeoutConfiguration })
    await cluster.clock.advanceBy(9 * 60_000)
    expect((await cluster.deployment()).lifecycleHookDetails?.[0]?.status).toBe('AWAITING_ACTION')
    await cluster.clock.advanceBy(60_000)
    await cluster.goOn()
    await cluster.goOn()
    expect(cluster.revisions()).toEqual([revision, revision])
    expect(await cluster.deployment()).toMatchObject({ status, lifecycleHookDetails: [{ status: 'TIMED_OUT' }] })
  })

  test('is there for services that are reconciled only when more than one revision runs', async () => {
    const cluster = await updatedService(pauseAt('RECONCILE_SERVICE', 'PRE_SCALE_UP'))
    expect((await cluster.deployment()).lifecycleHookDetails).toHaveLength(1)
    await cluster.resume()
    await cluster.clock.settle()
    await cluster.newRevision()
    await cluster.call('UpdateService', { service: 'web', taskDefinition: 'web' })
    await cluster.clock.settle()
    expect((await cluster.deployment()).lifecycleStage).toBe('RECONCILE_SERVICE')
    await cluster.resume()
    await cluster.clock.settle()
    expect(await cluster.deployment()).toMatchObject({
      lifecycleStage: 'PRE_SCALE_UP',
      lifecycleHookDetails: [{ status: 'SUCCEEDED' }, { status: 'AWAITING_ACTION' }],
    })
  })

  test('gives way to StopServiceDeployment', async () => {
    const cluster = await updatedService(pauseAt('PRE_SCALE_UP'))
    const { serviceDeploymentArn = '' } = await cluster.deployment()
    await cluster.call('StopServiceDeployment', { serviceDeploymentArn })
    await cluster.goOn()
    expect(cluster.revisions()).toEqual([1, 1])
    expect(await cluster.deployment()).toMatchObject({
      status: 'ROLLBACK_SUCCESSFUL',
      lifecycleHookDetails: [{ status: 'FAILED' }],
    })
  })

  test('can be continued once, by its own id, of a deployment that is there', async () => {
    const cluster = await updatedService(pauseAt('PRE_SCALE_UP'))
    const { serviceDeploymentArn = '', lifecycleHookDetails } = await cluster.deployment()
    const hookId = lifecycleHookDetails?.[0]?.hookId ?? ''
    const ask = (arn: string, id: string) =>
      cluster.call('ContinueServiceDeployment', { serviceDeploymentArn: arn, hookId: id })
    await expect(ask(serviceDeploymentArn, 'ecs-pause-x')).rejects.toMatchObject({ code: 'InvalidParameterException' })
    await expect(ask(`${serviceDeploymentArn.slice(0, -1)}!`, hookId)).rejects.toMatchObject({
      code: 'ServiceDeploymentNotFoundException',
    })
    await ask(serviceDeploymentArn, hookId)
    await expect(ask(serviceDeploymentArn, hookId)).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'The lifecycle hook is SUCCEEDED: it is not awaiting an action.',
    })
  })
})
