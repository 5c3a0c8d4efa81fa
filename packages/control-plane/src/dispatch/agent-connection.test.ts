import {
  type ControlMessage,
  ContainerReport,
  Hello,
  StatusReport,
  TaskReport,
} from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { containerStatusRank, taskStatusRank } from '@berth/shared/task-status.ts'
import { expect, test } from 'vitest'
import { testCluster } from '../api/ecs/testing/test-cluster.ts'
import { testScope } from '../api/ecs/testing/test-control-plane.ts'
import type { TaskRecord } from '../cell/records.ts'
import { arnOfTask } from '../cell/task-arns.ts'
import { noResourceStores } from '../task-resources/container-resources.ts'
import { AgentConnection } from './agent-connection.ts'

/** A host that has joined over a connection, with one task, and what it was sent. */
async function joinedHost() {
  const cluster = await testCluster({ hosts: 0 })
  const sent: NonNullable<ControlMessage['message']>[] = []
  const connection = new AgentConnection(
    { send: (message) => sent.push(message), close: () => {} },
    { kind: 'anybody' },
    {
      ...cluster.deps,
      resources: noResourceStores,
      authenticate: () => true,
      heartbeatIntervalMs: () => 5000,
      mayJoin: () => true,
      raiseAbove: () => {},
      joined: () => {},
      left: () => {},
    },
  )
  const attributes = [
    { name: 'com.amazonaws.ecs.capability.docker-remote-api.1.24' },
    { name: 'ecs.capability.container-health-check' },
  ]
  const resources = { cpu: 2048, memoryMib: 4096, networkInterfaces: 10 }
  const hello = Hello.fromPartial({
    protocolVersion: 1,
    cluster: 'default',
    hostId: 'h',
    resources,
    attributes,
    engineHealthy: true,
  })
  await connection.receive({ message: { $case: 'hello', value: hello } })
  await cluster.call('RegisterTaskDefinition', {
    family: 'checked',
    containerDefinitions: [{ name: 'app', image: 'app', memory: 64, healthCheck: { command: ['CMD', 'true'] } }],
  })
  const { failures } = await cluster.call('RunTask', { taskDefinition: 'checked' })
  expect(failures).toEqual([])
  const task = () => [...cluster.cell.tables.tasks.values()][0] as TaskRecord
  const report = (sequence: number, healthStatus: string) => {
    const containers = [ContainerReport.fromPartial({ name: 'app', status: containerStatusRank.RUNNING, healthStatus })]
    const tasks = [
      TaskReport.fromPartial({ taskArn: arnOfTask(testScope, task()), status: taskStatusRank.RUNNING, containers }),
    ]
    return connection.receive({
      message: { $case: 'statusReport', value: StatusReport.fromPartial({ sequence, tasks }) },
    })
  }
  const acknowledged = () => sent.flatMap((message) => (message.$case === 'statusAck' ? [message.value.sequence] : []))
  return { report, acknowledged, health: () => task().containers[0]?.healthStatus }
}

test('a report that comes again after a newer one is acknowledged, and takes nothing back', async () => {
  const { report, acknowledged, health } = await joinedHost()
  await report(1, 'UNKNOWN')
  await report(2, 'HEALTHY')
  await report(1, 'UNKNOWN')
  expect(health()).toBe('HEALTHY')
  expect(acknowledged()).toEqual([1, 2, 1])
  await report(3, 'UNHEALTHY')
  expect(health()).toBe('UNHEALTHY')
})
