import type { DeploymentConfiguration } from '@aws-sdk/client-ecs'
import { describe, expect, test } from 'vitest'
import type { TaskRecord } from '../cell/records.ts'
import { clusterWithServices } from './testing/service-cluster.ts'

/** A steady service of two tasks that begins to go to its second revision, whose tasks run at once. */
async function rollingService(deploymentConfiguration: DeploymentConfiguration, more: object = {}) {
  const cluster = await clusterWithServices()
  await cluster.call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 2, ...more })
  await cluster.clock.settle()
  await cluster.hostsWork()
  await cluster.clock.advanceBy(5000)
  await cluster.newRevision()
  await cluster.call('UpdateService', { service: 'web', taskDefinition: 'web', deploymentConfiguration })
  await cluster.clock.settle()
  const rollout = async () => (await cluster.service()).deployments?.[0]?.rolloutState
  const pending = () => cluster.tasks().filter(({ lastStatus }) => lastStatus === 'PENDING')
  return { ...cluster, rollout, pending }
}

describe('a rollout', () => {
  test('completes when it has arrived and its bake time is over', async () => {
    const { hostsWork, clock, rollout, said } = await rollingService({ bakeTimeInMinutes: 2 })
    await hostsWork()
    await clock.advanceBy(5000)
    await hostsWork()
    await clock.advanceBy(119_000)
    expect(await rollout()).toBe('IN_PROGRESS')
    await clock.advanceBy(1000)
    expect(await rollout()).toBe('COMPLETED')
    expect((await said())?.slice(0, 2)).toEqual([
      '(service web) has reached a steady state.',
      '(service web) (deployment ecs-svc/N) deployment completed.',
    ])
  })

  test('can still fail while it bakes', async () => {
    const { hostsWork, clock, running, report, service } = await rollingService({
      bakeTimeInMinutes: 60,
      deploymentCircuitBreaker: {
        enable: true,
        rollback: true,
        resetOnHealthyTask: false,
        thresholdConfiguration: { type: 'COUNT', value: 1 },
      },
    })
    await hostsWork()
    await clock.advanceBy(5000)
    await hostsWork()
    const [victim] = running()
    await report(victim as TaskRecord, 'STOPPED', { stopCode: 'EssentialContainerExited' })
    await clock.settle()
    await hostsWork()
    const replacement = running().find(({ healthyAt }) => healthyAt === undefined)
    await report(replacement as TaskRecord, 'STOPPED', { stopCode: 'EssentialContainerExited' })
    await clock.settle()
    expect((await service()).taskDefinition).toMatch(/web:1$/)
  })

  test.each([
    ['DEFERRED', 'COMPLETED'],
    ['BLOCKING', 'IN_PROGRESS'],
  ] as const)('succeeds early by its criteria, with %s removal of what was before', async (cleanup, expected) => {
    const { clock, rollout, pending, report, hostsWork, said } = await rollingService({
      minimumHealthyPercent: 50,
      earlySuccessCriteria: { enable: true, healthyPercent: 50, sourceServiceRevisionCleanup: cleanup },
    })
    const [one] = pending()
    await report(one as TaskRecord, 'RUNNING')
    await clock.advanceBy(5000)
    expect(await rollout()).toBe(expected)
    await hostsWork()
    await clock.advanceBy(5000)
    await hostsWork()
    await clock.advanceBy(5000)
    expect(await rollout()).toBe('COMPLETED')
    const sentences = (await said()) ?? []
    expect(sentences).toContain('(service web) has reached a steady state.')
    expect(sentences.filter((sentence) => sentence?.endsWith('deployment completed.'))).toHaveLength(2)
  })

  test('looks at health checks only when the grace period is over', async () => {
    const cluster = await clusterWithServices()
    await cluster.newRevision({ healthCheck: { command: ['CMD', 'true'] } })
    await cluster.call('CreateService', {
      serviceName: 'web',
      taskDefinition: 'web',
      desiredCount: 1,
      healthCheckGracePeriodSeconds: 30,
    })
    await cluster.clock.settle()
    await cluster.hostsWork()
    await cluster.reportHealth(cluster.running()[0] as TaskRecord, 'UNHEALTHY')
    await cluster.clock.advanceBy(29_000)
    expect(cluster.tasks()).toHaveLength(1)
    await cluster.clock.advanceBy(1000)
    expect(cluster.tasks()).toHaveLength(2)
    await cluster.hostsWork()
    await cluster.reportHealth(cluster.running()[1] as TaskRecord, 'HEALTHY')
    await cluster.clock.settle()
    expect(cluster.running().map(({ containers }) => containers[0]?.healthStatus)).toEqual(['HEALTHY'])
    expect(cluster.tasks()[0]).toMatchObject({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: 'Task failed container health checks',
    })
  })
})
