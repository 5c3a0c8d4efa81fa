import type { EcsInput } from '../../api/operation.ts'
import { container, definitionOf } from '../../api/ecs/testing/definitions.ts'
import { hostRecord } from '../../api/ecs/testing/records.ts'
import { testCluster } from '../../api/ecs/testing/test-cluster.ts'
import type { HostRecord, TaskRecord } from '../../cell/records.ts'
import { endTask } from '../../cell/task-changes.ts'
import { onTestFinished } from 'vitest'
import { taskQueueController } from '../task-queue.ts'

/** What a RunTask of these tests says of its waiting. */
export interface Wish {
  readonly cpu?: number
  readonly count?: number
  readonly priority?: number
  readonly gang?: boolean
  readonly timeout?: string
  readonly more?: Partial<EcsInput<'RunTask'>>
}

/** A cluster of hosts of 1024 CPU units whose tasks wait for room, with its controller at work. */
export async function clusterWithQueue({ hosts = 2, host = {} }: { hosts?: number; host?: Partial<HostRecord> } = {}) {
  const cluster = await testCluster({ hosts, host: { memoryMib: 100_000, ...host } })
  const { cell, clock, deps, call, put } = cluster
  const settings = [{ name: 'berth.taskQueue' as never, value: 'enabled' }]
  await call('UpdateClusterSettings', { cluster: 'default', settings })
  const controller = taskQueueController({ ...deps, defer: (run) => queueMicrotask(run) })
  controller.start(cell)
  onTestFinished(() => controller.stop())

  const sizes = new Set<number>()
  /** Runs tasks and returns their ids. */
  const run = async ({ cpu = 256, count = 1, priority, gang, timeout, more = {} }: Wish = {}) => {
    if (!sizes.has(cpu))
      await call('RegisterTaskDefinition', definitionOf([container({ cpu, memory: 8 })], { family: `cpu-${cpu}` }))
    sizes.add(cpu)
    await clock.advanceBy(1)
    const tags = [
      ...(priority === undefined ? [] : [{ key: 'berth:priority', value: String(priority) }]),
      ...(gang === undefined ? [] : [{ key: 'berth:gang', value: String(gang) }]),
      ...(timeout === undefined ? [] : [{ key: 'berth:queue-timeout', value: timeout }]),
      ...(more.tags ?? []),
    ]
    const input = { taskDefinition: `cpu-${cpu}`, count, ...more, tags }
    const { tasks = [], failures = [] } = await call('RunTask', input)
    if (failures.length > 0) throw new Error(failures[0]?.detail ?? 'refused')
    return tasks.map(({ taskArn = '' }) => taskArn.split('/').at(-1) ?? '')
  }
  const task = (id: string) => cell.tables.tasks.get(id) as TaskRecord
  const status = (id: string) => task(id).lastStatus
  /** The hosts of tasks say that they have ended. */
  const end = async (...ids: readonly string[]) => {
    await cell.transact((tx) => {
      for (const id of ids)
        tx.put('tasks', id, endTask(task(id), { code: 'EssentialContainerExited', reason: 'done' }, clock.now()))
    })
    await clock.settle()
  }
  const addHost = async (id: string, more: Partial<HostRecord> = {}) => {
    await put(
      'hosts',
      id,
      hostRecord(id, { cpu: 1024, memoryMib: 100_000, ...more, attributes: someHost().attributes }),
    )
    await clock.settle()
  }
  const someHost = () => [...cell.tables.hosts.values()][0] as HostRecord
  return { ...cluster, run, task, status, end, addHost }
}
