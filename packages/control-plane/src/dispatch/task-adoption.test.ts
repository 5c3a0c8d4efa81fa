import { TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { expect, test } from 'vitest'
import { testCluster, hostIds } from '../api/ecs/testing/test-cluster.ts'
import { adoptTasks } from './task-adoption.ts'

const taskArn = `arn:aws:ecs:us-east-1:123456789012:task/default/${'e'.repeat(32)}`

test('a task that is taken over holds what it was given, also of custom resources', async () => {
  const { cell, deps } = await testCluster({ hosts: 1, host: { custom: { fpga: 3 } } })
  const [hostId = ''] = hostIds
  const assignment = TaskAssignment.fromPartial({
    taskArn,
    clusterArn: 'arn:aws:ecs:us-east-1:123456789012:cluster/default',
    family: 'f',
    revision: 1,
    group: 'family:f',
    containers: [{ name: 'a', dockerLabels: [{ key: 'berth.resource/fpga', value: '2' }] }, { name: 'b' }],
  })
  await cell.transact((tx) => {
    adoptTasks(tx, hostId, [assignment], deps)
  })
  expect(cell.tables.tasks.get('e'.repeat(32))?.claim).toMatchObject({ custom: { fpga: 2 }, gpus: 0 })
  expect(cell.fleet.hosts.roomOn(hostId)?.custom).toEqual(new Map([['fpga', 1]]))
})
