import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DescribeTasksCommand, ECSClient, RegisterTaskDefinitionCommand, RunTaskCommand } from '@aws-sdk/client-ecs'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startControlPlanes } from '../../control-planes/control-planes.ts'
import { startFakeHosts } from '../../control-planes/fake-hosts.ts'
import { startRunTaskLoad } from '../../control-planes/run-task-load.ts'

const launcher = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url))

function berth(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    launcher,
    ...args,
  ])
  if (status !== 0) throw new Error(`berth ${args.join(' ')}: ${String(stderr)}`)
  return String(stdout)
}

test('a backup taken under load is put into an empty Redis, and hosts keep what they run', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-backup-'))
  const cluster = await startControlPlanes({ count: 1 })
  const hosts = await startFakeHosts(3, cluster.agentServers)
  const { endpoint, region, credentials, redis, planes } = cluster
  const client = new ECSClient({ endpoint, region, credentials })
  onTestFinished(async () => {
    client.destroy()
    await hosts.stop()
    await cluster.stop()
    rmSync(directory, { recursive: true })
  })
  const allHostsBack = () =>
    vi.waitUntil(async () => (await planes[0]?.health())?.hosts === 3, { timeout: 60_000, interval: 50 })
  const containerDefinitions = [{ name: 'main', image: 'busybox', cpu: 1, memory: 6 }]
  await client.send(new RegisterTaskDefinitionCommand({ family: 'load', containerDefinitions }))
  await allHostsBack()

  const load = await startRunTaskLoad(cluster, 4)
  await load.next()
  const file = join(directory, 'backup.gz')
  const acknowledgedBefore = [...load.acknowledged]
  expect(berth('backup', file, '--redis-url', redis.url)).toContain('records')
  await load.next()
  await load.stop()
  const { tasks = [] } = await client.send(new RunTaskCommand({ taskDefinition: 'load', count: 3 }))
  const after = tasks.map(({ taskArn = '' }) => taskArn)
  const all = [...load.acknowledged, ...after]
  await vi.waitUntil(() => all.every((arn) => hosts.starts.has(arn)), { timeout: 60_000, interval: 50 })

  await planes[0]?.kill()
  const admin = new Redis(redis.url, { protocol: 2 })
  onTestFinished(() => admin.disconnect())
  expect(() => berth('restore', file, '--redis-url', redis.url)).toThrow('already')
  await admin.flushall()
  expect(berth('restore', file, '--redis-url', redis.url)).toContain('Restored')
  const restored = new Set((await admin.hkeys('{berth:default}:table:tasks')).map(String))
  expect(acknowledgedBefore.filter((arn) => !restored.has(arn.split('/').at(-1) ?? ''))).toEqual([])
  planes[0]?.start()

  await allHostsBack()
  const statusOf = async (arn: string) => {
    const { tasks: [task] = [] } = await client.send(new DescribeTasksCommand({ tasks: [arn] }))
    return task?.lastStatus
  }
  const newest = after.at(-1) ?? ''
  await vi.waitUntil(async () => (await statusOf(newest)) === 'RUNNING', { timeout: 60_000, interval: 50 })
  for (const arn of all) expect(await statusOf(arn)).toBe('RUNNING')
  expect(hosts.ends).toBe(0)
  expect([...hosts.starts.values()].every((starts) => starts === 1)).toBe(true)
})
