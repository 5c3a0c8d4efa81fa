import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Cluster as EcsCluster,
  CreateClusterCommand,
  CreateServiceCommand,
  DeleteClusterCommand,
  DeleteServiceCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  type ECSClient,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  type Service,
  type Task,
  waitUntilServicesInactive,
  waitUntilServicesStable,
} from '@aws-sdk/client-ecs'
import { describe, expect, it } from 'vitest'
import { type AwsRunner, awsClis } from './aws-cli.ts'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { addressOf, containerAddressOf, isTestPage, pageAt } from './task-facts.ts'

const clis = await awsClis()

const networkConfiguration = {
  awsvpcConfiguration: {
    subnets: ['subnet-abc123', 'subnet-def456'],
    securityGroups: ['sg-123abc'],
    assignPublicIp: 'ENABLED' as const,
  },
}

/** The task definition file of ECS's documentation. */
const taskDefinitionFile = {
  family: 'my-app-task',
  containerDefinitions: [
    {
      name: 'my-app-container',
      image: 'my-app-image:latest',
      memory: 512,
      cpu: 256,
      essential: true,
      portMappings: [{ containerPort: 80, hostPort: 80 }],
    },
  ],
}

/** And its service file. */
const serviceFile = {
  serviceName: 'my-app-service',
  taskDefinition: 'my-app-task',
  desiredCount: 3,
  launchType: 'FARGATE' as const,
  networkConfiguration,
}

describe('the walk of the documentation', () => {
  const cluster = clusterForTests({ hosts: 3 })

  it('has an aws command to walk with', () => {
    expect(clis.length).toBeGreaterThan(0)
    console.log(`walking with ${clis.map(({ version }) => version).join(' and ')}`)
  })

  for (const { major } of clis) {
    describe(`by the aws command, version ${major}`, () => {
      const aws = (): AwsRunner => {
        const runner = cluster.current.aws.find(({ cli }) => cli.major === major)
        if (runner === undefined) throw new Error(`no aws command of version ${major}`)
        return runner
      }
      // What is asked again and again is asked by the SDK, which starts no program each time.
      const serviceTasks = () => tasksOfService(cluster.current.client)

      it('makes a cluster, registers a task definition and creates a service of two', async () => {
        const made = await aws().json<{ cluster: EcsCluster }>('create-cluster --cluster-name my-ecs-cluster')
        expect(made.cluster).toMatchObject({ clusterName: 'my-ecs-cluster', status: 'ACTIVE' })

        const registered = await aws().json<{ taskDefinition: { family: string; status: string } }>(
          'register-task-definition --family my-app-task --network-mode awsvpc --requires-compatibilities FARGATE ' +
            '--cpu 256 --memory 512 --container-definitions',
          '[{"name":"my-app-container","image":"my-app-image:latest","portMappings":[{"containerPort":80,"hostPort":80}]}]',
        )
        expect(registered.taskDefinition).toMatchObject({ family: 'my-app-task', status: 'ACTIVE' })

        const created = await aws().json<{ service: Service }>(
          'create-service --cluster my-ecs-cluster --service-name my-app-service --task-definition my-app-task ' +
            '--desired-count 2 --launch-type FARGATE --network-configuration',
          '{"awsvpcConfiguration":{"subnets":["subnet-abc123","subnet-def456"],"securityGroups":["sg-123abc"],"assignPublicIp":"ENABLED"}}',
        )
        expect(created.service).toMatchObject({ serviceName: 'my-app-service', status: 'ACTIVE', desiredCount: 2 })

        await aws().json('wait services-stable --cluster my-ecs-cluster --services my-app-service')
      })

      it('runs two tasks, each with an address of its own that answers on port 80', async () => {
        const { taskArns } = await aws().json<{ taskArns: readonly string[] }>(
          'list-tasks --cluster my-ecs-cluster --service-name my-app-service',
        )
        const tasks = await describeTasks(aws(), taskArns)
        expect(tasks.map(({ lastStatus }) => lastStatus)).toEqual(['RUNNING', 'RUNNING'])
        await expectToAnswer(tasks)
      })

      it('replaces a container that was killed', async () => {
        const before = await serviceTasks()
        const victim = before[0] as Task
        const killedAt = performance.now()
        await cluster.current.docker.getContainer(victim.containers?.[0]?.runtimeId ?? '').kill()

        const after = await eventually('two tasks run again', async () => {
          const tasks = (await serviceTasks()).filter(({ lastStatus }) => lastStatus === 'RUNNING')
          return tasks.length === 2 && tasks.every(({ taskArn }) => taskArn !== victim.taskArn) ? tasks : undefined
        })

        console.log(`replaced after ${Math.round(performance.now() - killedAt)} ms`)
        await expectToAnswer(after)
        const [dead] = await describeTasks(aws(), [victim.taskArn ?? ''])
        expect(dead).toMatchObject({
          lastStatus: 'STOPPED',
          desiredStatus: 'STOPPED',
          stopCode: 'EssentialContainerExited',
          stoppedReason: 'Essential container in task exited',
        })
        expect(dead?.containers?.[0]).toMatchObject({ lastStatus: 'STOPPED', exitCode: 137 })
      })

      it('takes the task definition and service files of the documentation', async () => {
        await deleteService(aws(), cluster.current.client)
        const directory = mkdtempSync(join(tmpdir(), 'berth-walk-'))
        const file = (name: string, content: object): string => {
          writeFileSync(join(directory, name), JSON.stringify(content))
          return `file://${join(directory, name)}`
        }
        try {
          await aws().json('register-task-definition --cli-input-json', file('task.json', taskDefinitionFile))
          await aws().json(
            'create-service --cluster my-ecs-cluster --cli-input-json',
            file('service.json', serviceFile),
          )
        } finally {
          rmSync(directory, { recursive: true })
        }
        const tasks = await eventually('three tasks of the service run', async () => {
          const running = (await serviceTasks()).filter(({ lastStatus }) => lastStatus === 'RUNNING')
          return running.length === 3 ? running : undefined
        })
        await expectToAnswer(tasks)
      })

      it('deletes service and cluster, and no container is left', async () => {
        await deleteService(aws(), cluster.current.client)
        const { cluster: gone } = await eventually('the cluster can be deleted', () =>
          aws().json<{ cluster: EcsCluster }>('delete-cluster --cluster my-ecs-cluster'),
        )
        expect(gone.status).toBe('INACTIVE')
        const running = (await cluster.current.containers()).filter(({ State }) => State === 'running')
        expect(running.map(({ Names }) => Names.join())).toEqual([])
      })
    })
  }

  describe('by the SDK', () => {
    const client = (): ECSClient => cluster.current.client
    const waiter = () => ({ client: client(), maxWaitTime: 120, minDelay: 1, maxDelay: 2 })
    const service = { cluster: 'my-ecs-cluster', services: ['my-app-service'] }

    it('runs the same service', async () => {
      await client().send(new CreateClusterCommand({ clusterName: 'my-ecs-cluster' }))
      await client().send(
        new RegisterTaskDefinitionCommand({
          family: 'my-app-task',
          networkMode: 'awsvpc',
          requiresCompatibilities: ['FARGATE'],
          cpu: '256',
          memory: '512',
          containerDefinitions: [
            {
              name: 'my-app-container',
              image: 'my-app-image:latest',
              portMappings: [{ containerPort: 80, hostPort: 80 }],
            },
          ],
        }),
      )
      await client().send(new CreateServiceCommand({ ...serviceFile, cluster: 'my-ecs-cluster', desiredCount: 2 }))
      await waitUntilServicesStable(waiter(), service)
      const { services } = await client().send(new DescribeServicesCommand(service))
      expect(services?.[0]).toMatchObject({ runningCount: 2, pendingCount: 0, desiredCount: 2, status: 'ACTIVE' })

      await expectToAnswer(await tasksOfService(client()))
    })

    it('deletes it', async () => {
      await client().send(
        new DeleteServiceCommand({ cluster: 'my-ecs-cluster', service: 'my-app-service', force: true }),
      )
      await waitUntilServicesInactive(waiter(), service)
      await eventually('the cluster can be deleted', () =>
        client().send(new DeleteClusterCommand({ cluster: 'my-ecs-cluster' })),
      )
    })
  })
})

async function expectToAnswer(tasks: readonly Task[]): Promise<void> {
  const addresses = tasks.map((task) => addressOf(task) ?? 'none')
  expect(new Set(addresses).size, addresses.join(', ')).toBe(tasks.length)
  for (const [index, address] of addresses.entries()) {
    expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
    expect(containerAddressOf(tasks[index] as Task)).toBe(address)
    await eventually(`${address} answers on port 80`, async () => isTestPage(await pageAt(`${address}:80`)))
  }
}

async function tasksOfService(client: ECSClient): Promise<readonly Task[]> {
  const named = { cluster: 'my-ecs-cluster', serviceName: 'my-app-service' }
  const { taskArns = [] } = await client.send(new ListTasksCommand(named))
  if (taskArns.length === 0) return []
  return (await client.send(new DescribeTasksCommand({ cluster: 'my-ecs-cluster', tasks: taskArns }))).tasks ?? []
}

const describeTasks = async (aws: AwsRunner, arns: readonly string[]): Promise<readonly Task[]> =>
  (await aws.json<{ tasks: readonly Task[] }>('describe-tasks --cluster my-ecs-cluster --tasks', ...arns)).tasks

async function deleteService(aws: AwsRunner, client: ECSClient): Promise<void> {
  await aws.json('update-service --cluster my-ecs-cluster --service my-app-service --desired-count 0')
  await aws.json('delete-service --cluster my-ecs-cluster --service my-app-service')
  await eventually('the service is INACTIVE', async () => {
    const named = { cluster: 'my-ecs-cluster', services: ['my-app-service'] }
    const { services } = await client.send(new DescribeServicesCommand(named))
    return services?.[0]?.status === 'INACTIVE' ? true : undefined
  })
}
