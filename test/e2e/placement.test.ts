import type { ContainerInstance, Failure, Service, Task } from '@aws-sdk/client-ecs'
import {
  DescribeContainerInstancesCommand,
  ListContainerInstancesCommand,
  ListTasksCommand,
  PutAttributesCommand,
  RegisterTaskDefinitionCommand,
  StopTaskCommand,
  type TaskDefinitionPlacementConstraint,
} from '@aws-sdk/client-ecs'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { sleeperImage } from './test-images.ts'

const zoneAttribute = 'ecs.availability-zone'

describe('placement by the aws command, on four hosts in three zones and two racks', () => {
  const under = clusterForTests({ hosts: 4, cpu: 4096, memoryMib: 2048 })
  const client = () => under.current.client
  const aws = () => {
    const [first] = under.current.aws
    if (first === undefined) throw new Error('there is no aws command')
    return first
  }
  const hosts = new Map<string, ContainerInstance>()
  const attribute = (host: ContainerInstance | undefined, name: string) =>
    host?.attributes?.find((each) => each.name === name)?.value ?? ''
  const hostOf = ({ containerInstanceArn = '' }: Task) => hosts.get(containerInstanceArn)
  const nameOf = (task: Task) => attribute(hostOf(task), 'berth.host')
  const valuesOf = (tasks: readonly Task[], name: string) =>
    new Set(tasks.map((task) => attribute(hostOf(task), name))).size

  const register = async (
    family: string,
    { cpu = 64, memory = 8 }: { readonly cpu?: number; readonly memory?: number } = {},
    placementConstraints: TaskDefinitionPlacementConstraint[] = [],
  ) =>
    client().send(
      new RegisterTaskDefinitionCommand({
        family,
        networkMode: 'none',
        placementConstraints,
        containerDefinitions: [{ name: 'app', image: sleeperImage, cpu, memory }],
      }),
    )

  const runTask = (...args: readonly string[]) =>
    aws().json<{ tasks: Task[]; failures: Failure[] }>('run-task --launch-type EC2', ...args)
  /** Runs tasks of a group of their own and returns them as describe-tasks does. */
  const place = async (count: number, ...args: readonly string[]): Promise<readonly Task[]> => {
    const { tasks, failures } = await runTask('--task-definition', 'small', '--count', String(count), ...args)
    expect(failures).toEqual([])
    const arns = tasks.map(({ taskArn = '' }) => taskArn)
    return (await aws().json<{ tasks: Task[] }>('describe-tasks --tasks', ...arns)).tasks
  }
  const strategy = (...steps: readonly string[]) => ['--placement-strategy', ...steps]
  const constraint = (expression: string) => [
    '--placement-constraints',
    JSON.stringify([{ type: 'memberOf', expression }]),
  ]

  const everythingStops = async () => {
    const { taskArns = [] } = await client().send(new ListTasksCommand({ desiredStatus: 'RUNNING' }))
    await Promise.all(taskArns.map(async (task) => client().send(new StopTaskCommand({ task }))))
  }
  const describeHosts = async () => {
    const { containerInstanceArns } = await client().send(new ListContainerInstancesCommand({}))
    const answer = await client().send(
      new DescribeContainerInstancesCommand({ containerInstances: containerInstanceArns }),
    )
    return answer.containerInstances ?? []
  }

  beforeAll(async () => {
    const racks = ['rack-1', 'rack-1', 'rack-2', 'rack-2']
    const attributes = (await describeHosts()).map(({ containerInstanceArn, attributes = [] }) => {
      const name = attributes.find((each) => each.name === 'berth.host')?.value ?? ''
      return { name: 'rack', value: racks[Number(name.at(-1)) - 1] ?? '', targetId: containerInstanceArn }
    })
    await client().send(new PutAttributesCommand({ attributes }))
    for (const host of await describeHosts()) hosts.set(host.containerInstanceArn ?? '', host)
    expect(new Set([...hosts.values()].map((host) => attribute(host, zoneAttribute))).size).toBe(3)
    await register('small')
    await register('much-cpu', { cpu: 2048 })
    await register('much-memory', { memory: 1024 })
  })

  afterEach(async () => {
    await everythingStops()
    await eventually('all hosts are empty', async () => {
      const tasks = (await describeHosts()).map(({ runningTasksCount = 0, pendingTasksCount = 0 }) => [
        runningTasksCount,
        pendingTasksCount,
      ])
      return tasks.flat().every((count) => count === 0) || undefined
    })
  })

  it('binpack takes the host with the least cpu, or the least memory, left', async () => {
    await runTask('--task-definition', 'much-cpu', ...constraint('attribute:berth.host == host-2'))
    await runTask('--task-definition', 'much-memory', ...constraint('attribute:berth.host == host-3'))
    expect((await place(2, ...strategy('type=binpack,field=cpu'))).map(nameOf)).toEqual(['host-2', 'host-2'])
    expect((await place(2, ...strategy('type=binpack,field=memory'))).map(nameOf)).toEqual(['host-3', 'host-3'])
  })

  it.each(['instanceId', 'host'])('spread by %s gives each host one', async (field) => {
    const tasks = await place(4, '--group', `by-${field}`, ...strategy(`type=spread,field=${field}`))
    expect(new Set(tasks.map(nameOf)).size).toBe(4)
  })

  it('spread by zone and by an attribute of the user gives each value its share', async () => {
    const byZone = await place(3, '--group', 'zones', ...strategy(`type=spread,field=attribute:${zoneAttribute}`))
    expect(valuesOf(byZone, zoneAttribute)).toBe(3)
    const byRack = await place(2, '--group', 'racks', ...strategy('type=spread,field=attribute:rack'))
    expect(valuesOf(byRack, 'rack')).toBe(2)
  })

  it('random takes any', async () => {
    const tasks = await place(3, ...strategy('type=random'))
    for (const task of tasks) expect(nameOf(task)).toMatch(/^host-[1-4]$/)
  })

  it('chains up to five steps, and no more', async () => {
    const five = [
      `type=spread,field=attribute:${zoneAttribute}`,
      'type=spread,field=attribute:rack',
      'type=spread,field=instanceId',
      'type=binpack,field=memory',
      'type=binpack,field=cpu',
    ]
    const tasks = await place(4, '--group', 'chain', ...strategy(...five))
    expect(valuesOf(tasks, zoneAttribute)).toBe(3)
    expect(new Set(tasks.map(nameOf)).size).toBe(4)
    await expect(runTask('--task-definition', 'small', ...strategy(...five, 'type=random'))).rejects.toThrow(
      'placementStrategy can not have more than 5 items',
    )
  })

  it('distinctInstance keeps tasks of a group apart, and says so of the one too many', async () => {
    const { tasks, failures } = await runTask(
      '--task-definition',
      'small',
      '--count',
      '5',
      '--group',
      'apart',
      '--placement-constraints',
      'type=distinctInstance',
    )
    expect(new Set(tasks.map(nameOf)).size).toBe(4)
    expect(new Set(failures.map(({ reason }) => reason))).toEqual(
      new Set(['DistinctInstance placement constraint unsatisfied.']),
    )
    expect(failures[0]?.detail).toBe('distinctInstance: 1 task of apart already there')
  })

  it.each([
    ['attribute:rack == rack-2 and attribute:berth.host != host-3', ['host-4']],
    ['attribute:berth.host in [host-2, host-9] && attribute:rack exists', ['host-2']],
    ['!(attribute:berth.host =~ host-[1-3])', ['host-4']],
    ['registeredAt > 2020-01-01T00:00:00Z and attribute:berth.host matches ".*-3"', ['host-3']],
    ['attribute:nothing not_exists and runningTasksCount < 100 and (attribute:rack == rack-1)', ['host-1', 'host-2']],
  ])('memberOf %s', async (expression, expected) => {
    const [task] = await place(1, ...constraint(expression))
    expect(expected).toContain(nameOf(task as Task))
  })

  it('memberOf finds tasks beside, or away from, those of another group', async () => {
    const [cache] = await place(1, '--group', 'cache', ...constraint('attribute:berth.host == host-3'))
    expect(nameOf(cache as Task)).toBe('host-3')
    const beside = await place(2, '--group', 'beside', ...constraint('task:group == cache'))
    expect(beside.map(nameOf)).toEqual(['host-3', 'host-3'])
    const away = await place(3, '--group', 'away', ...constraint('not(task:group == cache)'))
    for (const task of away) expect(nameOf(task)).not.toBe('host-3')
  })

  it('the rules of a service and of its definition hold together, and its events say what stands in the way', async () => {
    await register('on-rack-1', {}, [{ type: 'memberOf', expression: 'attribute:rack == rack-1' }])
    await aws().json(
      'create-service --service-name shop --task-definition on-rack-1 --desired-count 3 --launch-type EC2',
      '--placement-constraints',
      'type=distinctInstance',
      ...strategy(`type=spread,field=attribute:${zoneAttribute}`),
    )
    const message = await eventually('the service says what the third lacks', async () => {
      const { services } = await aws().json<{ services: Service[] }>('describe-services --services shop')
      return services[0]?.events?.map(({ message = '' }) => message).find((each) => each.includes('unable to place'))
    })
    expect(message).toContain('distinctInstance')
    const { taskArns } = await aws().json<{ taskArns: string[] }>('list-tasks --service-name shop')
    const { tasks } = await aws().json<{ tasks: Task[] }>('describe-tasks --tasks', ...taskArns)
    expect(tasks.map(nameOf).toSorted()).toEqual(['host-1', 'host-2'])
    await aws().json('delete-service --service shop --force')
  })

  it('a full cluster says of each host what it lacks, and lets a task wait that asks for it', async () => {
    await register('half', { cpu: 2560 })
    const { tasks } = await runTask('--task-definition', 'half', '--count', '4')
    expect(new Set(tasks.map(nameOf)).size).toBe(4)
    const refused = await runTask('--task-definition', 'half')
    expect(refused.failures.map(({ reason, detail }) => [reason, detail])).toEqual(
      Array.from({ length: 4 }, () => ['RESOURCE:CPU', 'cpu: needs 2560, has 1536']),
    )
    const queued = await runTask('--task-definition', 'half', '--tags', 'key=berth:queue,value=enabled')
    const [waiting] = queued.tasks
    expect(waiting).toMatchObject({ lastStatus: 'PROVISIONING' })
    expect(waiting).not.toHaveProperty('containerInstanceArn')
    const explained = await under.current.berth('explain', waiting?.taskArn ?? '')
    expect(explained).toContain('no task is ahead of it')
    expect(explained).toContain('host-1: cpu: needs 2560, has 1536')
    expect(await under.current.berth('status')).toMatch(/^default +\d+ +\d+$/m)
    await client().send(new StopTaskCommand({ task: tasks[2]?.taskArn }))
    const placed = await eventually('it starts when there is room', async () => {
      const answer = await aws().json<{ tasks: Task[] }>('describe-tasks --tasks', waiting?.taskArn ?? '')
      return answer.tasks[0]?.lastStatus === 'RUNNING' ? answer.tasks[0] : undefined
    })
    expect(nameOf(placed)).toBe(nameOf(tasks[2] as Task))
  })
})
