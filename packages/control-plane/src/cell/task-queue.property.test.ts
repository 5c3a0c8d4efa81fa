import { seededRandom } from '@berth/shared/random.ts'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hostRecord } from '../api/ecs/testing/records.ts'
import { testControlPlane, testScope } from '../api/ecs/testing/test-control-plane.ts'
import { endTask } from './task-changes.ts'
import { launchOrQueue, startWaiting } from './task-queue.ts'
import type { TaskLaunch } from './task-blueprint.ts'
import { isWaiting, type TaskRecord } from './records.ts'
import { inQueueOrder } from './waiting-tasks.ts'

/** CPU units of each host; memory is not scarce. */
const hostCpu = 8

const asked = fc.record({
  size: fc.integer({ min: 1, max: hostCpu + 1 }),
  count: fc.integer({ min: 1, max: 4 }),
  gang: fc.boolean(),
  apart: fc.boolean(),
  priority: fc.integer({ min: 0, max: 2 }),
})
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never

/** Tasks are asked for, and running ones end, the how-manieth first. */
const step = fc.oneof(asked, fc.nat({ max: 30 }))

const launchOf = ({ size, apart }: Asked): TaskLaunch => ({
  cluster: 'default',
  definition: {
    arn: `arn:aws:ecs:us-east-1:123456789012:task-definition/size:${size}`,
    family: 'size',
    revision: size,
    status: 'ACTIVE',
    definition: { containerDefinitions: [{ name: 'app', image: 'i', cpu: size, memory: 1 }] },
    registeredAt: 0,
    registeredBy: 'me',
    tags: {},
  },
  launchType: 'EC2',
  group: 'family:size',
  overrides: {},
  placementConstraints: apart ? [{ type: 'distinctInstance' }] : [],
  placementStrategy: [],
  enableExecuteCommand: false,
  tags: {},
})

/** What would not fit on the hosts if nothing else were there. */
const isImpossible = ({ size, count, gang, apart }: Asked, hosts: number): boolean => {
  if (size > hostCpu) return true
  const onEach = apart ? 1 : Math.floor(hostCpu / size)
  return gang && count > onEach * hosts
}

async function aCell(hosts: number) {
  const plane = testControlPlane()
  for (let at = 0; at < hosts; at++)
    await plane.put('hosts', `host-${at}`, hostRecord(`host-${at}`, { cpu: hostCpu, memoryMib: 1000 }))
  for (let size = 1; size <= hostCpu + 1; size++) {
    const { definition } = launchOf({ size, count: 1, gang: false, apart: false, priority: 0 })
    await plane.put('taskDefinitions', `size:${size}`, definition)
  }
  const { cell, clock } = plane
  const deps = { clock, scope: testScope, random: seededRandom(1) }
  const tasks = () => [...cell.tables.tasks.values()]
  const running = () => tasks().filter(({ hostId, lastStatus }) => hostId !== undefined && lastStatus !== 'STOPPED')
  const end = async (task: TaskRecord) => {
    const cause = { code: 'EssentialContainerExited', reason: 'done' } as const
    await cell.transact((tx) => tx.put('tasks', task.id, endTask(task, cause, clock.now())))
    await cell.transact((tx) => startWaiting(tx, deps))
  }
  const ask = async (wish: Asked) => {
    await clock.advanceBy(1)
    const choice = { priority: wish.priority, gang: wish.gang, timeoutMs: 0 }
    return cell.transact((tx) => launchOrQueue(tx, deps, [[launchOf(wish), wish.count]], choice))
  }
  return { ...plane, deps, tasks, running, end, ask }
}

const checkAll = ({ cell, tasks }: Awaited<ReturnType<typeof aCell>>, hosts: number) => {
  for (let at = 0; at < hosts; at++) expect(cell.fleet.hosts.roomOn(`host-${at}`)?.cpu).toBeGreaterThanOrEqual(0)
  const ofGang = Map.groupBy(tasks(), ({ queue }) => queue?.gang)
  for (const [gang, members] of ofGang) if (gang !== undefined) expect(new Set(members.map(isWaiting)).size).toBe(1)
}

test('nothing is over-committed, gangs start whole, and whatever could run starts once those before it have ended', async () => {
  const hosts = 3
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const cell = await aCell(hosts)
      const impossible = new Set<string>()
      for (const step of steps) {
        if (typeof step === 'number') {
          const running = cell.running()
          if (running.length > 0) await cell.end(running[step % running.length] as TaskRecord)
        } else {
          const tasks = await cell.ask(step)
          if (isImpossible(step, hosts)) for (const { id } of tasks) impossible.add(id)
        }
        checkAll(cell, hosts)
      }
      for (let left = cell.running(); left.length > 0; left = cell.running()) {
        await cell.end(left[0] as TaskRecord)
        checkAll(cell, hosts)
      }
      for (const task of cell.tasks()) expect([task.id, isWaiting(task)]).toEqual([task.id, impossible.has(task.id)])
    }),
    { numRuns: 150 },
  )
})

test('the first that does not fit starts within as many ends as there are tasks on a host, however many small ones keep coming behind it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 5, max: hostCpu }), async (seed, size) => {
      const random = seededRandom(seed)
      const cell = await aCell(2)
      const small = { size: 1, count: 2, gang: false, apart: false, priority: 0 }
      for (let at = 0; at < hostCpu; at++) await cell.ask(small)
      const [big] = await cell.ask({ ...small, size, count: 1 })
      const isBigWaiting = () => isWaiting(cell.cell.tables.tasks.get(big?.id ?? '') as TaskRecord)
      expect(isBigWaiting()).toBe(true)
      // Each round one task of each host ends, and more are asked for than end.
      for (let round = 0; round < size; round++) {
        const byHost = Map.groupBy(cell.running(), ({ hostId }) => hostId)
        for (const onHost of byHost.values()) await cell.end(onHost[random.uint32() % onHost.length] as TaskRecord)
        await cell.ask(small)
      }
      expect(isBigWaiting()).toBe(false)
    }),
    { numRuns: 60 },
  )
})

test('among equals, who is ahead in the order starts no later', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const cell = await aCell(2)
      for (const step of steps) {
        if (typeof step === 'number') {
          const running = cell.running()
          if (running.length > 0) await cell.end(running[step % running.length] as TaskRecord)
        } else await cell.ask({ ...step, size: 3, apart: false, gang: false })
        const waiting = cell.tasks().filter(isWaiting)
        const started = cell.tasks().filter(({ placedAt }) => placedAt === cell.clock.now())
        const unit = ({ id, queue, createdAt }: TaskRecord) =>
          ({ id, priority: queue?.priority ?? 0, since: createdAt, taskIds: [] }) as const
        for (const one of started)
          for (const other of waiting) expect(inQueueOrder(unit(one), unit(other))).toBeLessThan(0)
        await cell.clock.advanceBy(1)
      }
    }),
    { numRuns: 100 },
  )
})

test('after a fail-over the order is that of the records', async () => {
  const cell = await aCell(1)
  await cell.ask({ size: hostCpu, count: 1, gang: false, apart: false, priority: 0 })
  for (const priority of [1, 0, 2]) await cell.ask({ size: 5, count: 2, gang: priority === 0, apart: false, priority })
  const records = cell.tasks().toReversed()
  const next = await aCell(1)
  for (const task of records) await next.put('tasks', task.id, task)
  const order = ({ waiting }: typeof cell.cell) =>
    [...waiting.lines()].flatMap(({ units }) => units.firstOnes(10)).toSorted(inQueueOrder)
  expect(order(next.cell).map(({ priority }) => priority)).toEqual([2, 2, 1, 1, 0])
  expect(order(next.cell).map(({ id }) => id)).toEqual(order(cell.cell).map(({ id }) => id))
})

test('a queue of 20,000 tasks of few kinds is gone through without looking at each', async () => {
  const cell = await aCell(2)
  const wishes = [1, 2, 3, 5, 8].map((size) => ({ size, count: 4000, gang: false, apart: false, priority: 0 }))
  await cell.ask({ size: hostCpu, count: 2, gang: false, apart: true, priority: 0 })
  for (const wish of wishes) await cell.ask(wish)
  expect(cell.cell.waiting.size).toBe(20_000)
  expect([...cell.cell.waiting.lines()]).toHaveLength(5)
  let looks = 0
  const get = cell.cell.tables.tasks.get.bind(cell.cell.tables.tasks)
  Object.assign(cell.cell.tables.tasks, { get: (id: string) => (looks++, get(id)) })
  await cell.end(cell.running()[0] as TaskRecord)
  expect(looks).toBeLessThan(100)
  expect(cell.cell.waiting.size).toBe(20_000 - hostCpu)
})
