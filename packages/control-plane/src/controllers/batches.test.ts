import { expect, test, vi } from 'vitest'
import type { EcsInput } from '../api/operation.ts'
import { ecsHandlers } from '../api/ecs/ecs-handlers.ts'
import { callOperations } from '../api/ecs/testing/call-operation.ts'
import { container, definitionOf } from '../api/ecs/testing/definitions.ts'
import { hostIds, testCluster } from '../api/ecs/testing/test-cluster.ts'
import { clusterWithServices } from './testing/service-cluster.ts'
import * as placement from '../scheduler/placement.ts'

vi.mock('../scheduler/placement.ts', { spy: true })

const room = { cpu: 400 * 16, memoryMib: 400 * 8, dynamicPorts: { first: 49153, last: 65535 } }
const tiny = definitionOf([container({ cpu: 16, memory: 8 })], { family: 'tiny' })

/** How often the scheduler was asked while `what` was going on. */
async function placementsDuring(what: () => Promise<unknown>): Promise<number> {
  const before = vi.mocked(placement.place).mock.calls.length
  await what()
  return vi.mocked(placement.place).mock.calls.length - before
}

test('a RunTask of 1000 is one placement and one commit, and its client token remembers all of them', async () => {
  const plane = await testCluster({ hosts: 3, host: room })
  const deps = { ...plane.deps, settings: { ...plane.deps.settings, runTaskLimit: 10_000 } }
  const call = callOperations(plane, ecsHandlers(deps))
  await call('RegisterTaskDefinition', tiny)
  let commits = 0
  plane.cell.onDurable(() => commits++)
  const input: EcsInput<'RunTask'> = { taskDefinition: 'tiny', count: 1000, clientToken: 'once' }
  const arns: (string | undefined)[] = []
  const asked = await placementsDuring(async () => {
    const { tasks = [], failures } = await call('RunTask', input)
    expect(failures).toEqual([])
    arns.push(...tasks.map(({ taskArn }) => taskArn))
  })
  expect([asked, commits, new Set(arns).size]).toEqual([1, 1, 1000])
  for (const id of hostIds.slice(0, 3)) expect(plane.cell.tables.tasks.countBy('host', id)).toBeLessThanOrEqual(400)
  expect((await call('RunTask', input)).tasks?.map(({ taskArn }) => taskArn)).toEqual(arns)

  const tags = [{ key: 'berth:queue', value: 'enabled' }]
  const { tasks = [] } = await call('RunTask', { taskDefinition: 'tiny', count: 1000, tags })
  const statuses = Map.groupBy(tasks, ({ lastStatus }) => lastStatus)
  expect([statuses.get('PENDING')?.length, statuses.get('PROVISIONING')?.length]).toEqual([200, 800])
})

test('what a service lacks is placed as a group, whose answers are pages as ever', async () => {
  const { call, clock, tasks } = await clusterWithServices(3, room)
  await call('RegisterTaskDefinition', tiny)
  const asked = await placementsDuring(async () => {
    await call('CreateService', { serviceName: 'many', taskDefinition: 'tiny', desiredCount: 600, launchType: 'EC2' })
    await clock.settle()
  })
  expect([asked, tasks().length]).toEqual([1, 600])
  const { taskArns = [] } = await call('ListTasks', { serviceName: 'many', maxResults: 100 })
  expect((await call('DescribeTasks', { tasks: taskArns })).tasks).toHaveLength(100)
})
