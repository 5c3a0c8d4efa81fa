import { DescribeTasksCommand, ECSClient, ListTasksCommand, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ControlPlane, type ControlPlanes, startControlPlanes } from '../../control-planes/control-planes.ts'
import { type FakeHosts, startFakeHosts } from '../../control-planes/fake-hosts.ts'
import { type RunTaskLoad, startRunTaskLoad } from '../../control-planes/run-task-load.ts'

/** Shorter than the default, so that a test sees several leases. */
const leaseMs = 3000

let cluster: ControlPlanes
let hosts: FakeHosts
let client: ECSClient
let load: RunTaskLoad
beforeAll(async () => {
  cluster = await startControlPlanes({ settings: { BERTH_LEASE: `${leaseMs}ms` } })
  hosts = await startFakeHosts(5, cluster.agentServers)
  const { endpoint, region, credentials } = cluster
  client = new ECSClient({ endpoint, region, credentials })
  const containerDefinitions = [{ name: 'main', image: 'busybox', cpu: 1, memory: 6 }]
  await client.send(new RegisterTaskDefinitionCommand({ family: 'load', containerDefinitions }))
  await allHostsBack()
})
afterAll(async () => {
  client.destroy()
  await hosts.stop()
  await cluster.stop()
})
beforeEach(async () => {
  load = await startRunTaskLoad(cluster)
  await load.next()
})
afterEach(() => load.stop())

async function allHostsBack(): Promise<void> {
  await vi.waitUntil(async () => (await (await cluster.leader()).health())?.hosts === 5, {
    timeout: 60_000,
    interval: 50,
  })
}

/** All tasks that the cluster knows of. */
async function knownTasks(): Promise<ReadonlySet<string>> {
  const known = new Set<string>()
  for (const desiredStatus of ['RUNNING', 'STOPPED'] as const) {
    let nextToken: string | undefined
    do {
      const page = await client.send(new ListTasksCommand({ desiredStatus, ...(nextToken && { nextToken }) }))
      for (const arn of page.taskArns ?? []) known.add(arn)
      nextToken = page.nextToken
    } while (nextToken !== undefined)
  }
  return known
}

/** What must be true of everything that callers were told, however often the leader changed. */
async function nothingIsLostOrDoubled(): Promise<void> {
  await load.stop()
  expect(load.failures).toEqual([])
  expect(new Set(load.acknowledged).size).toBe(load.acknowledged.length)
  const known = await knownTasks()
  expect(load.acknowledged.filter((arn) => !known.has(arn))).toEqual([])
  await vi.waitUntil(() => load.acknowledged.every((arn) => hosts.starts.has(arn)), { timeout: 60_000, interval: 50 })
  expect([...hosts.starts].filter(([, starts]) => starts !== 1)).toEqual([])
  // A call that was tried again under its token has made one task: all that there are were acknowledged to somebody.
  expect(hosts.starts.size).toBe(known.size)
}

const faults: [string, (leader: ControlPlane) => Promise<void> | void, (leader: ControlPlane) => void][] = [
  ['is killed', (leader) => leader.kill(), (leader) => leader.start()],
  ['stands still past its lease', (leader) => leader.freeze(), (leader) => leader.thaw()],
  ['is cut off from Redis', (leader) => leader.cutFromRedis(), (leader) => leader.joinRedis()],
]

describe.each(faults)('when the leader %s', (_what, fail, mend) => {
  test('another leads, and no caller sees an error or loses a task', async () => {
    const leader = await cluster.leader()
    await fail(leader)
    const successor = await cluster.leader(leader)
    await load.next()
    mend(leader)
    await vi.waitUntil(async () => (await leader.health())?.leading === false, { timeout: 30_000, interval: 20 })
    expect((await successor.health())?.leading).toBe(true)
    await allHostsBack()
    await nothingIsLostOrDoubled()
  })
})

test('a control plane that is cut off from Redis says so as long as it is, so that a balancer leaves it out', async () => {
  const leader = await cluster.leader()
  const health = (isCutOff: boolean) => async () => {
    const said = await leader.health()
    return said !== undefined && (said.cutOff ?? false) === isCutOff
  }
  leader.cutFromRedis()
  await vi.waitUntil(health(true), { timeout: 30_000, interval: 20 })
  await load.next()
  leader.joinRedis()
  await vi.waitUntil(health(false), { timeout: 30_000, interval: 20 })
  await allHostsBack()
  await nothingIsLostOrDoubled()
})

test('control planes that are restarted one after the other under load fail no request', async () => {
  for (const plane of cluster.planes) {
    await plane.stop()
    plane.start()
    await vi.waitUntil(async () => (await plane.health()) !== undefined, { timeout: 30_000, interval: 20 })
    await cluster.leader()
    await load.next()
  }
  await allHostsBack()
  await nothingIsLostOrDoubled()
})

test('every control plane gives the same answers, whoever leads', async () => {
  await load.stop()
  const { region, credentials, planes } = cluster
  const [task = ''] = load.acknowledged
  const answers = await Promise.all(
    planes.map(async ({ apiPort }) => {
      const one = new ECSClient({ endpoint: `http://127.0.0.1:${apiPort}`, region, credentials, maxAttempts: 1 })
      const { tasks } = await one.send(new DescribeTasksCommand({ tasks: [task] }))
      one.destroy()
      return tasks?.map(({ taskArn, containerInstanceArn }) => ({ taskArn, containerInstanceArn }))
    }),
  )
  expect(answers[0]).toHaveLength(1)
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
})
