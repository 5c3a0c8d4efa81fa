import {
  type ContainerInstance,
  CreateServiceCommand,
  DeleteServiceCommand,
  DescribeContainerInstancesCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ListContainerInstancesCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  type Task,
  UpdateClusterSettingsCommand,
  UpdateContainerInstancesStateCommand,
} from '@aws-sdk/client-ecs'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hostLabel } from '@berth/agent/runtime/docker/container-labels.ts'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { sleeperImage } from './test-images.ts'

const wanted = 6

/** What `docker events` tells of a container. */
interface EngineEvent {
  readonly Action: 'start' | 'die'
  readonly Actor: { readonly ID: string }
}

describe('rebalancing', () => {
  const under = clusterForTests({
    hosts: 3,
    environment: { BERTH_HEARTBEAT: '500ms', BERTH_SETTLE_TIME: '1s', ECS_CONTAINER_STOP_TIMEOUT: '2s' },
  })
  let watching = new AbortController()
  const client = () => under.current.client

  const hosts = async (): Promise<readonly ContainerInstance[]> => {
    const { containerInstanceArns = [] } = await client().send(new ListContainerInstancesCommand({}))
    const { containerInstances = [] } = await client().send(
      new DescribeContainerInstancesCommand({ containerInstances: containerInstanceArns }),
    )
    return containerInstances
  }
  const setState = (host: ContainerInstance, status: 'ACTIVE' | 'DRAINING') =>
    client().send(
      new UpdateContainerInstancesStateCommand({ containerInstances: [host.containerInstanceArn ?? ''], status }),
    )
  const tasks = async (): Promise<readonly Task[]> => {
    const { taskArns = [] } = await client().send(new ListTasksCommand({ serviceName: 'web' }))
    return taskArns.length === 0
      ? []
      : ((await client().send(new DescribeTasksCommand({ tasks: taskArns }))).tasks ?? [])
  }
  const running = async () =>
    (await tasks()).filter(({ lastStatus, desiredStatus }) => lastStatus === 'RUNNING' && desiredStatus === 'RUNNING')
  const service = async () => (await client().send(new DescribeServicesCommand({ services: ['web'] }))).services?.[0]
  const setRebalancing = (value: string) =>
    client().send(
      new UpdateClusterSettingsCommand({
        cluster: 'default',
        settings: [{ name: 'berth.rebalancing' as 'containerInsights', value }],
      }),
    )
  const spreadOver = (counts: readonly number[]) =>
    eventually(`the service is spread as ${counts.join()}`, async () => {
      const on = Map.groupBy(await running(), ({ containerInstanceArn }) => containerInstanceArn)
      const found = Array.from(on.values(), ({ length }) => length).toSorted((a, b) => b - a)
      return found.join() === counts.join() || undefined
    })

  beforeAll(async () => {
    await client().send(
      new RegisterTaskDefinitionCommand({
        family: 'web',
        networkMode: 'none',
        containerDefinitions: [{ name: 'web', image: sleeperImage, memory: 16 }],
      }),
    )
  })

  // A test on a real engine may be tried once more.
  beforeEach(() => setRebalancing('disabled'))
  afterEach(async () => {
    watching.abort()
    await client().send(new DeleteServiceCommand({ service: 'web', force: true }))
    await eventually('the service is gone', async () => (await service())?.status === 'INACTIVE' || undefined)
  })

  it('spreads a service again after a host came back, and at no moment fewer tasks run than must', async () => {
    await client().send(
      new CreateServiceCommand({
        serviceName: 'web',
        taskDefinition: 'web',
        desiredCount: wanted,
        launchType: 'EC2',
        placementStrategy: [{ type: 'spread', field: 'instanceId' }],
        deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 200 },
      }),
    )
    await spreadOver([2, 2, 2])
    await eventually('the service is steady', async () => {
      const { events = [], deployments } = (await service()) ?? {}
      const isSteady = events.some(({ message }) => message?.includes('steady state'))
      return (isSteady && deployments?.[0]?.rolloutState === 'COMPLETED') || undefined
    })
    watching = new AbortController()
    const engine = await watchEngine()
    const api = sampleApi()

    const [host] = (await hosts()) as [ContainerInstance]
    await setState(host, 'DRAINING')
    await spreadOver([3, 3])
    await setState(host, 'ACTIVE')
    const plan = JSON.parse(
      await eventually('the service is steady', async () => {
        const answer = await under.current.berth('rebalance', '--dry-run', '--goal', 'spread', '--json')
        return answer.includes('"taskId"') ? answer : undefined
      }),
    ) as { readonly moves: readonly unknown[]; readonly spreads: readonly { readonly places: readonly unknown[] }[] }
    expect(plan.moves).toHaveLength(2)
    expect(await under.current.berth('rebalance', '--dry-run')).toMatch(/web, spread\(instanceId\): .* 0 -> 2/)

    await setRebalancing('spread')
    await spreadOver([2, 2, 2])
    expect(await api.end()).toBeGreaterThanOrEqual(wanted)
    expect(engine.end()).toBeGreaterThanOrEqual(wanted)
    const said = (await service())?.events?.map(({ message }) => message) ?? []
    expect(said.filter((sentence) => sentence?.includes('to spread tasks again'))).toHaveLength(4)
  })

  /** Counts the cluster's running containers at each of Docker's events. */
  async function watchEngine(): Promise<{ end(): number }> {
    const { docker } = under.current
    const up = new Set(
      (await under.current.containers()).filter(({ State }) => State === 'running').map(({ Id }) => Id),
    )
    let least = up.size
    const ours = new Set((await under.current.containers()).map(({ Labels }) => Labels[hostLabel]))
    const filters = { type: ['container' as const], event: ['start', 'die'], label: [hostLabel] }
    const stream = await docker.getEvents({
      filters,
      since: Math.floor(Date.now() / 1000),
      abortSignal: watching.signal,
    })
    let rest = ''
    stream.on('data', (data: Buffer) => {
      const lines = (rest + data.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines.filter((each) => each !== '')) {
        const { Action, Actor } = JSON.parse(line) as EngineEvent & { Actor: { Attributes: Record<string, string> } }
        if (!ours.has(Actor.Attributes[hostLabel])) continue
        if (Action === 'start') up.add(Actor.ID)
        else up.delete(Actor.ID)
        least = Math.min(least, up.size)
      }
    })
    return {
      end() {
        stream.on('error', () => {})
        watching.abort()
        return least
      },
    }
  }

  /** Asks again and again how many tasks run. */
  function sampleApi(): { end(): Promise<number> } {
    let least = Number.MAX_SAFE_INTEGER
    const over = new AbortController()
    const sampling = (async () => {
      while (!over.signal.aborted && !watching.signal.aborted) {
        const { runningCount = 0 } = (await service()) ?? {}
        least = Math.min(least, runningCount)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    })()
    return {
      async end() {
        over.abort()
        await sampling
        return least
      },
    }
  }
})
