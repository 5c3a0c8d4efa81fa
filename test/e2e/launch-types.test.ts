import {
  type ContainerInstance,
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeContainerInstancesCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ListContainerInstancesCommand,
  ListTasksCommand,
  type NetworkMode,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  type Task,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs'
import { describe, expect, it } from 'vitest'
import { freePort } from '../docker/docker-under-test.ts'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { addressOf, hostPortOf, isTestPage, pageAt } from './task-facts.ts'
import { serveOn, sleeperImage, webImage } from './test-images.ts'

describe('tasks of launch type EC2', () => {
  const under = clusterForTests({ hosts: 3 })
  const client = () => under.current.client

  async function register(family: string, networkMode: NetworkMode, port?: { container: number; host?: number }) {
    await client().send(
      new RegisterTaskDefinitionCommand({
        family,
        networkMode,
        containerDefinitions: [
          {
            name: 'web',
            image: port === undefined ? sleeperImage : webImage,
            memory: 32,
            ...(port === undefined
              ? {}
              : {
                  command: serveOn(port.container),
                  portMappings: [
                    { containerPort: port.container, ...(port.host === undefined ? {} : { hostPort: port.host }) },
                  ],
                }),
          },
        ],
      }),
    )
  }

  const describeTasks = async (tasks: string[]): Promise<readonly Task[]> =>
    (await client().send(new DescribeTasksCommand({ tasks }))).tasks ?? []

  async function run(taskDefinition: string, count: number): Promise<readonly Task[]> {
    const { tasks, failures } = await client().send(new RunTaskCommand({ taskDefinition, count, launchType: 'EC2' }))
    expect(failures).toEqual([])
    const arns = (tasks ?? []).map(({ taskArn }) => taskArn ?? '')
    return eventually(`${count} tasks of ${taskDefinition} run`, async () => {
      const now = await describeTasks(arns)
      return now.every(({ lastStatus }) => lastStatus === 'RUNNING') ? now : undefined
    })
  }

  const answers = (address: string) => eventually(`${address} answers`, async () => isTestPage(await pageAt(address)))

  it('bridge with a static port: one on each host, on the address of its host', async () => {
    await register('static', 'bridge', { container: 80, host: 18_080 })
    const tasks = await run('static', 3)
    const addresses = tasks.map(hostPortOf)
    const hosts = under.current.runState().hosts.map(({ address }) => `${address}:18080`)
    expect(addresses.toSorted()).toEqual(hosts.toSorted())
    for (const address of addresses) await answers(address)

    const { tasks: more, failures } = await client().send(
      new RunTaskCommand({ taskDefinition: 'static', launchType: 'EC2' }),
    )
    expect(more).toEqual([])
    expect(failures?.map(({ reason }) => reason)).toContain('RESOURCE:PORTS')
    expect(failures?.[0]?.detail).toContain('18080')
  })

  it('bridge with dynamic ports: several on one host, each on a port of its own', async () => {
    await register('dynamic', 'bridge', { container: 80 })
    const tasks = await run('dynamic', 6)
    const addresses = tasks.map(hostPortOf)
    expect(new Set(addresses).size).toBe(6)
    for (const task of tasks) {
      const port = task.containers?.[0]?.networkBindings?.[0]?.hostPort ?? 0
      expect(port).toBeGreaterThanOrEqual(49_153)
    }
    for (const address of addresses) await answers(address)
  })

  it('host: the container has the network of the machine', async () => {
    const port = await freePort()
    await register('on-host', 'host', { container: port })
    const [task] = await run('on-host', 1)
    await answers(`127.0.0.1:${port}`)
    const [container] = task?.containers ?? []
    expect(await networkModeOf(container?.runtimeId)).toBe('host')
    expect(task?.attachments).toEqual([])
  })

  it('none: the container has no network', async () => {
    await register('alone', 'none')
    const [task] = await run('alone', 1)
    expect(await networkModeOf(task?.containers?.[0]?.runtimeId)).toBe('none')
    expect(task?.containers?.[0]?.networkBindings).toEqual([])
  })

  it('awsvpc: an address of its own on EC2 as well', async () => {
    await register('own-address', 'awsvpc', { container: 80 })
    const { tasks } = await client().send(
      new RunTaskCommand({
        taskDefinition: 'own-address',
        launchType: 'EC2',
        networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-abc123'] } },
      }),
    )
    const task = await eventually('the task runs', async () => {
      const [now] = await describeTasks([tasks?.[0]?.taskArn ?? ''])
      return now?.lastStatus === 'RUNNING' ? now : undefined
    })
    await answers(`${addressOf(task)}:80`)
    expect(task.containerInstanceArn).toBeDefined()
  })

  it('a service in bridge mode rolls over to a new revision, scales up and down', async () => {
    const service = { cluster: 'default', services: ['rolling'] }
    const described = async () => (await client().send(new DescribeServicesCommand(service))).services?.[0]
    const stable = () =>
      eventually('the service is stable', async () => {
        const now = await described()
        return now?.deployments?.length === 1 && now.runningCount === now.desiredCount ? now : undefined
      })
    const runningTasks = async (): Promise<readonly Task[]> => {
      const { taskArns = [] } = await client().send(new ListTasksCommand({ serviceName: 'rolling' }))
      return taskArns.length === 0 ? [] : describeTasks(taskArns)
    }
    await client().send(
      new CreateServiceCommand({
        serviceName: 'rolling',
        taskDefinition: 'dynamic',
        desiredCount: 2,
        launchType: 'EC2',
      }),
    )
    await stable()
    const first = (await runningTasks()).map(({ taskArn }) => taskArn)
    expect(first).toHaveLength(2)

    await register('dynamic', 'bridge', { container: 80 })
    await client().send(new UpdateServiceCommand({ service: 'rolling', taskDefinition: 'dynamic' }))
    const rolled = await eventually('only the new revision runs', async () => {
      const now = await described()
      return now?.deployments?.length === 1 && now.deployments[0]?.rolloutState === 'COMPLETED' ? now : undefined
    })
    expect(rolled.taskDefinition).toMatch(/dynamic:2$/)
    const second = await eventually('two tasks are left', async () => {
      const tasks = await runningTasks()
      return tasks.length === 2 ? tasks : undefined
    })
    expect(second.every(({ taskDefinitionArn }) => taskDefinitionArn?.endsWith('dynamic:2'))).toBe(true)
    expect(second.some(({ taskArn }) => first.includes(taskArn))).toBe(false)
    const [retired] = await describeTasks([first[0] ?? ''])
    expect(retired?.stopCode).toBe('ServiceSchedulerInitiated')
    expect(retired?.stoppedReason).toMatch(/^Scaling activity initiated by \(deployment ecs-svc\/\d+\)$/)

    for (const desiredCount of [5, 1]) {
      await client().send(new UpdateServiceCommand({ service: 'rolling', desiredCount }))
      await eventually(`${desiredCount} run`, async () =>
        (await stable()).runningCount === desiredCount ? true : undefined,
      )
    }
    const messages = ((await described())?.events ?? []).map(({ message }) => message ?? '')
    expect(messages).toContainEqual(expect.stringMatching(/^\(service rolling\) has started 2 tasks: \(task /))
    expect(messages).toContainEqual(expect.stringMatching(/^\(service rolling\) has stopped \d running tasks: \(task /))
    expect(messages).toContain('(service rolling) has reached a steady state.')
  })

  it('a cluster without hosts takes no EC2 task, and says so as ECS does', async () => {
    await client().send(new CreateClusterCommand({ clusterName: 'empty' }))
    const running = client().send(new RunTaskCommand({ cluster: 'empty', taskDefinition: 'alone', launchType: 'EC2' }))
    await expect(running).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'No Container Instances were found in your cluster.',
    })
  })

  it('what runs on a host is accounted to its container instance, and no more once the rest has stopped', async () => {
    const memoryOf = (resources: ContainerInstance['registeredResources']) =>
      resources?.find(({ name }) => name === 'MEMORY')?.integerValue ?? 0
    await eventually('32 MiB are taken for each task that runs', async () => {
      const { containerInstanceArns } = await client().send(new ListContainerInstancesCommand({}))
      const { containerInstances = [] } = await client().send(
        new DescribeContainerInstancesCommand({ containerInstances: containerInstanceArns }),
      )
      const { taskArns = [] } = await client().send(new ListTasksCommand({}))
      const tasks = await describeTasks(taskArns)
      for (const {
        containerInstanceArn,
        runningTasksCount,
        registeredResources,
        remainingResources,
      } of containerInstances) {
        const here = tasks.filter((task) => task.containerInstanceArn === containerInstanceArn)
        expect(runningTasksCount).toBe(here.length)
        expect(memoryOf(registeredResources) - memoryOf(remainingResources)).toBe(32 * here.length)
      }
      expect(containerInstances).toHaveLength(3)
      expect(tasks).toHaveLength(3 + 6 + 1 + 1 + 1 + 1)
      return true
    })
  })

  async function networkModeOf(runtimeId = ''): Promise<string | undefined> {
    return (await under.current.docker.getContainer(runtimeId).inspect()).HostConfig.NetworkMode
  }
})
