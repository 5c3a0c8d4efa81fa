import { describe, expect, onTestFinished, test } from 'vitest'
import { testCluster } from '../api/ecs/testing/test-cluster.ts'
import { lostHostsController } from './lost-hosts.ts'

/** A cluster with one host that has one task and is not heard of any more. */
async function clusterWithSilentHost() {
  const cluster = await testCluster({ hosts: 1 })
  const { cell, clock, deps } = cluster
  const controller = lostHostsController({ ...deps, defer: (run) => queueMicrotask(run) })
  controller.start(cell)
  onTestFinished(() => controller.stop())
  await cluster.call('RunTask', { taskDefinition: 'web' })
  const [host] = cell.tables.hosts.values()
  if (host === undefined) throw new Error('there is no host')
  await cluster.put('hosts', host.id, { ...host, agentConnected: false, disconnectedAt: clock.now() })
  const tasks = () => Array.from(cell.tables.tasks.values(), ({ lastStatus }) => lastStatus)
  const setLostAfter = (value: string) =>
    cluster.call('UpdateClusterSettings', {
      cluster: 'default',
      settings: [{ name: 'berth.hostLostAfter' as 'containerInsights', value }],
    })
  return { clock, tasks, setLostAfter }
}

describe('a host that is not heard of', () => {
  test('keeps its tasks for a minute, the first 15 s of which it counted as connected', async () => {
    const { clock, tasks } = await clusterWithSilentHost()
    await clock.advanceBy(44_000)
    expect(tasks()).toEqual(['PENDING'])
    await clock.advanceBy(1000)
    expect(tasks()).toEqual(['STOPPED'])
  })

  test('keeps them for as long as its cluster says, also when that is said in the meantime', async () => {
    const { clock, tasks, setLostAfter } = await clusterWithSilentHost()
    await clock.advanceBy(30_000)
    await setLostAfter('10m')
    await clock.advanceBy(540_000)
    expect(tasks()).toEqual(['PENDING'])
    await setLostAfter('0s')
    await clock.advanceBy(3600_000)
    expect(tasks()).toEqual(['PENDING'])
    await setLostAfter('20s')
    await clock.settle()
    expect(tasks()).toEqual(['STOPPED'])
  })
})
