import {
  type ContainerInstance,
  CreateServiceCommand,
  DescribeContainerInstancesCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ListContainerInstancesCommand,
  ListTasksCommand,
  type NetworkMode,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  TagResourceCommand,
  type Task,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs'
import { beforeAll, describe, expect, it } from 'vitest'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { runtimeIds, startTimes } from './task-facts.ts'
import { sleeperImage } from './test-images.ts'

const networkModes: readonly NetworkMode[] = ['awsvpc', 'bridge', 'host', 'none']
const tasksOfEach = 5
const allTasks = tasksOfEach * networkModes.length
const networkConfiguration = { awsvpcConfiguration: { subnets: ['subnet-abc123'] } }

/** What runs, as Docker and as ECS tell it. */
interface Picture {
  readonly tasks: readonly Task[]
  /** Of every container of the cluster, those that hold networks included. */
  readonly containers: Readonly<Record<string, string>>
}

describe(`while ${allTasks} tasks run`, () => {
  const under = clusterForTests({ hosts: 3 })
  const client = () => under.current.client
  let before: Picture

  async function allTasksTold(): Promise<readonly Task[]> {
    const { taskArns = [] } = await client().send(new ListTasksCommand({}))
    if (taskArns.length === 0) return []
    const { tasks = [] } = await client().send(new DescribeTasksCommand({ tasks: taskArns }))
    return tasks.toSorted((a, b) => (a.taskArn ?? '').localeCompare(b.taskArn ?? ''))
  }

  async function picture(): Promise<Picture> {
    const { docker } = under.current
    const ids = (await under.current.containers()).map(({ Id }) => Id)
    return { tasks: await allTasksTold(), containers: await startTimes(docker, ids) }
  }

  const hosts = async (): Promise<readonly ContainerInstance[]> => {
    const { containerInstanceArns = [] } = await client().send(new ListContainerInstancesCommand({}))
    const { containerInstances = [] } = await client().send(
      new DescribeContainerInstancesCommand({ containerInstances: containerInstanceArns }),
    )
    return containerInstances
  }

  /** All processes run that did before, the API answers and every host is connected; the same hosts, and no more. */
  const recovered = () =>
    eventually('every process is back and every host connected', async () => {
      const { processes } = under.current.runState()
      if (processes.some(({ identity }) => identity === undefined)) return undefined
      const told = await hosts()
      expect(told).toHaveLength(3)
      return told.every(({ agentConnected }) => agentConnected) ? true : undefined
    })

  /** The same tasks and containers as before, none of them restarted, and what is written is taken again. */
  async function expectNothingChanged(): Promise<void> {
    await recovered()
    const tags = [{ key: 'survived', value: String(performance.now()) }]
    await eventually('writes are taken', () =>
      client().send(new TagResourceCommand({ resourceArn: before.tasks[0]?.clusterArn, tags })),
    )
    const after = await picture()
    expect(after.containers).toEqual(before.containers)
    expect(runtimeIds(after.tasks)).toEqual(runtimeIds(before.tasks))
    expect(after.tasks).toEqual(before.tasks)
  }

  /** How often an agent has joined in its life. */
  const joinsOf = (agent: string): number => under.current.logOf(agent).split('"Joined the control plane."').length - 1

  /** Kills processes by their names, all at once, and resolves when each has another pid. */
  async function kill(...names: readonly string[]): Promise<void> {
    const pidsOf = () =>
      under.current
        .runState()
        .processes.filter(({ name }) => names.includes(name))
        .map(({ identity }) => identity?.pid)
    const pids = pidsOf()
    expect(pids).toHaveLength(names.length)
    const agents = ['agent-1', 'agent-2', 'agent-3']
    // Those that lose their session: a host counts as connected for some seconds more, so that alone says nothing.
    const toRejoin = names.includes('control-plane') ? agents : agents.filter((name) => names.includes(name))
    const joins = new Map(toRejoin.map((name) => [name, joinsOf(name)]))
    const killedAt = performance.now()
    for (const pid of pids) process.kill(pid ?? Number.NaN, 'SIGKILL')
    await eventually('they have been started again', async () => {
      const now = pidsOf()
      return now.every((pid) => pid !== undefined && !pids.includes(pid)) ? true : undefined
    })
    await eventually('the agents have joined again', async () =>
      toRejoin.every((name) => joinsOf(name) > (joins.get(name) ?? 0)) ? true : undefined,
    )
    await recovered()
    console.log(`${names.join(', ')}: back after ${Math.round(performance.now() - killedAt)} ms`)
  }

  beforeAll(async () => {
    for (const networkMode of networkModes) {
      await client().send(
        new RegisterTaskDefinitionCommand({
          family: networkMode,
          networkMode,
          containerDefinitions: [{ name: 'sleeper', image: sleeperImage, memory: 16 }],
        }),
      )
    }
    // Some belong to services, which would replace what they miss; the others are never replaced.
    await client().send(
      new CreateServiceCommand({
        serviceName: 'with-addresses',
        taskDefinition: 'awsvpc',
        desiredCount: tasksOfEach,
        launchType: 'EC2',
        networkConfiguration,
      }),
    )
    await client().send(
      new CreateServiceCommand({
        serviceName: 'bridged',
        taskDefinition: 'bridge',
        desiredCount: tasksOfEach,
        launchType: 'EC2',
      }),
    )
    for (const taskDefinition of ['host', 'none']) {
      await client().send(new RunTaskCommand({ taskDefinition, count: tasksOfEach, launchType: 'EC2' }))
    }
    await eventually('all tasks run, and their services have settled', async () => {
      const tasks = await allTasksTold()
      const { services = [] } = await client().send(
        new DescribeServicesCommand({ services: ['with-addresses', 'bridged'] }),
      )
      const settled = services.every(({ deployments }) => deployments?.[0]?.rolloutState === 'COMPLETED')
      const running = tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING')
      return settled && running.length === allTasks && tasks.length === allTasks ? true : undefined
    })
    before = await picture()
    // One more container for each awsvpc task, which holds its network.
    expect(Object.keys(before.containers)).toHaveLength(allTasks + tasksOfEach)
  })

  it('kill -9 of each agent in turn changes nothing', async () => {
    for (const agent of ['agent-1', 'agent-2', 'agent-3']) await kill(agent)
    await expectNothingChanged()
  })

  it('kill -9 of the control plane changes nothing', async () => {
    await kill('control-plane')
    await expectNothingChanged()
  })

  it('kill -9 of Redis changes nothing', async () => {
    await kill('redis')
    await expectNothingChanged()
  })

  it('kill -9 of everything at once changes nothing', async () => {
    await kill('redis', 'control-plane', 'agent-1', 'agent-2', 'agent-3')
    await expectNothingChanged()
  })

  it('kill -9 of the supervisor too: berth up takes over what runs', async () => {
    const { supervisor, processes } = under.current.runState()
    const pids = [supervisor.pid, ...processes.map(({ identity }) => identity?.pid ?? Number.NaN)]
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await under.current.berth('up', '--detach')
    await expectNothingChanged()
  })

  it('berth down --keep-tasks and berth up again change nothing', async () => {
    await under.current.berth('down', '--keep-tasks')
    const ids = Object.keys(before.containers)
    expect(await startTimes(under.current.docker, ids)).toEqual(before.containers)
    await under.current.berth('up', '--detach')
    await expectNothingChanged()
  })

  it('what died while nobody looked is told afterwards, and its service replaces it', async () => {
    const victim = before.tasks.find(({ group }) => group === 'service:bridged') as Task
    const alone = before.tasks.find(({ group }) => group === 'family:none') as Task
    await under.current.berth('down', '--keep-tasks')
    for (const id of runtimeIds([victim, alone])) await under.current.docker.getContainer(id).kill()
    await under.current.berth('up', '--detach')

    const tasks = await eventually('the service has its tasks again', async () => {
      const now = (await allTasksTold()).filter(({ lastStatus }) => lastStatus === 'RUNNING')
      return now.length === allTasks - 1 && !now.some(({ taskArn }) => taskArn === victim.taskArn) ? now : undefined
    })
    const kept = before.tasks.filter(({ taskArn }) => ![victim.taskArn, alone.taskArn].includes(taskArn))
    const keptIds = runtimeIds(kept)
    expect(runtimeIds(tasks)).toEqual(expect.arrayContaining(keptIds))
    for (const [id, since] of Object.entries(await startTimes(under.current.docker, keptIds))) {
      expect(since).toBe(before.containers[id])
    }
    const { tasks: ended } = await client().send(
      new DescribeTasksCommand({ tasks: [victim.taskArn ?? '', alone.taskArn ?? ''] }),
    )
    for (const task of ended ?? []) {
      expect(task).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'EssentialContainerExited' })
      expect(task.containers?.[0]?.exitCode).toBe(137)
    }
  })

  it('kill -9 of everything while tasks start: as many run in the end as are wanted, and no container too many', async () => {
    for (const round of [1, 2]) {
      const desiredCount = tasksOfEach + 10 * round
      const launching = client().send(new UpdateServiceCommand({ service: 'bridged', desiredCount }))
      await launching
      await eventually('some containers have started, and some have not', async () =>
        (await under.current.containers()).length > Object.keys(before.containers).length + 10 * round - 10
          ? true
          : undefined,
      )
      await kill('redis', 'control-plane', 'agent-1', 'agent-2', 'agent-3')
      await eventually(`${desiredCount} run, and nothing else does`, async () => {
        const tasks = await allTasksTold()
        expect(tasks.filter(({ group }) => group === 'service:bridged')).toHaveLength(desiredCount)
        expect(tasks.filter(({ lastStatus }) => lastStatus !== 'RUNNING')).toEqual([])
        const running = (await under.current.containers()).filter(({ State }) => State === 'running')
        const holdingNetworks = tasks.filter(({ group }) => group === 'service:with-addresses').length
        expect(running).toHaveLength(tasks.length + holdingNetworks)
        return true
      })
    }
  })

  it('berth down ends every container, and berth up starts the tasks of services again', async () => {
    await under.current.berth('down')
    expect(await under.current.containers()).toEqual([])
    await under.current.berth('up', '--detach')
    await eventually('the services have all their tasks', async () => {
      const { services = [] } = await client().send(
        new DescribeServicesCommand({ services: ['with-addresses', 'bridged'] }),
      )
      expect(services.map(({ runningCount }) => runningCount)).toEqual(services.map(({ desiredCount }) => desiredCount))
      const tasks = await allTasksTold()
      expect(tasks.every(({ group }) => group?.startsWith('service:'))).toBe(true)
      const running = (await under.current.containers()).filter(({ State }) => State === 'running')
      expect(runtimeIds(tasks).filter((id) => !running.some(({ Id }) => Id === id))).toEqual([])
      return true
    })
  })
})
