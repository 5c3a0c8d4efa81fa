import { setTimeout as wait } from 'node:timers/promises'
import {
  type ContainerDefinition,
  CreateServiceCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  type Task,
} from '@aws-sdk/client-ecs'
import { beforeAll, expect, it } from 'vitest'
import { eventually } from '../e2e/eventually.ts'
import { containersOn, describeTasks, type EngineContainer, viewCluster } from '../hosts/cluster-view.ts'
import { type LabHost, sleeperImage } from '../hosts/lab-host.ts'
import { describeOnLab, labForTests } from '../hosts/lab-in-test.ts'

/** ECS starts a container again that has run for so long, and for no less. */
const restartAttemptPeriod = 60
const longEnough = `${restartAttemptPeriod + 15}`

const definitions: Readonly<Record<string, ContainerDefinition>> = {
  plain: {},
  /** Ends while nobody but its host is there. */
  ending: {},
  /** Fails once, when everything else has been gone for a minute. */
  restarted: {
    restartPolicy: { enabled: true, restartAttemptPeriod },
    command: [
      'sh',
      '-c',
      `[ -f /ran ] || { : > /ran; sleep ${longEnough}; exit 1; }; trap "exit 0" TERM; sleep 900 & wait`,
    ],
  },
  /** Its service would replace it, if there were somebody to. */
  watched: { healthCheck: { command: ['CMD-SHELL', '[ ! -f /sick ]'], interval: 5, retries: 1 } },
}

describeOnLab('a host that is left alone, with Redis and all control planes gone', () => {
  const under = labForTests({ hosts: 1, controlPlanes: 2 })
  const client = () => under.current.client()
  const host = () => under.current.hosts[0] as LabHost
  const arns: Record<string, string> = {}
  let before: ReadonlyMap<string, EngineContainer>

  const told = async (family: string): Promise<Task> => {
    const [task] = await describeTasks(client(), [arns[family] ?? ''])
    if (task === undefined) throw new Error(`there is no task of ${family}`)
    return task
  }
  const container = async (family: string): Promise<EngineContainer> => {
    const found = (await containersOn(host())).find(({ taskArn }) => taskArn === arns[family])
    if (found === undefined) throw new Error(`there is no container of ${family}`)
    return found
  }
  const asBefore = (family: string): EngineContainer => before.get(arns[family] ?? '') as EngineContainer
  const runIn = async ({ id }: EngineContainer, script: string) => {
    const run = await host()
      .docker.getContainer(id)
      .exec({ Cmd: ['sh', '-c', script] })
    await run.start({ Detach: true })
  }
  const healthOf = async ({ id }: EngineContainer) =>
    (await host().docker.getContainer(id).inspect()).State.Health?.Status

  beforeAll(async () => {
    for (const [family, container] of Object.entries(definitions)) {
      await client().send(
        new RegisterTaskDefinitionCommand({
          family,
          containerDefinitions: [
            { name: 'main', image: sleeperImage, cpu: 16, memory: 16, stopTimeout: 2, ...container },
          ],
        }),
      )
      if (family === 'watched') {
        await client().send(new CreateServiceCommand({ serviceName: family, taskDefinition: family, desiredCount: 1 }))
        continue
      }
      const { tasks = [] } = await client().send(new RunTaskCommand({ taskDefinition: family }))
      arns[family] = tasks[0]?.taskArn ?? ''
    }
    await eventually('all run, and the one that is looked after is healthy', async () => {
      const { tasks } = await viewCluster(client())
      const watched = tasks.find(({ group }) => group === 'service:watched')
      arns['watched'] = watched?.taskArn ?? ''
      expect(tasks.map(({ lastStatus }) => lastStatus)).toEqual(Object.keys(definitions).map(() => 'RUNNING'))
      expect(watched?.healthStatus).toBe('HEALTHY')
      return true
    })
    before = new Map((await containersOn(host())).map((each) => [each.taskArn, each]))
    const { controlPlanes, redis } = under.current
    await Promise.all([...controlPlanes, ...redis.nodes].map(({ process }) => process.kill()))
  })

  it('runs everything on, the agent started again included', async () => {
    // Until it is sure that nobody answers.
    await wait(5000)
    await host().agent.kill()
    await host().agent.start()
    await wait(2000)
    for (const each of before.values()) {
      const { pid, startedAt, running } = (await containersOn(host())).find(({ id }) => id === each.id) ?? each
      expect({ pid, startedAt, running }).toEqual({ pid: each.pid, startedAt: each.startedAt, running: true })
    }
  })

  it('goes on with health checks and restart policies', async () => {
    await runIn(asBefore('watched'), ': > /sick')
    process.kill(asBefore('ending').pid, 'SIGKILL')
    await eventually('the check has failed', async () =>
      (await healthOf(asBefore('watched'))) === 'unhealthy' ? true : undefined,
    )
    await eventually(
      'what failed has been started again',
      async () => {
        const { running, startedAt } = await container('restarted')
        return running && startedAt !== asBefore('restarted').startedAt ? true : undefined
      },
      120_000,
    )
    expect((await container('ending')).running).toBe(false)
    // Nobody is there to replace it, and ending it is not for the host to decide.
    expect((await container('watched')).running).toBe(true)
  })

  it('is taken over as it is when they are back: what ended is told, what is sick is replaced, the rest runs on', async () => {
    const { controlPlanes, redis } = under.current
    for (const { process } of [...redis.nodes, ...controlPlanes]) await process.start()
    await eventually('what ended is told', async () =>
      (await told('ending')).lastStatus === 'STOPPED' ? true : undefined,
    )
    expect(await told('ending')).toMatchObject({ stopCode: 'EssentialContainerExited' })
    expect((await told('ending')).containers?.[0]?.exitCode).toBe(137)

    const replacement = await eventually('what is sick is replaced', async () => {
      const { tasks } = await viewCluster(client())
      const [other] = tasks.filter(
        ({ group, taskArn, healthStatus }) =>
          group === 'service:watched' && taskArn !== arns['watched'] && healthStatus === 'HEALTHY',
      )
      return (await told('watched')).lastStatus === 'STOPPED' ? other : undefined
    })
    expect(await told('restarted')).toMatchObject({ lastStatus: 'RUNNING' })
    expect(await told('plain')).toMatchObject({ lastStatus: 'RUNNING' })
    expect(await container('plain')).toMatchObject({ pid: asBefore('plain').pid })
    const running = (await containersOn(host())).filter((each) => each.running).map(({ taskArn }) => taskArn)
    expect(new Set(running)).toEqual(new Set([arns['plain'], arns['restarted'], replacement.taskArn]))
    expect(running).toHaveLength(3)
  })
})
