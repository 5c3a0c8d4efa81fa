import type { Task } from '@aws-sdk/client-ecs'
import {
  CreateServiceCommand,
  DeleteServiceCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ListContainerInstancesCommand,
  ListTagsForResourceCommand,
  ListTasksCommand,
  paginateListTaskDefinitions,
  paginateListTasks,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
  TagResourceCommand,
  UntagResourceCommand,
  waitUntilTasksRunning,
  waitUntilTasksStopped,
} from '@aws-sdk/client-ecs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AwsRunner } from './aws-cli.ts'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { sleeperImage } from './test-images.ts'

describe.concurrent('tasks and what is told of them', () => {
  const under = clusterForTests({ hosts: 2 })
  const client = () => under.current.client
  const anyAws = (): AwsRunner => {
    const [first] = under.current.aws
    if (first === undefined) throw new Error('there is no aws command')
    return first
  }
  const waiter = () => ({ client: client(), maxWaitTime: 60, minDelay: 1, maxDelay: 1 })
  const describeTasks = async (...tasks: string[]): Promise<readonly Task[]> =>
    (await client().send(new DescribeTasksCommand({ tasks, include: ['TAGS'] }))).tasks ?? []
  const taskArnsOf = ({ tasks }: { tasks?: readonly Task[] | undefined }): string[] =>
    (tasks ?? []).map(({ taskArn }) => taskArn ?? '')

  beforeAll(async () => {
    await client().send(
      new RegisterTaskDefinitionCommand({
        family: 'sleeper',
        networkMode: 'none',
        containerDefinitions: [{ name: 'sleeper', image: sleeperImage, memory: 16 }],
        tags: [{ key: 'team', value: 'blue' }],
      }),
    )
  })

  it.for([1, 2])('run-task, wait, stop-task, wait by the aws command of version %i', async (major, { skip }) => {
    const aws = under.current.aws.find(({ cli }) => cli.major === major)
    if (aws === undefined) throw skip(`no aws command of version ${major}`)
    const { tasks, failures } = await aws.json<{ tasks: Task[]; failures: unknown[] }>(
      'run-task --task-definition sleeper --launch-type EC2 --count 2',
    )
    expect(failures).toEqual([])
    expect(tasks).toHaveLength(2)
    const arns = taskArnsOf({ tasks })
    await aws.json('wait tasks-running --tasks', ...arns)
    const stopped = await aws.json<{ task: Task }>(`stop-task --task ${arns[0]} --reason enough`)
    expect(stopped.task.desiredStatus).toBe('STOPPED')
    await aws.json(`stop-task --task ${arns[1]}`)
    await aws.json('wait tasks-stopped --tasks', ...arns)

    const described = await aws.json<{ tasks: Task[] }>('describe-tasks --tasks', ...arns)
    for (const task of described.tasks) {
      expect(task).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'UserInitiated' })
      expect(task.containers?.[0]).toMatchObject({ lastStatus: 'STOPPED', exitCode: 0 })
    }
    const reasons = described.tasks.map(({ taskArn, stoppedReason }) => [taskArn, stoppedReason])
    expect(Object.fromEntries(reasons)).toEqual({ [arns[0] ?? '']: 'enough', [arns[1] ?? '']: 'Task stopped by user' })
  })

  it('start-task puts a task on the host that is named, and a host that is not there is a failure', async () => {
    const startOn = (host: string) =>
      anyAws().json<{ tasks: Task[]; failures: unknown[] }>(
        `start-task --task-definition sleeper --container-instances ${host}`,
      )
    const { containerInstanceArns = [] } = await client().send(new ListContainerInstancesCommand({}))
    for (const arn of containerInstanceArns) {
      const { tasks, failures } = await startOn(arn)
      expect(failures).toEqual([])
      expect(tasks.map(({ containerInstanceArn }) => containerInstanceArn)).toEqual([arn])
      await waitUntilTasksRunning(waiter(), { tasks: taskArnsOf({ tasks }) })
    }
    const nowhere = (containerInstanceArns[0] ?? '').replace(/[0-9a-f]{32}$/, '0'.repeat(32))
    const { tasks, failures } = await startOn(nowhere)
    expect(tasks).toEqual([])
    expect(failures).toMatchObject([{ arn: nowhere, reason: 'MISSING' }])
  })

  it('tells the times of a task in their order, and counts its versions up', async () => {
    const ran = await client().send(new RunTaskCommand({ taskDefinition: 'sleeper', launchType: 'EC2' }))
    const arns = taskArnsOf(ran)
    await waitUntilTasksRunning(waiter(), { tasks: arns })
    const [running] = await describeTasks(...arns)
    await client().send(new StopTaskCommand({ task: arns[0] }))
    await waitUntilTasksStopped(waiter(), { tasks: arns })
    const [stopped] = await describeTasks(...arns)
    const times = [
      stopped?.createdAt,
      stopped?.pullStartedAt,
      stopped?.pullStoppedAt,
      stopped?.startedAt,
      stopped?.stoppingAt,
      stopped?.stoppedAt,
    ].map((time) => time?.getTime() ?? Number.NaN)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(times.every(Number.isFinite)).toBe(true)
    expect(stopped?.version).toBeGreaterThan(running?.version ?? 0)
    expect(running?.connectivity).toBe('CONNECTED')
    expect(running?.healthStatus).toBe('UNKNOWN')
  })

  it('gives a task the command and environment of its overrides, and the exit code that follows', async () => {
    const ran = await client().send(
      new RunTaskCommand({
        taskDefinition: 'sleeper',
        launchType: 'EC2',
        overrides: {
          containerOverrides: [
            { name: 'sleeper', command: ['sh', '-c', 'exit $CODE'], environment: [{ name: 'CODE', value: '7' }] },
          ],
        },
      }),
    )
    await waitUntilTasksStopped(waiter(), { tasks: taskArnsOf(ran) })
    const [task] = await describeTasks(...taskArnsOf(ran))
    expect(task?.stopCode).toBe('EssentialContainerExited')
    expect(task?.containers?.[0]?.exitCode).toBe(7)
    expect(task?.overrides?.containerOverrides?.[0]?.command).toEqual(['sh', '-c', 'exit $CODE'])
  })

  it('runs a task once for one client token', async () => {
    const request = {
      taskDefinition: 'sleeper',
      launchType: 'EC2' as const,
      clientToken: 'once-only',
      startedBy: 'token-test',
    }
    const first = taskArnsOf(await client().send(new RunTaskCommand(request)))
    const second = taskArnsOf(await client().send(new RunTaskCommand(request)))
    expect(second).toEqual(first)
    const { taskArns } = await client().send(new ListTasksCommand({ startedBy: 'token-test' }))
    expect(taskArns).toEqual(first)
  })

  it('pages through lists, in the SDK and in the aws command', async () => {
    const ran = await client().send(
      new RunTaskCommand({ taskDefinition: 'sleeper', launchType: 'EC2', count: 5, startedBy: 'paging' }),
    )
    const arns = taskArnsOf(ran).toSorted()
    expect(arns).toHaveLength(5)
    const pages: string[][] = []
    const pager = paginateListTasks({ client: client(), pageSize: 2 }, { startedBy: 'paging' })
    for await (const { taskArns = [] } of pager) pages.push(taskArns)
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1])
    expect(pages.flat().toSorted()).toEqual(arns)

    const listed = await anyAws().json<{ taskArns: string[] }>('list-tasks --started-by paging --page-size 2')
    expect(listed.taskArns.toSorted()).toEqual(arns)

    for (let revision = 0; revision < 4; revision++) {
      await client().send(
        new RegisterTaskDefinitionCommand({
          family: 'paged',
          containerDefinitions: [{ name: 'a', image: sleeperImage, memory: 16 }],
        }),
      )
    }
    const revisions: string[] = []
    const definitions = paginateListTaskDefinitions(
      { client: client(), pageSize: 3 },
      { familyPrefix: 'paged', sort: 'DESC' },
    )
    for await (const { taskDefinitionArns = [] } of definitions) revisions.push(...taskDefinitionArns)
    expect(revisions.map((arn) => arn.split(':').at(-1))).toEqual(['4', '3', '2', '1'])
  })

  it('keeps tags, hands them on, and gives them up', async () => {
    const { tags } = await client().send(
      new DescribeTaskDefinitionCommand({ taskDefinition: 'sleeper', include: ['TAGS'] }),
    )
    expect(tags).toEqual([{ key: 'team', value: 'blue' }])
    const ran = await client().send(
      new RunTaskCommand({
        taskDefinition: 'sleeper',
        launchType: 'EC2',
        propagateTags: 'TASK_DEFINITION',
        tags: [{ key: 'run', value: '1' }],
      }),
    )
    const [arn = ''] = taskArnsOf(ran)
    const tagsOf = async () =>
      Object.fromEntries(
        ((await client().send(new ListTagsForResourceCommand({ resourceArn: arn }))).tags ?? []).map((tag) => [
          tag.key,
          tag.value,
        ]),
      )
    expect(await tagsOf()).toEqual({ team: 'blue', run: '1' })
    await client().send(new TagResourceCommand({ resourceArn: arn, tags: [{ key: 'run', value: '2' }] }))
    await client().send(new UntagResourceCommand({ resourceArn: arn, tagKeys: ['team'] }))
    expect(await tagsOf()).toEqual({ run: '2' })
    const [described] = await describeTasks(arn)
    expect(described?.tags).toEqual([{ key: 'run', value: '2' }])
  })

  it('tells in failures what is not there, and in exit codes what is wrong', async () => {
    const aws = anyAws()
    const nobody = '0'.repeat(32)
    const { tasks, failures } = await client().send(new DescribeTasksCommand({ tasks: [nobody] }))
    expect(tasks).toEqual([])
    expect(failures).toMatchObject([{ arn: expect.stringContaining(nobody) as string, reason: 'MISSING' }])

    const refused = await aws.run(`describe-tasks --cluster no-such-cluster --tasks ${nobody}`)
    expect(refused.code).toBe(aws.cli.major === 1 ? 255 : 254)
    expect(refused.stderr).toContain('(ClusterNotFoundException)')
    expect(refused.stderr).toContain('Cluster not found.')
  })

  it('berth status shows hosts, services and tasks', async () => {
    await client().send(
      new CreateServiceCommand({
        serviceName: 'shown',
        taskDefinition: 'sleeper',
        desiredCount: 1,
        launchType: 'EC2',
      }),
    )
    const status = await eventually('status shows one running task of the service', async () => {
      const text = await under.current.berth('status')
      return /^shown +default +sleeper:1 +1 +1 +0 /m.test(text) ? text : undefined
    })
    for (const { name, address } of under.current.runState().hosts) {
      expect(status).toMatch(new RegExp(`^${name} +default +${address.replaceAll('.', '\\.')} .* connected$`, 'm'))
    }
    await client().send(new DeleteServiceCommand({ service: 'shown', force: true }))
  })
})
