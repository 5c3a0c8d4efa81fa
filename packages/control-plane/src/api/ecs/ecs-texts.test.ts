import { describe, expect, it } from 'vitest'
import type { ApiErrorCode } from '../errors.ts'
import type { CallOperation } from './testing/call-operation.ts'
import { container, definitionOf, fargateDefinition } from './testing/definitions.ts'
import { hostIds, testCluster } from './testing/test-cluster.ts'

type Ask = (call: CallOperation) => Promise<unknown>

/** What is asked of a cluster with one host, and what it is refused with: ECS's own words, which clients match on. */
const refusals: readonly (readonly [ApiErrorCode, string, Ask])[] = [
  [
    'InvalidParameterException',
    'No Container Instances were found in your cluster.',
    async (call) => {
      await call('CreateCluster', { clusterName: 'empty' })
      return call('RunTask', { cluster: 'empty', taskDefinition: 'web' })
    },
  ],
  [
    'InvalidParameterException',
    'Creation of service was not idempotent.',
    async (call) => {
      await call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 1 })
      return call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 2 })
    },
  ],
  [
    'InvalidParameterException',
    'The service cannot be stopped while it is scaled above 0.',
    async (call) => {
      await call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 1 })
      return call('DeleteService', { service: 'web' })
    },
  ],
  [
    'ClusterContainsServicesException',
    'The Cluster cannot be deleted while Services are active.',
    async (call) => {
      await call('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 0 })
      return call('DeleteCluster', { cluster: 'default' })
    },
  ],
  [
    'ClusterContainsTasksException',
    'The Cluster cannot be deleted while Tasks are active.',
    async (call) => {
      await call('RunTask', { taskDefinition: 'web' })
      return call('DeleteCluster', { cluster: 'default' })
    },
  ],
  [
    'ClusterContainsContainerInstancesException',
    'The Cluster cannot be deleted while Container Instances are active or draining.',
    (call) => call('DeleteCluster', { cluster: 'default' }),
  ],
  ['ClusterNotFoundException', 'Cluster not found.', (call) => call('ListTasks', { cluster: 'nowhere' })],
  ['ServiceNotFoundException', 'Service not found.', (call) => call('UpdateService', { service: 'nobody' })],
  [
    'InvalidParameterException',
    'The referenced task was not found.',
    (call) => call('StopTask', { task: '0'.repeat(32) }),
  ],
  [
    'ClientException',
    'No Fargate configuration exists for given values.',
    (call) => call('RegisterTaskDefinition', fargateDefinition({ cpu: '256', memory: '4096' })),
  ],
  [
    'ClientException',
    'Fargate requires task definition to have execution role ARN to support ECR images.',
    (call) =>
      call(
        'RegisterTaskDefinition',
        fargateDefinition({
          containerDefinitions: [{ name: 'app', image: '123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1' }],
        }),
      ),
  ],
  [
    'ClientException',
    "Fargate requires that 'cpu' be defined at the task level.",
    (call) => call('RegisterTaskDefinition', { ...fargateDefinition(), cpu: undefined }),
  ],
  [
    'ClientException',
    "Fargate requires that 'memory' be defined at the task level.",
    (call) =>
      call('RegisterTaskDefinition', {
        ...fargateDefinition({ containerDefinitions: [container({ memory: 64 })] }),
        memory: undefined,
      }),
  ],
  [
    'ClientException',
    "Fargate only supports network mode 'awsvpc'.",
    (call) => call('RegisterTaskDefinition', fargateDefinition({ networkMode: 'bridge' })),
  ],
  [
    'ClientException',
    "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.",
    (call) => call('RegisterTaskDefinition', fargateDefinition({ pidMode: 'host' })),
  ],
  [
    'InvalidParameterException',
    'Task definition does not support launch_type FARGATE.',
    async (call) => {
      await call('RegisterTaskDefinition', definitionOf([container()], { family: 'bridged', networkMode: 'bridge' }))
      return call('RunTask', { taskDefinition: 'bridged', launchType: 'FARGATE' })
    },
  ],
  [
    'ClientException',
    "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified.",
    (call) => call('RegisterTaskDefinition', definitionOf([{ name: 'app', image: 'busybox' }])),
  ],
  [
    'ClientException',
    'Container.name should not be null or empty.',
    (call) => call('RegisterTaskDefinition', definitionOf([{ image: 'busybox', memory: 64 }])),
  ],
  [
    'ClientException',
    'Container.image should not be null or empty.',
    (call) => call('RegisterTaskDefinition', definitionOf([{ name: 'app', memory: 64 }])),
  ],
  [
    'ClientException',
    'Unable to describe task definition.',
    (call) => call('DescribeTaskDefinition', { taskDefinition: 'nobody' }),
  ],
  ['ClientException', 'Revision is missing.', (call) => call('DeregisterTaskDefinition', { taskDefinition: 'web' })],
  [
    'ClientException',
    'Invalid revision number. Number: foo',
    (call) => call('DeregisterTaskDefinition', { taskDefinition: 'web:foo' }),
  ],
  [
    'InvalidParameterException',
    'Container Instances cannot be empty.',
    (call) => call('DescribeContainerInstances', { containerInstances: [] }),
  ],
  ['InvalidParameterException', 'Tasks cannot be empty.', (call) => call('DescribeTasks', { tasks: [] })],
  [
    'InvalidParameterException',
    "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    (call) => call('RunTask', { taskDefinition: 'wide', launchType: 'FARGATE' }),
  ],
  [
    'InvalidParameterException',
    'subnets can not be empty.',
    (call) =>
      call('RunTask', {
        taskDefinition: 'wide',
        launchType: 'FARGATE',
        networkConfiguration: { awsvpcConfiguration: { subnets: [] } },
      }),
  ],
  [
    'InvalidParameterException',
    'Found running tasks on the instance.',
    async (call) => {
      await call('RunTask', { taskDefinition: 'web' })
      return call('DeregisterContainerInstance', { containerInstance: hostIds[0] ?? '' })
    },
  ],
]

describe('what ECS says', () => {
  it.each(refusals)('%s: %s', async (code, message, ask) => {
    const { call } = await testCluster({ hosts: 1 })
    await expect(ask(call)).rejects.toMatchObject({ code, message })
  })

  it.each([
    ['web:1', 'The specified task definition is still in ACTIVE status. Please deregister the target and try again.'],
    ['no id', 'The specified task definition identifier is invalid. Specify a valid name or ARN and try again.'],
    ['web:7', 'The specified task definition does not exist. Specify a valid account, family, revision and try again.'],
  ])('to the deletion of %s: %s', async (taskDefinition, detail) => {
    const { call } = await testCluster()
    const { failures } = await call('DeleteTaskDefinitions', { taskDefinitions: [taskDefinition] })
    expect(failures?.map((failure) => `${failure.reason} ${failure.detail ?? ''}`).join()).toContain(detail)
  })

  it.each([
    ['RESOURCE:CPU', container({ cpu: 4096 })],
    ['RESOURCE:MEMORY', container({ memory: 65_536 })],
    ['RESOURCE:GPU', container({ resourceRequirements: [{ type: 'GPU', value: '1' }] })],
    ['ATTRIBUTE', container({ privileged: true })],
    ['RESOURCE:PORTS', container({ portMappings: [{ containerPort: 80, hostPort: 22 }] })],
  ])('of a task that finds no room: %s', async (reason, asking) => {
    const { call } = await testCluster({ hosts: 1, host: { reservedTcpPorts: [22] } })
    await call('RegisterTaskDefinition', definitionOf([asking], { family: 'asks' }))
    const { failures } = await call('RunTask', { taskDefinition: 'asks' })
    expect(failures).toMatchObject([{ reason }])
  })

  it('of a task for hosts that are not connected: AGENT', async () => {
    const { call } = await testCluster({ hosts: 1, host: { agentConnected: false } })
    expect((await call('RunTask', { taskDefinition: 'web' })).failures).toMatchObject([{ reason: 'AGENT' }])
  })
})
