import type { HostAnswer } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { describe, expect, test } from 'vitest'
import { hostIds, testCluster } from '../api/ecs/testing/test-cluster.ts'
import { testScope } from '../api/ecs/testing/test-control-plane.ts'
import type { TaskRecord } from '../cell/records.ts'
import { noResourceStores, type ResourceStores } from '../task-resources/container-resources.ts'
import { assignmentsOfHost } from './host-assignments.ts'
import { answerQuestion } from './host-questions.ts'

const resources: ResourceStores = {
  ...noResourceStores,
  secrets: { valueOf: (reference) => Promise.resolve(`the value of ${reference.name}`) },
}

/** A task with a secret on host `a`, and a way to ask about it as a host. */
async function taskWithSecret() {
  const cluster = await testCluster({
    hosts: 2,
    host: { attributes: [{ name: 'ecs.capability.secrets.ssm.environment-variables', fromAgent: true }] },
  })
  await cluster.call('RegisterTaskDefinition', {
    family: 'secretive',
    containerDefinitions: [
      { name: 'app', image: 'app', memory: 64, secrets: [{ name: 'TOKEN', valueFrom: '/token' }] },
      { name: 'open', image: 'app', memory: 64, essential: false },
    ],
  })
  await cluster.call('RunTask', { taskDefinition: 'secretive' })
  const [task] = cluster.cell.tables.tasks.values() as Iterable<TaskRecord> as [TaskRecord]
  const ask = (hostId: string, containerName = 'app', stores = resources) =>
    answerQuestion(
      hostId,
      { id: 1, question: { $case: 'containerResources', value: { taskArn: task.arn, containerName } } },
      { ...cluster.deps, resources: stores },
      new AbortController().signal,
    )
  return { ...cluster, task, hostId: task.hostId as string, ask }
}

const refusal = { $case: 'error', value: 'this host has no such container to start' }

describe('the secrets of a task', () => {
  test('are in nothing that the host is told before it asks', async () => {
    const { cell, hostId } = await taskWithSecret()
    const [assignment] = assignmentsOfHost(cell.tables, hostId, testScope)
    expect(assignment?.containers.map(({ needsResources }) => needsResources)).toEqual([true, false])
    expect(JSON.stringify(assignment)).not.toContain('token')
  })

  test('are answered to its own host', async () => {
    const { ask, hostId } = await taskWithSecret()
    expect(await ask(hostId)).toMatchObject({
      $case: 'containerResources',
      value: { environment: [{ key: 'TOKEN', value: 'the value of /token' }] },
    })
  })

  test('are answered to no other host, and for no container that it does not have', async () => {
    const { ask, hostId } = await taskWithSecret()
    const other = hostIds.find((id) => id !== hostId) as string
    expect(await ask(other)).toEqual(refusal)
    expect(await ask(hostId, 'none')).toEqual(refusal)
  })

  test('are not answered any more once the task is to stop', async () => {
    const { ask, hostId, call, task } = await taskWithSecret()
    await call('StopTask', { task: task.arn })
    expect(await ask(hostId)).toEqual(refusal)
  })

  test('that cannot be had are answered with the reason', async () => {
    const { ask, hostId } = await taskWithSecret()
    expect(await ask(hostId, 'app', noResourceStores)).toEqual<HostAnswer['answer']>({
      $case: 'error',
      value: 'unable to pull secrets or registry auth: the control plane has no secrets store: set BERTH_SECRETS_FILE',
    })
  })

  test('do not show in the answer when a store fails in a way of its own', async () => {
    const { ask, hostId } = await taskWithSecret()
    const failing = { ...resources, secrets: { valueOf: () => Promise.reject(new Error('hunter2')) } }
    expect(await ask(hostId, 'app', failing)).toEqual({
      $case: 'error',
      value: 'an internal error of the control plane',
    })
  })
})
