import type { HostRecord } from '../../../cell/records.ts'
import { ecsHandlers } from '../ecs-handlers.ts'
import { callOperations } from './call-operation.ts'
import { container, definitionOf, fargateDefinition } from './definitions.ts'
import { hostRecord } from './records.ts'
import { testControlPlane } from './test-control-plane.ts'

/** Ids of the hosts of `testCluster`, in order. */
export const hostIds = ['a', 'b', 'c'].map((digit) => digit.repeat(32))

/** The subnet and nothing else that awsvpc needs. */
export const inOneSubnet = { awsvpcConfiguration: { subnets: ['subnet-1'] } }

/**
 * The cluster `default` with hosts of 1024 CPU units and 2048 MiB, one in each zone, and the definitions `web` (256 units and 512 MiB
 * in a bridge) and `wide` (the same on FARGATE).
 */
export async function testCluster({ hosts = 2, host = {} }: { hosts?: number; host?: Partial<HostRecord> } = {}) {
  const plane = testControlPlane()
  const call = callOperations(plane, ecsHandlers(plane.deps))
  await call('CreateCluster', { capacityProviders: ['FARGATE', 'FARGATE_SPOT'] })
  for (const [index, id] of hostIds.slice(0, hosts).entries())
    await plane.put(
      'hosts',
      id,
      hostRecord(id, {
        cpu: 1024,
        memoryMib: 2048,
        attributes: [
          { name: 'ecs.availability-zone', value: `zone-${index}`, fromAgent: true },
          { name: 'ecs.cpu-architecture', value: 'x86_64', fromAgent: true },
          { name: 'ecs.capability.task-eni', fromAgent: true },
          { name: 'ecs.capability.task-cpu-mem-limit', fromAgent: true },
          { name: 'com.amazonaws.ecs.capability.docker-remote-api.1.18', fromAgent: true },
        ],
        ...host,
      }),
    )
  const web = definitionOf([container({ cpu: 256, memory: 512, portMappings: [{ containerPort: 80 }] })])
  await call('RegisterTaskDefinition', web)
  await call('RegisterTaskDefinition', fargateDefinition({ family: 'wide' }))
  return { ...plane, call }
}
