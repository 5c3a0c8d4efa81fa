import type { ServiceRevision } from '@aws-sdk/client-ecs'
import { serviceRevisionArn } from '@berth/shared/arn.ts'
import { ContainerReport, TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { containerStatusRank, taskStatusRank } from '@berth/shared/task-status.ts'
import { describe, expect, test } from 'vitest'
import { testScope } from '../api/ecs/testing/test-control-plane.ts'
import { arnOfTask } from '../cell/task-arns.ts'
import { clusterWithServices } from '../controllers/testing/service-cluster.ts'
import { assignmentOf } from './host-assignments.ts'
import { applyStatusReport } from './status-intake.ts'
import type { TaskRecord } from '../cell/records.ts'

/** A service of two containers, whose hosts report digests. */
async function serviceOfTwo(helper: object = {}) {
  const cluster = await clusterWithServices()
  await cluster.call('RegisterTaskDefinition', {
    family: 'two',
    containerDefinitions: [
      { name: 'app', image: 'registry/app:1', memory: 64 },
      { name: 'helper', image: 'registry/helper:1', memory: 64, essential: false, ...helper },
    ],
  })
  await cluster.call('CreateService', {
    serviceName: 'two',
    taskDefinition: 'two',
    desiredCount: 1,
    deploymentConfiguration: { minimumHealthyPercent: 0 },
  })
  await cluster.clock.settle()
  const newest = () => cluster.tasks().at(-1) as TaskRecord
  const runs = (task: TaskRecord, digests: Readonly<Record<string, string>>) =>
    cluster.cell.transact((tx) => {
      const containers = Object.entries(digests).map(([name, imageDigest]) =>
        ContainerReport.fromPartial({ name, imageDigest, status: containerStatusRank.RUNNING }),
      )
      const report = TaskReport.fromPartial({
        taskArn: arnOfTask(testScope, task),
        status: taskStatusRank.RUNNING,
        containers,
      })
      applyStatusReport(tx, task.hostId as string, [report], cluster.deps)
    })
  /** What the host of a task is told to run. */
  const toldOf = (task: TaskRecord) =>
    assignmentOf(cluster.cell.tables, task, testScope)?.containers.map(({ imageDigest }) => imageDigest)
  const scale = async (desiredCount: number) => {
    await cluster.call('UpdateService', { service: 'two', desiredCount })
    await cluster.clock.settle()
    return newest()
  }
  const imagesOf = async (task: TaskRecord): Promise<ServiceRevision['containerImages']> => {
    const id = (task.deploymentId as string).replace('ecs-svc/', '')
    const serviceRevisionArns = [serviceRevisionArn(testScope, 'default', 'two', id)]
    const { serviceRevisions } = await cluster.call('DescribeServiceRevisions', { serviceRevisionArns })
    return serviceRevisions?.[0]?.containerImages
  }
  return { ...cluster, newest, runs, toldOf, scale, imagesOf }
}

describe('the images of a deployment', () => {
  test('are those that its first task came to', async () => {
    const { newest, runs, toldOf, scale, imagesOf } = await serviceOfTwo()
    const first = newest()
    expect(toldOf(first)).toEqual(['', ''])
    await runs(first, { app: 'sha256:a', helper: 'sha256:b' })
    expect(await imagesOf(first)).toEqual([
      { containerName: 'app', image: 'registry/app:1', imageDigest: 'sha256:a' },
      { containerName: 'helper', image: 'registry/helper:1', imageDigest: 'sha256:b' },
    ])
    const second = await scale(2)
    expect(second.id).not.toBe(first.id)
    expect(toldOf(second)).toEqual(['sha256:a', 'sha256:b'])
  })

  test('stay what they are when a later task comes to others', async () => {
    const { newest, runs, scale, imagesOf } = await serviceOfTwo()
    await runs(newest(), { app: 'sha256:a' })
    await runs(await scale(2), { app: 'sha256:other', helper: 'sha256:b' })
    expect((await imagesOf(newest()))?.map(({ imageDigest }) => imageDigest)).toEqual(['sha256:a', 'sha256:b'])
  })

  test('are found anew by the next deployment, also of the same definition', async () => {
    const { newest, runs, call, clock, toldOf } = await serviceOfTwo()
    const first = newest()
    await runs(first, { app: 'sha256:a', helper: 'sha256:b' })
    await call('UpdateService', { service: 'two', forceNewDeployment: true })
    await clock.settle()
    expect(newest().deploymentId).not.toBe(first.deploymentId)
    expect(toldOf(newest())).toEqual(['', ''])
  })

  test('are not kept for a container that does not want it', async () => {
    const { newest, runs, toldOf, scale } = await serviceOfTwo({ versionConsistency: 'disabled' })
    await runs(newest(), { app: 'sha256:a', helper: 'sha256:b' })
    expect(toldOf(await scale(2))).toEqual(['sha256:a', ''])
  })

  test('have no digest where they were made on the host', async () => {
    const { newest, runs, toldOf, scale } = await serviceOfTwo()
    await runs(newest(), { app: '', helper: '' })
    expect(toldOf(await scale(2))).toEqual(['', ''])
  })
})
