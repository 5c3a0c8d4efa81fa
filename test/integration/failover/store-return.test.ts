import {
  DescribeTasksCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type ControlPlanes, startControlPlanes } from '../../control-planes/control-planes.ts'
import { type FakeHosts, startFakeHosts } from '../../control-planes/fake-hosts.ts'
import { goBackTo, takeSnapshot } from '../../redis/cell-snapshot.ts'

let cluster: ControlPlanes
let hosts: FakeHosts
let client: ECSClient
beforeEach(async () => {
  cluster = await startControlPlanes({ count: 2, settings: { BERTH_LEASE: '2s', BERTH_STORE_RETURN_QUARANTINE: '5s' } })
  hosts = await startFakeHosts(3, cluster.agentServers)
  const { endpoint, region, credentials } = cluster
  client = new ECSClient({ endpoint, region, credentials })
  await allHostsBack()
})
afterEach(async () => {
  client.destroy()
  await hosts.stop()
  await cluster.stop()
})

const until = (condition: () => boolean | Promise<boolean>) =>
  vi.waitUntil(condition, { timeout: 60_000, interval: 50 })

const allHostsBack = () => until(async () => (await (await cluster.leader()).health())?.hosts === 3)

async function register(family: string): Promise<void> {
  const containerDefinitions = [{ name: 'main', image: 'busybox', cpu: 10, memory: 16 }]
  await client.send(new RegisterTaskDefinitionCommand({ family, containerDefinitions }))
}

async function run(family: string, count: number): Promise<string[]> {
  const { tasks = [] } = await client.send(new RunTaskCommand({ taskDefinition: family, count }))
  const arns = tasks.map(({ taskArn = '' }) => taskArn)
  await until(() => arns.every((arn) => hosts.starts.has(arn)))
  return arns
}

async function statuses(tasks: readonly string[]): Promise<(string | undefined)[]> {
  const answer = await client.send(new DescribeTasksCommand({ tasks: [...tasks] }))
  return [
    ...(answer.tasks ?? []).map(({ lastStatus }) => lastStatus),
    ...(answer.failures ?? []).map(({ reason }) => reason),
  ]
}

const running = async (tasks: readonly string[]) => (await statuses(tasks)).every((status) => status === 'RUNNING')

test('what hosts run of a time that a live store has forgotten is taken over, and nothing of it is stopped', async () => {
  await register('before')
  const before = await run('before', 4)
  await until(() => running(before))
  const snapshot = await takeSnapshot(cluster.redis.url)
  const later = await run('before', 5)
  await until(() => running(later))

  await goBackTo(cluster.redis.url, snapshot)
  // The leader learns of it with its next write.
  await client.send(new StopTaskCommand({ task: before[0] ?? '' })).catch(() => undefined)
  await until(async () => (await running(later).catch(() => false)) && (await cluster.leader()) !== undefined)
  await allHostsBack()
  expect(await statuses(later)).toEqual(later.map(() => 'RUNNING'))
  const again = await run('before', 2)
  expect([...later, ...again].map((arn) => hosts.starts.get(arn))).toEqual([1, 1, 1, 1, 1, 1, 1])
  expect(hosts.ends).toBeLessThanOrEqual(1)
})

test('hosts that have followed a newer epoch than a restored store are let in again, and keep what they run', async () => {
  await register('before')
  const snapshot = await takeSnapshot(cluster.redis.url)
  await register('lost')
  const lost = await run('lost', 5)
  await until(() => running(lost))
  // Two more reigns, so that hosts hold an epoch that the restored store will not reach by itself.
  for (let reigns = 0; reigns < 2; reigns++) {
    const leader = await cluster.leader()
    await leader.kill()
    leader.start()
    await cluster.leader(leader)
    await allHostsBack()
  }
  for (const plane of cluster.planes) await plane.kill()
  await goBackTo(cluster.redis.url, snapshot)
  for (const plane of cluster.planes) plane.start()
  await allHostsBack()
  await until(() => running(lost))
  expect(hosts.ends).toBe(0)
  expect([...hosts.starts.values()]).toEqual([1, 1, 1, 1, 1])
  // A revision that hosts run is not given to another definition.
  await register('lost')
  const { tasks } = await client.send(new RunTaskCommand({ taskDefinition: 'lost' }))
  expect(tasks?.[0]?.taskDefinitionArn).toMatch(/lost:2$/)
  // A task whose definition is gone can be stopped like any other.
  await client.send(new StopTaskCommand({ task: lost[0] ?? '' }))
  await until(async () => (await statuses(lost.slice(0, 1)))[0] === 'STOPPED')
})
