import { createServer, type Server } from 'node:net'
import {
  CreateServiceCommand,
  DeleteServiceCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  type ECSServiceException,
  ListTasksCommand,
  type NetworkMode,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
  TagResourceCommand,
  type Task,
} from '@aws-sdk/client-ecs'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { runtimeIds, startTimes } from './task-facts.ts'
import { serveOn, sleeperImage, webImage } from './test-images.ts'

/** Nobody listens there, so the pull fails at once and for good. */
const missingImage = 'localhost:9/berth-test/no-such-image:1'
/** The restart throttle's first wait, doubled at each failure. */
const firstWaitMs = 1000
const writesFailWithinMs = 5000

describe('when something goes wrong', () => {
  const under = clusterForTests({ hosts: 2 })
  const client = () => under.current.client

  const describeTasks = async (...tasks: string[]): Promise<readonly Task[]> =>
    (await client().send(new DescribeTasksCommand({ tasks }))).tasks ?? []

  async function run(taskDefinition: string): Promise<string> {
    const { tasks, failures } = await client().send(new RunTaskCommand({ taskDefinition, launchType: 'EC2' }))
    expect(failures).toEqual([])
    return tasks?.[0]?.taskArn ?? ''
  }

  const reached = (status: string, arn: string): Promise<Task> =>
    eventually(`${arn} is ${status}`, async () => {
      const [task] = await describeTasks(arn)
      return task?.lastStatus === status ? task : undefined
    })

  const register = (family: string, container: object, networkMode: NetworkMode = 'none') =>
    client().send(
      new RegisterTaskDefinitionCommand({
        family,
        networkMode,
        containerDefinitions: [{ name: 'app', image: sleeperImage, memory: 16, ...container }],
      }),
    )

  beforeAll(async () => {
    await register('sleeper', {})
    await register('imageless', { image: missingImage })
  })

  describe('with an image', () => {
    it('that is missing, the task stops and says why', async () => {
      const task = await reached('STOPPED', await run('imageless'))
      expect(task.stopCode).toBe('TaskFailedToStart')
      expect(`${task.stoppedReason} ${task.containers?.[0]?.reason}`).toContain('CannotPullContainerError: ')
      expect(task.containers?.[0]?.reason).toMatch(/^CannotPullContainerError: .*localhost:9/)
      expect(task.containers?.[0]?.exitCode).toBeUndefined()
      expect(task.startedAt).toBeUndefined()
    })

    it('that is missing, a service waits longer each time, and says so', async () => {
      await client().send(
        new CreateServiceCommand({
          serviceName: 'imageless',
          taskDefinition: 'imageless',
          desiredCount: 1,
          launchType: 'EC2',
        }),
      )
      const failed = await eventually('three tasks of it have failed', async () => {
        const { taskArns = [] } = await client().send(
          new ListTasksCommand({ serviceName: 'imageless', desiredStatus: 'STOPPED' }),
        )
        return taskArns.length >= 3 ? describeTasks(...taskArns) : undefined
      })
      const begun = failed.map(({ createdAt }) => createdAt?.getTime() ?? 0).toSorted((a, b) => a - b)
      begun.slice(1).forEach((time, index) => {
        expect(time - (begun[index] ?? 0)).toBeGreaterThanOrEqual(firstWaitMs * 2 ** index)
      })
      const { services } = await client().send(new DescribeServicesCommand({ services: ['imageless'] }))
      expect(services?.[0]?.deployments?.[0]?.failedTasks).toBeGreaterThanOrEqual(3)
      const messages = services?.[0]?.events?.map(({ message }) => message) ?? []
      expect(messages).toContainEqual(
        expect.stringContaining('(service imageless) is unable to consistently start tasks successfully.'),
      )
      await client().send(new DeleteServiceCommand({ service: 'imageless', force: true }))
    })
  })

  describe('with room', () => {
    let takers: Server[] = []

    it('on a port that another program has taken, the task stops and names the port', async () => {
      takers = await Promise.all(under.current.runState().hosts.map(({ address }) => listenOn(address, 18_100)))
      try {
        await register(
          'port-taken',
          { image: webImage, command: serveOn(80), portMappings: [{ containerPort: 80, hostPort: 18_100 }] },
          'bridge',
        )
        const task = await reached('STOPPED', await run('port-taken'))
        expect(task.stopCode).toBe('TaskFailedToStart')
        expect(task.containers?.[0]?.reason).toMatch(/^CannotStartContainerError: .*18100.*(in use|allocated)/)
      } finally {
        takers.forEach((taker) => taker.close())
      }
      // The port was given back, to the scheduler as well.
      await reached('RUNNING', await run('port-taken'))
    })

    it.for([
      ['memory', { memory: 5000 }, 'RESOURCE:MEMORY'],
      ['CPU', { cpu: 5000 }, 'RESOURCE:CPU'],
    ] as const)('of too little %s, RunTask says so of each host', async ([what, size, reason]) => {
      await register(`large-${what}`, size)
      const { tasks, failures } = await client().send(
        new RunTaskCommand({ taskDefinition: `large-${what}`, launchType: 'EC2' }),
      )
      expect(tasks).toEqual([])
      expect(failures).toHaveLength(2)
      for (const failure of failures ?? []) {
        expect(failure.reason).toBe(reason)
        expect(failure.arn).toContain(':container-instance/default/')
        expect(failure.detail).toContain('5000')
      }
    })

    it('of too little memory on FARGATE, RunTask says so without naming a host', async () => {
      await client().send(
        new RegisterTaskDefinitionCommand({
          family: 'large-fargate',
          networkMode: 'awsvpc',
          requiresCompatibilities: ['FARGATE'],
          cpu: '1024',
          memory: '8192',
          containerDefinitions: [{ name: 'app', image: sleeperImage }],
        }),
      )
      const { tasks, failures } = await client().send(
        new RunTaskCommand({
          taskDefinition: 'large-fargate',
          launchType: 'FARGATE',
          networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-abc123'] } },
        }),
      )
      expect(tasks).toEqual([])
      expect(failures?.[0]?.reason).toContain('Capacity is unavailable at this time')
      expect(failures?.[0]?.arn).toBeUndefined()
    })

    it('of too little memory, a service says so and starts once there is room', async () => {
      await register('half', { memory: 3000 })
      const holders = [await run('half'), await run('half')]
      for (const arn of holders) await reached('RUNNING', arn)
      await client().send(
        new CreateServiceCommand({ serviceName: 'waits', taskDefinition: 'half', desiredCount: 1, launchType: 'EC2' }),
      )
      await eventually('the service says what is lacking', async () => {
        const { services } = await client().send(new DescribeServicesCommand({ services: ['waits'] }))
        const messages = services?.[0]?.events?.map(({ message = '' }) => message) ?? []
        return messages.some(
          (message) =>
            message.startsWith(
              '(service waits) was unable to place a task because no container instance met all of its requirements.',
            ) && message.includes('has insufficient memory available'),
        )
          ? true
          : undefined
      })
      await client().send(new StopTaskCommand({ task: holders[0] }))
      await eventually('it runs', async () => {
        const { services } = await client().send(new DescribeServicesCommand({ services: ['waits'] }))
        return services?.[0]?.runningCount === 1 ? true : undefined
      })
      await client().send(new DeleteServiceCommand({ service: 'waits', force: true }))
    })
  })

  it('a dead container is told before long, with its times in order', async () => {
    const arn = await run('sleeper')
    const running = await reached('RUNNING', arn)
    const killedAt = performance.now()
    await under.current.docker.getContainer(running.containers?.[0]?.runtimeId ?? '').kill()
    const dead = await reached('STOPPED', arn)
    console.log(`the death of a container was told after ${Math.round(performance.now() - killedAt)} ms`)
    expect(dead).toMatchObject({ stopCode: 'EssentialContainerExited', desiredStatus: 'STOPPED' })
    expect(dead.containers?.[0]?.exitCode).toBe(137)
    const times = [dead.startedAt, dead.executionStoppedAt, dead.stoppedAt].map((time) => time?.getTime() ?? NaN)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  describe('with Redis', () => {
    let survivors: readonly string[]
    let startedAt: Readonly<Record<string, string>>
    /** The process id of a Redis that runs: after a kill, that of its successor. */
    const redisPid = (): Promise<number> =>
      eventually('Redis runs', async () => {
        const redis = under.current.runState().processes.find(({ name }) => name === 'redis')
        const pid = redis?.identity?.pid
        return pid !== undefined && isAlive(pid) ? pid : undefined
      })
    const writesAreTaken = () =>
      eventually('writes are taken again', () =>
        client().send(
          new TagResourceCommand({
            resourceArn: `arn:aws:ecs:${under.current.region}:123456789012:cluster/default`,
            tags: [{ key: 'back', value: 'yes' }],
          }),
        ),
      )

    beforeAll(async () => {
      const arns = [await run('sleeper'), await run('sleeper')]
      survivors = runtimeIds(await Promise.all(arns.map((arn) => reached('RUNNING', arn))))
      startedAt = await startTimes(under.current.docker, survivors)
    })

    // Also before another try of a test that has failed, and so left Redis dead or the cell without a leader.
    beforeEach(writesAreTaken)

    /** A write fails as it must, within the time that is promised: what a client waits for, not how fast the machine is. */
    async function expectWritesToFail(): Promise<void> {
      const askedAt = performance.now()
      const error = await client()
        .send(new RunTaskCommand({ taskDefinition: 'sleeper', launchType: 'EC2' }))
        .then(
          () => undefined,
          (thrown: unknown) => thrown as ECSServiceException,
        )
      const tookMs = performance.now() - askedAt
      console.log(`a write failed after ${Math.round(tookMs)} ms: ${error?.name}: ${error?.message}`)
      expect(error?.name).toBe('ServerException')
      expect(error?.$metadata.httpStatusCode).toBe(503)
      expect(tookMs).toBeLessThan(writesFailWithinMs)
    }

    async function expectServiceToResume(): Promise<void> {
      await writesAreTaken()
      await reached('RUNNING', await eventually('a task is placed', () => run('sleeper')))
      expect(await startTimes(under.current.docker, survivors)).toEqual(startedAt)
      const { taskArns = [] } = await client().send(new ListTasksCommand({}))
      expect(runtimeIds(await describeTasks(...taskArns))).toEqual(expect.arrayContaining([...survivors]))
    }

    it('standing still, writes fail with 503 in time, containers run on, and all goes on afterwards', async () => {
      const pid = await redisPid()
      process.kill(pid, 'SIGSTOP')
      try {
        await expectWritesToFail()
        await expectWritesToFail()
        expect(await startTimes(under.current.docker, survivors)).toEqual(startedAt)
      } finally {
        process.kill(pid, 'SIGCONT')
      }
      await expectServiceToResume()
    })

    it('dead and not started again, the same', async () => {
      // While the supervisor stands still, nobody starts Redis again.
      const { supervisor } = under.current.runState()
      const pid = await redisPid()
      process.kill(supervisor.pid, 'SIGSTOP')
      try {
        process.kill(pid, 'SIGKILL')
        await expectWritesToFail()
        await expectWritesToFail()
        expect(await startTimes(under.current.docker, survivors)).toEqual(startedAt)
      } finally {
        process.kill(supervisor.pid, 'SIGCONT')
      }
      await expectServiceToResume()
    })

    it('away while a container dies, the death is told afterwards', async () => {
      const arn = await run('sleeper')
      const [id = ''] = runtimeIds([await reached('RUNNING', arn)])
      const pid = await redisPid()
      process.kill(pid, 'SIGSTOP')
      try {
        await under.current.docker.getContainer(id).kill()
        await expectWritesToFail()
      } finally {
        process.kill(pid, 'SIGCONT')
      }
      const dead = await reached('STOPPED', arn)
      expect(dead.containers?.[0]?.exitCode).toBe(137)
    })
  })

  it('and after all that exactly the containers run that tasks are told of', async () => {
    await eventually('containers and tasks agree', async () => {
      const { taskArns = [] } = await client().send(new ListTasksCommand({}))
      const running = (await under.current.containers()).filter(({ State }) => State === 'running')
      expect(running.map(({ Id }) => Id).toSorted()).toEqual(runtimeIds(await describeTasks(...taskArns)))
      return true
    })
  })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function listenOn(address: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, address, () => resolve(server))
  })
}
