import type { HostAnswer } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { describe, expect, test } from 'vitest'
import { hostIds, testCluster } from '../api/ecs/testing/test-cluster.ts'
import { testScope } from '../api/ecs/testing/test-control-plane.ts'
import type { TaskRecord } from '../cell/records.ts'
import { arnOfTask } from '../cell/task-arns.ts'
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
      {
        id: 1,
        question: { $case: 'containerResources', value: { taskArn: arnOfTask(testScope, task), containerName } },
      },
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
    await call('StopTask', { task: arnOfTask(testScope, task) })
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

describe('the protection that a task asks for itself', () => {
  /** A task of a service, and one that belongs to none. */
  async function tasks() {
    const cluster = await testCluster({ hosts: 1 })
    await cluster.call('RunTask', { taskDefinition: 'web', count: 2 })
    const [alone, other] = [...cluster.cell.tables.tasks.values()] as [TaskRecord, TaskRecord]
    await cluster.put('tasks', other.id, { ...other, serviceName: 'shop' })
    const ask = (task: TaskRecord, change?: { enabled: boolean; expiresInMinutes: number }, hostId = task.hostId) =>
      answerQuestion(
        hostId as string,
        { id: 1, question: { $case: 'taskProtection', value: { taskArn: arnOfTask(testScope, task), change } } },
        { ...cluster.deps, resources },
        new AbortController().signal,
      )
    return { ...cluster, alone, member: other, ask }
  }
  const answer = (enabled: boolean, expiresAt: number, failure = '') => ({
    $case: 'taskProtection',
    value: { enabled, expiresAt, failure },
  })

  test('lasts as long as it asks for, or two hours', async () => {
    const { ask, member, clock, cell } = await tasks()
    expect(await ask(member)).toEqual(answer(false, 0))
    const hour = answer(true, clock.now() + 3600_000)
    expect(await ask(member, { enabled: true, expiresInMinutes: 60 })).toEqual(hour)
    expect(await ask(member)).toEqual(hour)
    const twoHours = answer(true, clock.now() + 2 * 3600_000)
    expect(await ask(member, { enabled: true, expiresInMinutes: 0 })).toEqual(twoHours)
    expect(await ask(member, { enabled: false, expiresInMinutes: 0 })).toEqual(answer(false, 0))
    expect(cell.tables.tasks.get(member.id)).not.toHaveProperty('protectedUntil')
  })

  test('is for tasks of services, and longer than two days for none', async () => {
    const { ask, alone, member } = await tasks()
    expect(await ask(alone, { enabled: true, expiresInMinutes: 60 })).toEqual(answer(false, 0, 'TASK_NOT_VALID'))
    expect(await ask(member, { enabled: true, expiresInMinutes: 2881 })).toMatchObject({ $case: 'error' })
    expect(await ask(member, { enabled: true, expiresInMinutes: 60 }, hostIds[1])).toMatchObject({ $case: 'error' })
    expect(await ask(member)).toEqual(answer(false, 0))
  })
})
