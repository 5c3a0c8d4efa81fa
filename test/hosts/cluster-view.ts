import {
  type ContainerInstance,
  DescribeContainerInstancesCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  type ECSClient,
  ListContainerInstancesCommand,
  ListServicesCommand,
  ListTasksCommand,
  type Service,
  type Task,
} from '@aws-sdk/client-ecs'
import { containerNameLabel, hostLabel, taskArnLabel } from '@berth/agent/runtime/docker/container-labels.ts'
import { pauseContainerName } from '@berth/agent/engine/task-state.ts'
import type { LabHost } from './lab-host.ts'

/** What the API tells of a cluster. */
export interface ClusterView {
  /** Those that ended included, as long as they are told of. */
  readonly tasks: readonly Task[]
  readonly services: readonly Service[]
  readonly hosts: readonly ContainerInstance[]
}

/** A container, as a host's own engine tells it. */
export interface EngineContainer {
  readonly id: string
  readonly host: string
  readonly taskArn: string
  readonly name: string
  readonly running: boolean
  readonly pid: number
  readonly startedAt: string
  /** CPU units and MiB that the engine holds it to. */
  readonly cpuShares: number
  readonly memoryMib: number
}

/** Most that describe operations take at once. */
const perDescribe = 100
const servicesPerDescribe = 10

export async function viewCluster(client: ECSClient): Promise<ClusterView> {
  const [running, stopped] = await Promise.all([listTasks(client, 'RUNNING'), listTasks(client, 'STOPPED')])
  const [tasks, services, hosts] = await Promise.all([
    describeTasks(client, [...running, ...stopped]),
    viewServices(client),
    viewHosts(client),
  ])
  return { tasks, services, hosts }
}

export async function describeTasks(client: ECSClient, arns: readonly string[]): Promise<readonly Task[]> {
  const answers = await Promise.all(
    chunks([...new Set(arns)], perDescribe).map((tasks) => client.send(new DescribeTasksCommand({ tasks }))),
  )
  return answers.flatMap(({ tasks = [] }) => tasks)
}

async function listTasks(client: ECSClient, desiredStatus: 'RUNNING' | 'STOPPED'): Promise<readonly string[]> {
  const arns: string[] = []
  let nextToken: string | undefined
  do {
    const answer = await client.send(new ListTasksCommand({ desiredStatus, ...(nextToken ? { nextToken } : {}) }))
    arns.push(...(answer.taskArns ?? []))
    nextToken = answer.nextToken
  } while (nextToken)
  return arns
}

async function viewServices(client: ECSClient): Promise<readonly Service[]> {
  const { serviceArns = [] } = await client.send(new ListServicesCommand({ maxResults: 100 }))
  const answers = await Promise.all(
    chunks(serviceArns, servicesPerDescribe).map((services) => client.send(new DescribeServicesCommand({ services }))),
  )
  return answers.flatMap(({ services = [] }) => services)
}

export async function viewHosts(client: ECSClient): Promise<readonly ContainerInstance[]> {
  const { containerInstanceArns = [] } = await client.send(new ListContainerInstancesCommand({}))
  if (containerInstanceArns.length === 0) return []
  const { containerInstances = [] } = await client.send(
    new DescribeContainerInstancesCommand({ containerInstances: containerInstanceArns }),
  )
  return containerInstances
}

/** Every container of tasks on a host, running or not, without those that hold networks. @throws while its engine does not answer. */
export async function containersOn({ name, docker }: LabHost): Promise<readonly EngineContainer[]> {
  const listed = await docker.listContainers({ all: true, filters: { label: [hostLabel] } })
  const ofTasks = listed.filter(({ Labels }) => Labels[containerNameLabel] !== pauseContainerName)
  const inspected = await Promise.all(
    ofTasks.map(({ Id }) =>
      docker
        .getContainer(Id)
        .inspect()
        // Removed between the two questions.
        .catch(() => undefined),
    ),
  )
  return inspected.flatMap((container) =>
    container === undefined
      ? []
      : {
          id: container.Id,
          host: name,
          taskArn: container.Config.Labels[taskArnLabel] ?? '',
          name: container.Config.Labels[containerNameLabel] ?? '',
          running: container.State.Running,
          pid: container.State.Pid,
          startedAt: container.State.StartedAt,
          cpuShares: container.HostConfig.CpuShares ?? 0,
          memoryMib: Math.round((container.HostConfig.Memory ?? 0) / 2 ** 20),
        },
  )
}

export async function containersOnAll(hosts: readonly LabHost[]): Promise<readonly EngineContainer[]> {
  return (await Promise.all(hosts.map(containersOn))).flat()
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))
}
