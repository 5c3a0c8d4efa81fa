import {
  type ContainerDefinition,
  CreateServiceCommand,
  DeleteServiceCommand,
  DescribeTasksCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
  type Task,
} from '@aws-sdk/client-ecs'
import { describe, expect, it } from 'vitest'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { serveOn, sleeperImage, webImage } from './test-images.ts'

const networkConfiguration = { awsvpcConfiguration: { subnets: ['subnet-abc123'] } }

describe.concurrent('the containers of a task', () => {
  const under = clusterForTests({ hosts: 2 })
  const client = () => under.current.client

  const describeTask = async (arn: string): Promise<Task | undefined> =>
    (await client().send(new DescribeTasksCommand({ tasks: [arn] }))).tasks?.[0]

  /** Runs a task of its own family, on FARGATE's terms: with an address that its containers share. */
  async function run(family: string, ...containers: readonly ContainerDefinition[]): Promise<string> {
    await client().send(
      new RegisterTaskDefinitionCommand({
        family,
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        cpu: '256',
        memory: '512',
        volumes: [{ name: 'shared' }],
        containerDefinitions: containers.map((container) => ({ image: sleeperImage, ...container })),
      }),
    )
    const { tasks, failures } = await client().send(
      new RunTaskCommand({ taskDefinition: family, launchType: 'FARGATE', networkConfiguration }),
    )
    expect(failures).toEqual([])
    return tasks?.[0]?.taskArn ?? ''
  }

  const reached = (arn: string, what: string, has: (task: Task) => boolean): Promise<Task> =>
    eventually(`${arn} ${what}`, async () => {
      const task = await describeTask(arn)
      return task !== undefined && has(task) ? task : undefined
    })
  const stopped = (arn: string) => reached(arn, 'is STOPPED', ({ lastStatus }) => lastStatus === 'STOPPED')
  const running = (arn: string) => reached(arn, 'is RUNNING', ({ lastStatus }) => lastStatus === 'RUNNING')
  const containerOf = (task: Task, name: string) => task.containers?.find((container) => container.name === name)

  const shell = (script: string): string[] => ['sh', '-c', script]

  it('reach one another on localhost', async () => {
    const arn = await run(
      'localhost',
      { name: 'web', image: webImage, command: serveOn(80), essential: false },
      {
        name: 'asks',
        command: shell('until printf "GET / HTTP/1.0\\r\\n\\r\\n" | nc 127.0.0.1 80; do sleep 1; done'),
        dependsOn: [{ containerName: 'web', condition: 'START' }],
      },
    )
    const task = await stopped(arn)
    expect(containerOf(task, 'asks')?.exitCode).toBe(0)
    expect(task.stopCode).toBe('EssentialContainerExited')
  })

  it('share a volume, and wait for what they depend on', async () => {
    const mountPoints = [{ sourceVolume: 'shared', containerPath: '/shared' }]
    const arn = await run(
      'order',
      {
        name: 'last',
        command: shell('[ "$(cat /shared/word)" = "first middle" ]'),
        mountPoints,
        dependsOn: [{ containerName: 'middle', condition: 'COMPLETE' }],
      },
      {
        name: 'middle',
        command: shell('echo "$(cat /shared/word) middle" > /shared/word; exit 3'),
        mountPoints,
        essential: false,
        dependsOn: [{ containerName: 'first', condition: 'SUCCESS' }],
      },
      { name: 'first', command: shell('sleep 1; echo first > /shared/word'), mountPoints, essential: false },
    )
    const task = await stopped(arn)
    const exitCodes = ['first', 'middle', 'last'].map((name) => containerOf(task, name)?.exitCode)
    expect(exitCodes).toEqual([0, 3, 0])
  })

  it('that are never to start, because what they depend on failed, end the task with a reason', async () => {
    const arn = await run(
      'unfulfilled',
      { name: 'first', command: shell('exit 9'), essential: false },
      { name: 'second', dependsOn: [{ containerName: 'first', condition: 'SUCCESS' }] },
    )
    const task = await stopped(arn)
    expect(containerOf(task, 'first')?.exitCode).toBe(9)
    expect(containerOf(task, 'second')?.exitCode).toBeUndefined()
    expect(`${task.stoppedReason} ${containerOf(task, 'second')?.reason}`).toMatch(/first/)
  })

  it('tell their health, for which others wait', async () => {
    const arn = await run(
      'health',
      {
        name: 'slow',
        command: shell('sleep 2; : > /tmp/ready; sleep 600'),
        stopTimeout: 2,
        healthCheck: { command: ['CMD-SHELL', 'cat /tmp/ready'], interval: 5, retries: 10, startPeriod: 1 },
      },
      { name: 'waits', dependsOn: [{ containerName: 'slow', condition: 'HEALTHY' }] },
    )
    const early = await reached(
      arn,
      'has started its first container',
      (task) => containerOf(task, 'slow')?.lastStatus === 'RUNNING',
    )
    expect(containerOf(early, 'waits')?.lastStatus).toBe('PENDING')
    expect(early.lastStatus).not.toBe('RUNNING')
    const task = await running(arn)
    expect(task.healthStatus).toBe('HEALTHY')
    expect(containerOf(task, 'slow')?.healthStatus).toBe('HEALTHY')
    await client().send(new StopTaskCommand({ task: arn }))
  })

  it('that are not essential may end, and the task runs on', async () => {
    const arn = await run(
      'not-essential',
      { name: 'main' },
      { name: 'helper', essential: false, command: shell('exit 4') },
    )
    await running(arn)
    const task = await reached(arn, 'has a helper that ended', (now) => containerOf(now, 'helper')?.exitCode === 4)
    expect(task.lastStatus).toBe('RUNNING')
    expect(containerOf(task, 'main')?.lastStatus).toBe('RUNNING')
    await client().send(new StopTaskCommand({ task: arn }))
  })

  it('are killed when they do not stop in their time', async () => {
    const arn = await run(
      'stubborn',
      { name: 'stubborn', command: ['sleep', '600'], stopTimeout: 2 },
      { name: 'polite' },
    )
    await running(arn)
    await client().send(new StopTaskCommand({ task: arn }))
    const task = await stopped(arn)
    expect(containerOf(task, 'stubborn')?.exitCode).toBe(137)
    expect(containerOf(task, 'polite')?.exitCode).toBe(0)
    expect(task.stoppingAt?.getTime()).toBeLessThanOrEqual(task.stoppedAt?.getTime() ?? 0)
  })

  it('with a program that is not there end the task with a reason', async () => {
    const task = await stopped(await run('no-program', { name: 'app', command: ['/no/such/program'] }))
    expect(task.stopCode).toBe('TaskFailedToStart')
    expect(containerOf(task, 'app')?.reason).toMatch(/^Cannot(Start|Create)ContainerError: .*no\/such\/program/)
  })

  it('that use more memory than they may are told to have been killed for it', async () => {
    const arn = await run('hungry', {
      name: 'hungry',
      memory: 16,
      command: shell('x=x; while :; do x="$x$x"; done'),
    })
    const task = await stopped(arn)
    expect(containerOf(task, 'hungry')?.exitCode).toBe(137)
    expect(containerOf(task, 'hungry')?.reason).toMatch(/^OutOfMemoryError/)
  })

  it('that become unhealthy are replaced by their service', async () => {
    await client().send(
      new RegisterTaskDefinitionCommand({
        family: 'sick',
        networkMode: 'none',
        containerDefinitions: [
          {
            name: 'app',
            image: sleeperImage,
            memory: 16,
            healthCheck: { command: ['CMD-SHELL', 'if [ -f /tmp/sick ]; then exit 1; fi'], interval: 5, retries: 1 },
          },
        ],
      }),
    )
    await client().send(
      new CreateServiceCommand({ serviceName: 'sick', taskDefinition: 'sick', desiredCount: 1, launchType: 'EC2' }),
    )
    const healthyTask = (except?: string) =>
      eventually('a healthy task of the service runs', async () => {
        const { taskArns = [] } = await client().send(new ListTasksCommand({ serviceName: 'sick' }))
        const tasks = await Promise.all(taskArns.map(describeTask))
        return tasks.find((task) => task?.healthStatus === 'HEALTHY' && task.taskArn !== except)
      })
    const first = await healthyTask()
    const container = under.current.docker.getContainer(first.containers?.[0]?.runtimeId ?? '')
    const touching = await container.exec({ Cmd: shell(': > /tmp/sick') })
    await touching.start({ Detach: true })
    const second = await healthyTask(first.taskArn)
    expect(second.taskArn).not.toBe(first.taskArn)
    const gone = await stopped(first.taskArn ?? '')
    expect(gone.stopCode).toBe('ServiceSchedulerInitiated')
    expect(gone.stoppedReason).toMatch(/health checks/)
    await client().send(new DeleteServiceCommand({ service: 'sick', force: true }))
  })
})
