import { randomUUID } from 'node:crypto'
import { type EcsClient, ecsClient } from '@berth/cli/ecs/ecs-client.ts'
import { type HostWorkers, startHostWorkers } from '@berth/cli/lab/host-workers.ts'
import { labTaskDefinition } from '@berth/cli/lab/lab-task-definition.ts'
import { labTask } from '@berth/cli/lab/scenario.ts'
import type { ControlPlanes } from '../../control-planes/control-planes.ts'

/** Calls in flight while the fleet is filled. */
const callers = 4
/** Tasks that one RunTask asks for; the control planes must be told to allow it. */
export const tasksPerCall = 200
const workersPerFleet = 2

export const task = labTask({ cpu: 1, memory: 6 })
export const taskDefinition = 'lab-small'

/** Fake hosts with room for everything, in processes of their own, joined. */
export async function startFleet(
  cluster: ControlPlanes,
  hosts: number,
  servers: readonly string[] = cluster.agentServers,
): Promise<HostWorkers> {
  const workers = await startHostWorkers(workersPerFleet, {
    servers,
    token: '',
    cluster: 'default',
    seed: 1,
    tasks: { small: task },
  })
  const plans = Array.from({ length: hosts }, (_, number) => ({
    number,
    zone: `us-east-1${'abc'[number % 3]}`,
    cpu: 1_024_000,
    memoryMib: 4_000_000,
  }))
  await workers.add(plans)
  await until(async () => (await connectedHosts(cluster)) === hosts)
  await clientOf(cluster)('RegisterTaskDefinition', labTaskDefinition('small', task, 1))
  return workers
}

/** Starts that many tasks, and resolves when all of them run. */
export async function fill(cluster: ControlPlanes, workers: HostWorkers, tasks: number): Promise<void> {
  const ecs = clientOf(cluster)
  let left = tasks
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (left > 0) {
        const count = Math.min(tasksPerCall, left)
        left -= count
        await runTasks(ecs, count)
      }
    }),
  )
  await until(async () => workers.news().started >= tasks)
}

/** As an SDK does: the same token until there is an answer. */
async function runTasks(ecs: EcsClient, count: number): Promise<void> {
  const clientToken = randomUUID()
  for (;;) {
    const answer = await ecs('RunTask', { taskDefinition, count, clientToken }).catch(() => undefined)
    if (answer !== undefined) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

export const clientOf = ({ endpoint, region, credentials }: ControlPlanes) =>
  ecsClient({ endpoint, region, key: { ...credentials, name: '' } })

/** Hosts that have a session with the leader. */
export async function connectedHosts({ planes }: ControlPlanes): Promise<number> {
  for (const plane of planes) {
    const health = await plane.health()
    if (health?.leading === true) return health.hosts
  }
  return 0
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}
