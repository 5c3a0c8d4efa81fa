import { clusterArn, containerInstanceArn, serviceArn, taskDefinitionArn } from '@berth/shared/arn.ts'
import type { DeploymentRecord, HostRecord, ServiceRecord, TaskRecord } from '../../../cell/records.ts'
import { testScope } from './test-control-plane.ts'

/** The ARN of the cluster `default` of these tests. */
export const defaultClusterArn = clusterArn(testScope, 'default')

/** A task that runs on nothing in particular, in the cluster `default`. */
export function taskRecord(id: string, more: Partial<TaskRecord> = {}): TaskRecord {
  const cluster = more.cluster ?? 'default'
  return {
    id,
    cluster,
    taskDefinitionArn: taskDefinitionArn(testScope, 'web', 1),
    family: 'web',
    revision: 1,
    group: 'family:web',
    launchType: 'EC2',
    claim: { cpu: 0, memoryMib: 128, gpus: 0, networkInterfaces: 0, ports: [], dynamicPorts: [] },
    lastStatus: 'RUNNING',
    desiredStatus: 'RUNNING',
    connectivity: 'CONNECTED',
    containers: [],
    overrides: {},
    enableExecuteCommand: false,
    tags: {},
    version: 1,
    createdAt: 0,
    ...more,
  }
}

/** A host with nothing on it, in the cluster `default`. */
export function hostRecord(id: string, more: Partial<HostRecord> = {}): HostRecord {
  const cluster = more.cluster ?? 'default'
  return {
    id,
    arn: containerInstanceArn(testScope, cluster, id),
    cluster,
    agentHostId: `agent-${id}`,
    ec2InstanceId: `i-${id}`,
    status: 'ACTIVE',
    agentConnected: true,
    lost: false,
    engineHealthy: true,
    offersFargate: true,
    agentVersion: '1.0.0',
    agentHash: 'abc',
    dockerVersion: '29.0.0',
    address: '127.0.0.1',
    cpu: 4096,
    memoryMib: 8192,
    gpuIds: [],
    networkInterfaces: 10,
    reservedTcpPorts: [],
    reservedUdpPorts: [],
    dynamicPorts: { first: 49153, last: 65535 },
    attributes: [],
    tags: {},
    registeredAt: 0,
    version: 1,
    ...more,
  }
}

/** A deployment that is done, of `web:1`. */
export function deploymentRecord(more: Partial<DeploymentRecord> = {}): DeploymentRecord {
  return {
    id: 'ecs-svc/1234567890123456789',
    status: 'PRIMARY',
    taskDefinitionArn: taskDefinitionArn(testScope, 'web', 1),
    desiredCount: 1,
    launchType: 'EC2',
    capacityProviderStrategy: [],
    createdAt: 0,
    updatedAt: 0,
    rolloutState: 'COMPLETED',
    rolloutStateReason: '',
    failedTasks: 0,
    throttleSteps: 0,
    ...more,
  }
}

/** A service that wants one task of `web:1`, in the cluster `default`. */
export function serviceRecord(name: string, more: Partial<ServiceRecord> = {}): ServiceRecord {
  const cluster = more.cluster ?? 'default'
  return {
    name,
    cluster,
    arn: serviceArn(testScope, cluster, name),
    status: 'ACTIVE',
    schedulingStrategy: 'REPLICA',
    desiredCount: 1,
    taskDefinitionArn: taskDefinitionArn(testScope, 'web', 1),
    launchType: 'EC2',
    capacityProviderStrategy: [],
    deploymentController: 'ECS',
    deploymentConfiguration: {},
    placementConstraints: [],
    placementStrategy: [],
    availabilityZoneRebalancing: 'DISABLED',
    enableECSManagedTags: false,
    enableExecuteCommand: false,
    propagateTags: 'NONE',
    deployments: [deploymentRecord()],
    tags: {},
    createdAt: 0,
    createdBy: 'arn:aws:iam::123456789012:root',
    steady: true,
    ...more,
  }
}
