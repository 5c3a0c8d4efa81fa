import {
  type ContainerInstance,
  DescribeServicesCommand,
  DescribeTaskSetsCommand,
  DescribeTasksCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  type Service,
  type Task,
  type TaskSet,
} from '@aws-sdk/client-ecs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AwsRunner } from './aws-cli.ts'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { hostPortOf, isTestPage, pageAt } from './task-facts.ts'
import { absentImage, serveOn, sleeperImage, webImage } from './test-images.ts'

/** A health check without a client, which busybox has none of that works everywhere: port 80 is 0050, and listening is 0A. */
const listensOnPort80 = 'cat /proc/net/tcp* | grep -q ":0050 .* 0A "'

describe('services, by the aws command', () => {
  const under = clusterForTests({
    hosts: 3,
    environment: { BERTH_SETTLE_TIME: '1s', ECS_CONTAINER_STOP_TIMEOUT: '2s' },
  })
  const client = () => under.current.client
  const aws = (): AwsRunner => {
    const [runner] = under.current.aws
    if (runner === undefined) throw new Error('there is no aws command')
    return runner
  }

  // What is asked again and again is asked by the SDK, which starts no program each time.
  const serviceNamed = async (name: string): Promise<Service> => {
    const { services } = await client().send(new DescribeServicesCommand({ services: [name] }))
    if (services?.[0] === undefined) throw new Error(`there is no service ${name}`)
    return services[0]
  }
  const tasksOf = async (serviceName: string): Promise<readonly Task[]> => {
    const { taskArns = [] } = await client().send(new ListTasksCommand({ serviceName }))
    if (taskArns.length === 0) return []
    return (await client().send(new DescribeTasksCommand({ tasks: taskArns }))).tasks ?? []
  }
  const runs = ({ lastStatus, desiredStatus }: Task): boolean => lastStatus === 'RUNNING' && desiredStatus === 'RUNNING'
  const running = (serviceName: string, count: number) =>
    eventually(`${count} tasks of ${serviceName} run, and no other`, async () => {
      const tasks = await tasksOf(serviceName)
      return tasks.length === count && tasks.every(runs) ? tasks : undefined
    })

  const registerSleeper = (image: string) =>
    client().send(
      new RegisterTaskDefinitionCommand({
        family: 'sleeper',
        networkMode: 'none',
        containerDefinitions: [{ name: 'sleeper', image, memory: 16 }],
      }),
    )

  beforeAll(async () => {
    await registerSleeper(sleeperImage)
  })

  it('are deployed by task sets of 25 and 75 percent where an external controller does it', async () => {
    const of = '--cluster default --service outside'
    const made = await aws().json<{ service: Service }>(
      'create-service --service-name outside --desired-count 4 --deployment-controller type=EXTERNAL',
    )
    expect(made.service).toMatchObject({ deployments: [], taskSets: [], deploymentController: { type: 'EXTERNAL' } })

    const create = async (percent: number): Promise<string> => {
      const { taskSet } = await aws().json<{ taskSet: TaskSet }>(
        `create-task-set ${of} --task-definition sleeper --scale value=${percent},unit=PERCENT`,
      )
      expect(taskSet).toMatchObject({ status: 'ACTIVE', stabilityStatus: 'STABILIZING' })
      return taskSet.id ?? ''
    }
    const scale = (id: string, percent: number) =>
      aws().json(`update-task-set ${of} --task-set ${id} --scale value=${percent},unit=PERCENT`)
    /** Each set is steady at so many tasks, and they are its own. */
    const steadyAt = (counts: Readonly<Record<string, number>>) =>
      eventually(`task sets are steady at ${Object.values(counts).join(' and ')}`, async () => {
        const { taskSets = [] } = await client().send(
          new DescribeTaskSetsCommand({ cluster: 'default', service: 'outside' }),
        )
        const told = taskSets.map(({ id, runningCount, stabilityStatus }) => [id, runningCount, stabilityStatus])
        const wanted = Object.entries(counts).map(([id, count]) => [id, count, 'STEADY_STATE'])
        if (JSON.stringify(told) !== JSON.stringify(wanted)) return undefined
        const tasks = (await tasksOf('outside')).filter(runs)
        return wanted.every(([id, count]) => tasks.filter(({ startedBy }) => startedBy === id).length === count)
          ? true
          : undefined
      })

    const blue = await create(75)
    await aws().json(`update-service-primary-task-set ${of} --primary-task-set ${blue}`)
    const green = await create(25)
    await steadyAt({ [blue]: 3, [green]: 1 })
    expect(await serviceNamed('outside')).toMatchObject({ runningCount: 4, deployments: [] })

    await scale(blue, 25)
    await scale(green, 75)
    await steadyAt({ [blue]: 1, [green]: 3 })

    await aws().json(`update-service-primary-task-set ${of} --primary-task-set ${green}`)
    await scale(green, 100)
    await aws().json(`delete-task-set ${of} --task-set ${blue} --force`)
    await steadyAt({ [green]: 4 })
    expect((await aws().run(`update-service ${of} --task-definition sleeper`)).stderr).toContain(
      'Unable to update task definition on services with a EXTERNAL deployment controller.',
    )
    await aws().json(`delete-service ${of} --force`)
    await aws().json('wait services-inactive --services outside')
  })

  it('run once on each host where they are daemons, as hosts drain and come back', async () => {
    await aws().json('create-service --service-name everywhere --task-definition sleeper --scheduling-strategy DAEMON')
    await aws().json('wait services-stable --services everywhere')
    const [first] = await running('everywhere', 3)
    const arn = first?.containerInstanceArn ?? ''
    const setState = (status: NonNullable<ContainerInstance['status']>) =>
      aws().json(`update-container-instances-state --container-instances ${arn} --status ${status}`)

    await setState('DRAINING')
    const rest = await running('everywhere', 2)
    expect(rest.map(({ containerInstanceArn }) => containerInstanceArn)).not.toContain(arn)
    await setState('ACTIVE')
    const again = await running('everywhere', 3)
    expect(new Set(again.map(({ containerInstanceArn }) => containerInstanceArn)).size).toBe(3)
    await aws().json('delete-service --service everywhere --force')
    await aws().json('wait services-inactive --services everywhere')
  })

  it('leave protected tasks alone when they are scaled in', async () => {
    await aws().json('create-service --service-name busy --task-definition sleeper --desired-count 3')
    await aws().json('wait services-stable --services busy')
    const [, guarded] = await running('busy', 3)
    const arn = guarded?.taskArn ?? ''
    await aws().json(`update-task-protection --cluster default --tasks ${arn} --protection-enabled`)
    await aws().json('update-service --service busy --desired-count 0')
    expect((await running('busy', 1))[0]?.taskArn).toBe(arn)
    await aws().json(`update-task-protection --cluster default --tasks ${arn} --no-protection-enabled`)
    await running('busy', 0)
    await aws().json('delete-service --service busy')
  })

  it('are back on the revision before when the circuit breaker trips', async () => {
    await aws().json(
      'create-service --service-name careful --task-definition sleeper:1 --desired-count 2 --deployment-configuration',
      '{"deploymentCircuitBreaker":{"enable":true,"rollback":true}}',
    )
    // The command's waiter ends when all run, a settle time before the deployment completes: until then there is nothing to go back to.
    await eventually('the first deployment completes', async () =>
      (await serviceNamed('careful')).deployments?.[0]?.rolloutState === 'COMPLETED' ? true : undefined,
    )
    const kept = new Set((await running('careful', 2)).map(({ taskArn }) => taskArn))
    await registerSleeper(absentImage)
    await aws().json('update-service --service careful --task-definition sleeper')

    const service = await eventually('the service is rolled back', async () => {
      const told = await serviceNamed('careful')
      const [deployment] = told.deployments ?? []
      const isBack = told.taskDefinition?.endsWith('sleeper:1') === true && deployment?.rolloutState === 'COMPLETED'
      return isBack && told.deployments?.length === 1 ? told : undefined
    })
    expect(new Set((await running('careful', 2)).map(({ taskArn }) => taskArn))).toEqual(kept)
    const said = service.events?.map(({ message }) => message?.replace(/ecs-svc\/\d+/, 'N'))
    expect(said).toContain('(service careful) (deployment N) deployment failed: tasks failed to start.')
    expect(said).toContain('(service careful) rolling back to deployment N.')
    await aws().json('delete-service --service careful --force')
  })

  it('wait at a pause hook until they are told to go on', async () => {
    await aws().json('create-service --service-name patient --task-definition sleeper:1 --desired-count 1')
    await aws().json('wait services-stable --services patient')
    const { service } = await aws().json<{ service: Service }>(
      'update-service --service patient --force-new-deployment --deployment-configuration',
      '{"lifecycleHooks":[{"targetType":"PAUSE","lifecycleStages":["PRE_SCALE_UP"]}]}',
    )
    // Older releases of the command know no pauses: what they cannot say is said by the SDK.
    const { DescribeServiceDeploymentsCommand, ContinueServiceDeploymentCommand } = await import('@aws-sdk/client-ecs')
    const arn = service.currentServiceDeployment ?? (await serviceNamed('patient')).currentServiceDeployment ?? ''
    const hookId = await eventually('the deployment waits', async () => {
      const { serviceDeployments } = await client().send(
        new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [arn] }),
      )
      const [hook] = serviceDeployments?.[0]?.lifecycleHookDetails ?? []
      return hook?.status === 'AWAITING_ACTION' ? hook.hookId : undefined
    })
    const [before] = await running('patient', 1)
    await client().send(new ContinueServiceDeploymentCommand({ serviceDeploymentArn: arn, hookId }))
    await aws().json('wait services-stable --services patient')
    const [after] = await running('patient', 1)
    expect(after?.taskArn).not.toBe(before?.taskArn)
    await aws().json('delete-service --service patient --force')
  })

  it('answer at every moment of a rolling update with a minimum of 100 percent', async () => {
    const register = (value: string) =>
      client().send(
        new RegisterTaskDefinitionCommand({
          family: 'page',
          containerDefinitions: [
            {
              name: 'page',
              image: webImage,
              memory: 32,
              command: serveOn(80),
              environment: [{ name: 'RELEASE', value }],
              portMappings: [{ containerPort: 80 }],
              healthCheck: { command: ['CMD-SHELL', listensOnPort80], interval: 5, retries: 3 },
            },
          ],
        }),
      )
    await register('1')
    await aws().json('create-service --service-name page --task-definition page --desired-count 2')
    const isHealthy = (task: Task): boolean => runs(task) && task.healthStatus === 'HEALTHY'
    await eventually('two pages are healthy', async () =>
      (await tasksOf('page')).filter(isHealthy).length === 2 ? true : undefined,
    )
    await register('2')

    const seen = { answers: 0, unanswered: 0, refusals: [] as string[] }
    const updated = new AbortController()
    const watching = (async () => {
      while (!updated.signal.aborted) {
        const tasks = (await tasksOf('page')).filter(isHealthy)
        const answers = await Promise.all(tasks.map((task) => answersOrStops(task)))
        seen.answers += answers.filter((answer) => answer === 'answers').length
        if (!answers.includes('answers')) seen.unanswered++
        seen.refusals.push(...answers.filter((answer) => answer !== 'answers' && answer !== 'stops'))
      }
    })()
    /** A task that does not answer is asked about again: it may have been told to stop since. */
    const answersOrStops = async (task: Task): Promise<string> => {
      try {
        return isTestPage(await pageAt(hostPortOf(task))) ? 'answers' : 'another page'
      } catch (error) {
        const { tasks } = await client().send(new DescribeTasksCommand({ tasks: [task.taskArn ?? ''] }))
        return tasks?.some(isHealthy) ? `${task.taskArn}: ${String((error as Error).cause ?? error)}` : 'stops'
      }
    }
    try {
      await aws().json('update-service --service page --task-definition page')
      await aws().json('wait services-stable --services page')
    } finally {
      updated.abort()
      await watching
    }
    expect((await tasksOf('page')).map(({ taskDefinitionArn }) => taskDefinitionArn?.split('/').at(-1))).toEqual([
      'page:2',
      'page:2',
    ])
    console.log(`${seen.answers} answers during the update`)
    expect(seen).toMatchObject({ unanswered: 0, refusals: [] })
    expect(seen.answers).toBeGreaterThan(0)
    await aws().json('delete-service --service page --force')
  })
})
