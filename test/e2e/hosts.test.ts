import {
  type ContainerInstance,
  CreateServiceCommand,
  DeleteServiceCommand,
  DeregisterContainerInstanceCommand,
  DescribeContainerInstancesCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ListContainerInstancesCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
  type Task,
  UpdateContainerInstancesStateCommand,
} from '@aws-sdk/client-ecs'
import { beforeAll, describe, expect, it } from 'vitest'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { runtimeIds } from './task-facts.ts'
import { sleeperImage } from './test-images.ts'

describe('hosts', () => {
  const under = clusterForTests({
    hosts: 3,
    environment: {
      BERTH_HEARTBEAT: '500ms',
      BERTH_HOST_DISCONNECTED_AFTER: '2s',
      BERTH_HOST_LOST_AFTER: '5s',
      BERTH_SETTLE_TIME: '1s',
      // A task that is stopped as soon as it was started may not listen to signals yet.
      ECS_CONTAINER_STOP_TIMEOUT: '2s',
    },
  })
  const client = () => under.current.client

  const hosts = async (): Promise<readonly ContainerInstance[]> => {
    const { containerInstanceArns = [] } = await client().send(new ListContainerInstancesCommand({}))
    const { containerInstances = [] } = await client().send(
      new DescribeContainerInstancesCommand({ containerInstances: containerInstanceArns }),
    )
    return containerInstances
  }
  const attributeOf = (host: ContainerInstance, attribute: string) =>
    host.attributes?.find(({ name }) => name === attribute)?.value
  const hostNamed = async (name: string): Promise<ContainerInstance> => {
    const found = (await hosts()).find((host) => attributeOf(host, 'berth.host') === name)
    if (found === undefined) throw new Error(`there is no ${name}`)
    return found
  }
  const tasksOf = async (serviceName: string): Promise<readonly Task[]> => {
    const { taskArns = [] } = await client().send(new ListTasksCommand({ serviceName }))
    if (taskArns.length === 0) return []
    return (await client().send(new DescribeTasksCommand({ tasks: taskArns }))).tasks ?? []
  }
  const hostsOf = (tasks: readonly Task[]) => new Set(tasks.map(({ containerInstanceArn }) => containerInstanceArn))
  const allRunning = (
    serviceName: string,
    count: number,
    where: (tasks: readonly Task[]) => boolean = () => true,
    meanwhile: () => Promise<void> = async () => {},
  ) =>
    eventually(`${count} tasks of ${serviceName} run where they should`, async () => {
      await meanwhile()
      const tasks = await tasksOf(serviceName)
      const running = tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING')
      return running.length === count && tasks.length === count && where(running) ? running : undefined
    })

  beforeAll(async () => {
    await client().send(
      new RegisterTaskDefinitionCommand({
        family: 'sleeper',
        networkMode: 'none',
        containerDefinitions: [{ name: 'sleeper', image: sleeperImage, memory: 16 }],
      }),
    )
  })

  it('are chosen by constraints and strategies', async () => {
    const second = await hostNamed('host-2')
    const place = async (input: Partial<ConstructorParameters<typeof RunTaskCommand>[0]>) => {
      const { tasks = [], failures = [] } = await client().send(
        new RunTaskCommand({ taskDefinition: 'sleeper', launchType: 'EC2', count: 3, ...input }),
      )
      for (const { taskArn } of tasks) await client().send(new StopTaskCommand({ task: taskArn }))
      return { tasks, reasons: failures.map(({ reason }) => reason) }
    }
    const onSecond = await place({
      placementConstraints: [{ type: 'memberOf', expression: 'attribute:berth.host == host-2' }],
    })
    expect([...hostsOf(onSecond.tasks)]).toEqual([second.containerInstanceArn])

    const apart = await place({ placementConstraints: [{ type: 'distinctInstance' }] })
    expect(hostsOf(apart.tasks).size).toBe(3)
    const tooMany = await place({ count: 4, placementConstraints: [{ type: 'distinctInstance' }] })
    expect(tooMany.tasks).toHaveLength(3)
    expect(tooMany.reasons.length).toBeGreaterThan(0)

    const spread = await place({ placementStrategy: [{ type: 'spread', field: 'attribute:ecs.availability-zone' }] })
    expect(hostsOf(spread.tasks).size).toBe(3)
    const packed = await place({ placementStrategy: [{ type: 'binpack', field: 'memory' }] })
    expect(hostsOf(packed.tasks).size).toBe(1)

    const nowhere = await place({
      placementConstraints: [{ type: 'memberOf', expression: 'attribute:berth.host == host-9' }],
    })
    expect(nowhere.tasks).toEqual([])
    expect(nowhere.reasons.length).toBeGreaterThan(0)
  })

  it('that are drained hand their service tasks to others, and keep the rest', async () => {
    const drained = await hostNamed('host-1')
    const { tasks: alone } = await client().send(
      new RunTaskCommand({
        taskDefinition: 'sleeper',
        launchType: 'EC2',
        placementConstraints: [{ type: 'memberOf', expression: 'attribute:berth.host == host-1' }],
      }),
    )
    await client().send(
      new CreateServiceCommand({
        serviceName: 'moving',
        taskDefinition: 'sleeper',
        desiredCount: 3,
        launchType: 'EC2',
        placementStrategy: [{ type: 'spread', field: 'instanceId' }],
      }),
    )
    await allRunning('moving', 3, (tasks) => hostsOf(tasks).size === 3)
    const change = (status: 'ACTIVE' | 'DRAINING') =>
      client().send(
        new UpdateContainerInstancesStateCommand({ containerInstances: [drained.containerInstanceArn ?? ''], status }),
      )
    const running = async () => (await under.current.containers()).filter(({ State }) => State === 'running').length
    // A task that has just begun to run does not count as healthy, and goes without a replacement.
    await eventually('the service has settled, and nothing else runs', async () => {
      const { services } = await client().send(new DescribeServicesCommand({ services: ['moving'] }))
      expect(services?.[0]?.deployments?.[0]?.rolloutState).toBe('COMPLETED')
      return (await running()) === 4 ? true : undefined
    })
    let fewest = Number.POSITIVE_INFINITY
    await change('DRAINING')
    await allRunning(
      'moving',
      3,
      (tasks) => !hostsOf(tasks).has(drained.containerInstanceArn),
      async () => {
        fewest = Math.min(fewest, await running())
      },
    )
    // The service wants all of its tasks healthy, so each is replaced before it is stopped; and the other is left alone.
    expect(fewest).toBe(4)
    expect((await hostNamed('host-1')).status).toBe('DRAINING')
    const { tasks: kept } = await client().send(new DescribeTasksCommand({ tasks: [alone?.[0]?.taskArn ?? ''] }))
    expect(kept?.[0]?.lastStatus).toBe('RUNNING')
    await client().send(new StopTaskCommand({ task: alone?.[0]?.taskArn }))
    await change('ACTIVE')
  })

  it('that fall silent are shown so, then lose their tasks, and stop them when they are back', async () => {
    await client().send(
      new CreateServiceCommand({
        serviceName: 'replaced',
        taskDefinition: 'sleeper',
        desiredCount: 3,
        launchType: 'EC2',
        placementStrategy: [{ type: 'spread', field: 'instanceId' }],
      }),
    )
    const before = await allRunning('replaced', 3, (tasks) => hostsOf(tasks).size === 3)
    const silent = await hostNamed('host-3')
    const lost = before.filter(({ containerInstanceArn }) => containerInstanceArn === silent.containerInstanceArn)
    expect(lost).toHaveLength(1)
    const agent = under.current.runState().processes.find(({ name }) => name === 'agent-3')?.identity?.pid ?? Number.NaN
    process.kill(agent, 'SIGSTOP')
    try {
      await eventually('the host is shown as not connected', async () =>
        (await hostNamed('host-3')).agentConnected === false ? true : undefined,
      )
      await allRunning('replaced', 3, (tasks) => !hostsOf(tasks).has(silent.containerInstanceArn))
      const { tasks: ended } = await client().send(new DescribeTasksCommand({ tasks: [lost[0]?.taskArn ?? ''] }))
      expect(ended?.[0]?.desiredStatus).toBe('STOPPED')
      const [container = ''] = runtimeIds(lost)
      expect((await under.current.docker.getContainer(container).inspect()).State.Running).toBe(true)
    } finally {
      process.kill(agent, 'SIGCONT')
    }
    await eventually('the host is back and has stopped what it had lost', async () => {
      expect((await hostNamed('host-3')).agentConnected).toBe(true)
      const [container = ''] = runtimeIds(lost)
      const inspected = await under.current.docker
        .getContainer(container)
        .inspect()
        .catch(() => undefined)
      return inspected?.State.Running ? undefined : true
    })
    // Both services still have what they want, and nothing else runs.
    await allRunning('replaced', 3)
    await eventually('exactly the containers run that tasks are told of', async () => {
      const { taskArns = [] } = await client().send(new ListTasksCommand({}))
      const { tasks = [] } = await client().send(new DescribeTasksCommand({ tasks: taskArns }))
      const running = (await under.current.containers()).filter(({ State }) => State === 'running')
      expect(running.map(({ Id }) => Id).toSorted()).toEqual(runtimeIds(tasks))
      return true
    })
  })

  it('that are deregistered by force give up their tasks, and are listed no more', async () => {
    const leaving = await hostNamed('host-2')
    const { tasks } = await client().send(
      new RunTaskCommand({
        taskDefinition: 'sleeper',
        launchType: 'EC2',
        placementConstraints: [{ type: 'memberOf', expression: 'attribute:berth.host == host-2' }],
      }),
    )
    const arn = tasks?.[0]?.taskArn ?? ''
    await eventually('the task runs', async () => {
      const { tasks } = await client().send(new DescribeTasksCommand({ tasks: [arn] }))
      return tasks?.[0]?.lastStatus === 'RUNNING' ? true : undefined
    })
    const deregister = (force: boolean) =>
      client().send(new DeregisterContainerInstanceCommand({ containerInstance: leaving.containerInstanceArn, force }))
    await expect(deregister(false)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'Found running tasks on the instance.',
    })
    await deregister(true)
    // As in ECS, what runs there is left as it is; it is only not told of any more.
    const { tasks: orphans } = await client().send(new DescribeTasksCommand({ tasks: [arn] }))
    expect(orphans?.[0]).toMatchObject({
      lastStatus: 'STOPPED',
      stoppedReason: 'Container instance deregistration forced by user',
    })
    const [id = ''] = runtimeIds(orphans ?? [])
    expect((await under.current.docker.getContainer(id).inspect()).State.Running).toBe(true)
    expect((await hosts()).map(({ containerInstanceArn }) => containerInstanceArn)).not.toContain(
      leaving.containerInstanceArn,
    )
    for (const service of ['moving', 'replaced']) {
      const { services } = await client().send(new DescribeServicesCommand({ services: [service] }))
      await allRunning(
        service,
        services?.[0]?.desiredCount ?? 0,
        (all) => !hostsOf(all).has(leaving.containerInstanceArn),
      )
      await client().send(new DeleteServiceCommand({ service, force: true }))
    }
  })
})
