import {
  CreateServiceCommand,
  DescribeContainerInstancesCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  type Task,
} from '@aws-sdk/client-ecs'
import { beforeAll, expect, it } from 'vitest'
import { eventually } from '../e2e/eventually.ts'
import { makeBusyboxImage, untilStopped } from '../images/busybox-image.ts'
import { containersOn, describeTasks, viewCluster, viewHosts } from '../hosts/cluster-view.ts'
import { hostAttribute, type LabHost, onHost, sleeperImage } from '../hosts/lab-host.ts'
import { describeOnLab, labForTests, quickHostLoss } from '../hosts/lab-in-test.ts'

describeOnLab('while tasks run, Docker', () => {
  const under = labForTests({
    hosts: 2,
    controlPlane: { ...quickHostLoss, BERTH_HOST_LOST_AFTER: '0s' },
    // The second host's engine takes its containers with it.
    host: (number) => ({ liveRestore: number === 1, agent: { ECS_IMAGE_PULL_BEHAVIOR: 'prefer-cached' } }),
  })
  const client = () => under.current.client()
  const host = (number: 1 | 2) => under.current.hosts[number - 1] as LabHost

  async function runOn(at: LabHost, count = 1, taskDefinition = 'sleeper'): Promise<readonly string[]> {
    const { tasks = [], failures } = await client().send(
      new RunTaskCommand({ taskDefinition, count, placementConstraints: onHost(at.name) }),
    )
    expect(failures).toEqual([])
    return tasks.map(({ taskArn = '' }) => taskArn)
  }

  const told = (arns: readonly string[]) => describeTasks(client(), arns)

  const untilAll = (arns: readonly string[], status: string): Promise<readonly Task[]> =>
    eventually(`tasks are ${status}`, async () => {
      const tasks = await told(arns)
      expect(tasks.map(({ lastStatus }) => lastStatus)).toEqual(arns.map(() => status))
      return tasks
    })

  async function healthOf({ name }: LabHost): Promise<string | undefined> {
    const all = await viewHosts(client())
    const found = all.find(({ attributes }) =>
      attributes?.some((each) => each.name === hostAttribute && each.value === name),
    )
    const { containerInstances } = await client().send(
      new DescribeContainerInstancesCommand({
        containerInstances: [found?.containerInstanceArn ?? ''],
        include: ['CONTAINER_INSTANCE_HEALTH'],
      }),
    )
    return containerInstances?.[0]?.healthStatus?.overallStatus
  }

  const untilHealth = (at: LabHost, status: string) =>
    eventually(`${at.name} is ${status}`, async () => ((await healthOf(at)) === status ? true : undefined))

  /** What would change if anything had been done to them. */
  const processesOf = async (at: LabHost, arns: readonly string[]) =>
    (await containersOn(at))
      .filter(({ taskArn }) => arns.includes(taskArn))
      .map(({ id, pid, startedAt, running }) => ({ id, pid, startedAt, running }))
      .toSorted((a, b) => a.id.localeCompare(b.id))

  beforeAll(async () => {
    // What is left of the journal's last page when the disk is full does not take this one.
    await client().send(
      new RegisterTaskDefinitionCommand({
        family: 'bulky',
        containerDefinitions: [
          {
            name: 'sleeper',
            image: sleeperImage,
            memory: 16,
            environment: [{ name: 'BULK', value: 'x'.repeat(20_000) }],
          },
        ],
      }),
    )
    for (const family of ['sleeper', 'other'])
      await client().send(
        new RegisterTaskDefinitionCommand({
          family,
          containerDefinitions: [
            { name: 'sleeper', image: family === 'other' ? 'berth-test/other:1' : sleeperImage, memory: 16, cpu: 16 },
          ],
        }),
      )
  })

  it.each(['killed', 'restarted in order'])('%s with live-restore: nothing happens to them', async (how) => {
    const arns = await runOn(host(1), 3)
    await untilAll(arns, 'RUNNING')
    const before = await processesOf(host(1), arns)
    expect(before).toHaveLength(3)
    const toldBefore = await told(arns)

    await (how === 'killed' ? host(1).engine.kill() : host(1).engine.stop())
    expect(await told(arns)).toEqual(toldBefore)
    await host(1).engine.start()
    // A task that is started and seen to run shows that the agent has listed what this engine has.
    await untilAll(await runOn(host(1)), 'RUNNING')

    expect(await processesOf(host(1), arns)).toEqual(before)
    expect(await told(arns)).toEqual(toldBefore)
    expect(await healthOf(host(1))).toBe('OK')
  })

  it.each(['killed', 'restarted in order'])(
    '%s without live-restore: they have ended, and it is told so',
    async (how) => {
      const { service } = await client().send(
        new CreateServiceCommand({
          serviceName: how.replaceAll(' ', '-'),
          taskDefinition: 'sleeper',
          desiredCount: 2,
          placementConstraints: onHost('h2'),
        }),
      )
      const group = `service:${service?.serviceName}`
      const ofService = async (status: string) =>
        (await viewCluster(client())).tasks.filter((task) => task.group === group && task.lastStatus === status)
      const both = async () => {
        const tasks = await ofService('RUNNING')
        return tasks.length === 2 ? tasks : undefined
      }
      const before = await eventually('both run', both)

      await (how === 'killed' ? host(2).engine.kill() : host(2).engine.stop())
      await host(2).engine.start()

      const arns = before.map(({ taskArn = '' }) => taskArn)
      for (const task of await untilAll(arns, 'STOPPED')) {
        expect(task).toMatchObject({ stopCode: 'EssentialContainerExited' })
        expect(task.containers?.[0]).toMatchObject({ lastStatus: 'STOPPED', exitCode: expect.any(Number) })
      }
      const after = await eventually('both are replaced', both)
      expect(after.filter(({ taskArn = '' }) => arns.includes(taskArn))).toEqual([])
      const running = (await containersOn(host(2))).filter((each) => each.running).map(({ taskArn }) => taskArn)
      expect(running).toEqual(expect.arrayContaining(after.map(({ taskArn }) => taskArn)))
      expect(running.filter((arn) => arns.includes(arn))).toEqual([])
    },
  )

  it('that hangs is told of, no status is made up, and what happened meanwhile is told afterwards', async () => {
    const [victim = '', ...others] = await runOn(host(1), 3)
    const before = await untilAll([victim, ...others], 'RUNNING')
    const container = (await containersOn(host(1))).find(({ taskArn }) => taskArn === victim)

    host(1).engine.daemon.freeze()
    try {
      await untilHealth(host(1), 'IMPAIRED')
      process.kill(container?.pid ?? Number.NaN, 'SIGKILL')
      const started = await client().send(
        new RunTaskCommand({ taskDefinition: 'sleeper', placementConstraints: onHost('h1') }),
      )
      expect(started.tasks).toEqual([])
      expect(started.failures?.map(({ reason }) => reason)).toContain('AGENT')
      expect(await told([victim, ...others])).toEqual(before)
    } finally {
      host(1).engine.daemon.thaw()
    }

    await untilHealth(host(1), 'OK')
    const [ended] = await untilAll([victim], 'STOPPED')
    expect(ended?.containers?.[0]?.exitCode).toBe(137)
    expect((await told(others)).map(({ lastStatus }) => lastStatus)).toEqual(['RUNNING', 'RUNNING'])
  })

  it('with a full disk: tasks end with its words, and others run when there is room again', async () => {
    host(1).disk.fill()
    const arns = await runOn(host(1), 2)
    for (const task of await untilAll(arns, 'STOPPED')) {
      expect(task.stopCode).toBe('TaskFailedToStart')
      expect(task.containers?.[0]?.reason).toMatch(
        /^Cannot(Pull|Create|Start)Container(Error)?: .*no space left on device/,
      )
    }
    host(1).disk.clear()
    await untilAll(await runOn(host(1)), 'RUNNING')
  })

  it('with an image removed meanwhile: what runs does, what is new says so, until it is back', async () => {
    const make = () => makeBusyboxImage({ reference: 'berth-test/other:1', command: untilStopped }, host(1).docker)
    await make()
    const running = await runOn(host(1), 1, 'other')
    await untilAll(running, 'RUNNING')
    const before = await processesOf(host(1), running)
    await host(1).docker.getImage('berth-test/other:1').remove({ force: true })

    const [failed] = await untilAll(await runOn(host(1), 1, 'other'), 'STOPPED')
    expect(failed).toMatchObject({ stopCode: 'TaskFailedToStart' })
    expect(failed?.containers?.[0]?.reason).toMatch(/^CannotPullContainerError: /)
    expect(await processesOf(host(1), running)).toEqual(before)
    await make()
    await untilAll(await runOn(host(1), 1, 'other'), 'RUNNING')
  })

  it("runs on while the agent's disk is full: nothing is taken on, the host says so, and goes on when there is room", async () => {
    const kept = await runOn(host(1), 2)
    await untilAll(kept, 'RUNNING')
    const before = await processesOf(host(1), kept)
    host(1).agentDisk.fill()
    const arns = await runOn(host(1), 1, 'bulky')
    await untilHealth(host(1), 'IMPAIRED')
    expect(host(1).agent.log()).toContain('journal cannot be written')
    expect((await told(arns)).map(({ lastStatus }) => lastStatus)).toEqual(['PENDING'])
    expect((await containersOn(host(1))).filter(({ taskArn }) => arns.includes(taskArn))).toEqual([])

    host(1).agentDisk.clear()
    await untilAll(arns, 'RUNNING')
    await untilHealth(host(1), 'OK')
    expect(await processesOf(host(1), kept)).toEqual(before)
  })
})
