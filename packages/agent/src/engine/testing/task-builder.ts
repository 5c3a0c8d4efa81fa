import { ContainerSpec, type DeepPartial, NetworkMode, TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'

export const taskArnOf = (name: string): string => `arn:aws:ecs:us-east-1:123456789012:task/default/${name}`

/** A container of a definition, from only what the test is about. Essential unless it says otherwise. */
export const container = (name: string, over: DeepPartial<ContainerSpec> = {}): ContainerSpec =>
  ContainerSpec.fromPartial({ name, containerArn: `arn:${name}`, image: 'app:1', essential: true, ...over })

/** A task of these containers on the bridge network. */
export const task = (
  name: string,
  containers: readonly ContainerSpec[] = [container('app')],
  over: DeepPartial<TaskAssignment> = {},
): TaskAssignment =>
  TaskAssignment.fromPartial({
    taskArn: taskArnOf(name),
    clusterArn: 'arn:aws:ecs:us-east-1:123456789012:cluster/default',
    family: 'web',
    revision: 7,
    shouldRun: true,
    launchType: 'EC2',
    networkMode: NetworkMode.NETWORK_MODE_BRIDGE,
    containers: [...containers],
    ...over,
  })

export const awsvpc = { networkMode: NetworkMode.NETWORK_MODE_AWSVPC }
