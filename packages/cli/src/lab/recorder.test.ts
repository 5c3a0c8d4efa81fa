import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { expect, test } from 'vitest'
import { type EcsClient, UnreachableError } from '../ecs/ecs-client.ts'
import type { FleetNews, HostWorkers } from './host-workers.ts'
import type { LabCluster } from './lab-cluster.ts'
import { Recorder } from './recorder.ts'

const news: FleetNews = { assigned: 0, lastAssignedAt: 0, started: 0, ended: 0, cpuSeconds: 0, rssBytes: 0 }

/** A recorder of a lab whose control plane answers looks as `ecs` does. */
function recording(ecs: EcsClient) {
  const clock = virtualClock()
  const cluster: LabCluster = {
    ecs,
    region: 'eu-west-1',
    cluster: 'lab',
    server: '',
    token: '',
    tasksPerCall: 10,
    usage: () => undefined,
    async stop() {},
  }
  const workers: HostWorkers = {
    async add() {},
    async order() {},
    news: () => news,
    takeStartedTasks: () => ['task'],
    async stop() {},
  }
  const recorder = new Recorder({ clock, cluster, workers, refused: () => 0, onSample() {} })
  return { clock, recorder }
}

const noHosts = { containerInstanceArns: [], tasks: [] }

test('samples go on while the control plane does not answer', async () => {
  const { clock, recorder } = recording(() => new Promise<never>(() => {}))
  await clock.advanceBy(5500)
  expect(recorder.samples.map(({ atMs }) => atMs)).toEqual([0, 1000, 2000, 3000, 4000, 5000])
})

test('samples go on after looks that failed, and so does the look at the end', async () => {
  let isAway = true
  const { clock, recorder } = recording(async <Output>() => {
    if (isAway) throw new UnreachableError('no answer')
    return noHosts as Output
  })
  await clock.advanceBy(3500)
  isAway = false
  const stopped = recorder.stop()
  await clock.advanceBy(5000)
  await stopped
  expect(recorder.samples.length).toBe(5)
})

test('one look is under way at a time', async () => {
  let underWay = 0
  let most = 0
  const { clock, recorder } = recording(async <Output>(operation: string) => {
    if (operation !== 'ListContainerInstances') return noHosts as Output
    most = Math.max(most, ++underWay)
    await new Promise<void>((resolve) => void clock.after(3000, resolve))
    underWay -= 1
    return noHosts as Output
  })
  await clock.advanceBy(1500)
  const looks = Promise.all([recorder.look(), recorder.look()])
  await clock.advanceBy(20_000)
  expect(await looks).toEqual([[], []])
  expect(most).toBe(1)
})
