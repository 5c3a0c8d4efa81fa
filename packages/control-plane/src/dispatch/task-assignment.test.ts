import { NetworkMode } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { describe, expect, test } from 'vitest'
import { container, definitionOf } from '../api/ecs/testing/definitions.ts'
import { inOneSubnet, testCluster } from '../api/ecs/testing/test-cluster.ts'
import { testScope } from '../api/ecs/testing/test-control-plane.ts'
import type { TaskRecord } from '../cell/records.ts'
import { assignmentsOfHost } from './host-assignments.ts'

async function assignmentOf(
  run: Parameters<Awaited<ReturnType<typeof testCluster>>['call']>[1] & object,
  cluster?: Awaited<ReturnType<typeof testCluster>>,
) {
  cluster ??= await testCluster({ hosts: 1 })
  await cluster.call('RunTask', run as never)
  const [task] = cluster.cell.tables.tasks.values()
  const [assignment] = assignmentsOfHost(cluster.cell.tables, (task as TaskRecord).hostId as string, testScope)
  if (!assignment) throw new Error('nothing was assigned')
  return assignment
}

describe('what a host is told of a task', () => {
  test('an EC2 task without limits of its own gets none: the CPU of its containers is a share', async () => {
    const assignment = await assignmentOf({ taskDefinition: 'web' })
    expect(assignment).toMatchObject({
      cpu: 0,
      memoryMib: 0,
      launchType: 'EC2',
      networkMode: NetworkMode.NETWORK_MODE_BRIDGE,
      shouldRun: true,
    })
    expect(assignment.containers[0]).toMatchObject({ cpu: 256, memoryMib: 512 })
    expect(assignment.containers[0]?.ports[0]?.hostPort).toBeGreaterThanOrEqual(49_153)
  })

  test('a FARGATE task gets its size as a limit, and an interface', async () => {
    const assignment = await assignmentOf({
      taskDefinition: 'wide',
      launchType: 'FARGATE',
      networkConfiguration: inOneSubnet,
    })
    expect(assignment).toMatchObject({ cpu: 256, memoryMib: 512, networkMode: NetworkMode.NETWORK_MODE_AWSVPC })
    expect(assignment.networkInterfaceId).toMatch(/^eni-/)
  })

  test('an EFS volume is named by its file system and directory, to a host that mounts such', async () => {
    const attributes = [{ name: 'ecs.capability.efs', fromAgent: true }]
    const cluster = await testCluster({ hosts: 1, host: { attributes } })
    const volumes = [{ name: 'data', efsVolumeConfiguration: { fileSystemId: 'fs-1' } }]
    await cluster.call('RegisterTaskDefinition', definitionOf([container()], { family: 'stored', volumes }))
    const assignment = await assignmentOf({ taskDefinition: 'stored' }, cluster)
    expect(assignment.volumes).toEqual([
      { name: 'data', source: { $case: 'efs', value: { fileSystemId: 'fs-1', rootDirectory: '/' } } },
    ])
  })

  test('overrides set limits, replace the command and variables of the same name, and add the others', async () => {
    const { containers, cpu } = await assignmentOf({
      taskDefinition: 'web',
      overrides: {
        cpu: '512',
        containerOverrides: [{ name: 'app', command: ['sh', '-c', 'true'], environment: [{ name: 'A', value: 'b' }] }],
      },
    })
    expect(cpu).toBe(512)
    expect(containers[0]).toMatchObject({
      command: { values: ['sh', '-c', 'true'] },
      environment: [{ key: 'A', value: 'b' }],
    })
  })
})
