import type { RunState } from '../cluster/run-state.ts'
import { isAlive } from '@berth/shared/process-identity.ts'
import type { EcsClient } from '../ecs/ecs-client.ts'
import { hostAddressAttribute, hostNameAttribute } from '../up/host-attributes.ts'

/** One host of a cluster: what it has, and how much of it is promised to tasks. */
export interface HostView {
  readonly cluster: string
  readonly name: string
  readonly address: string
  readonly zone: string
  readonly cpu: Usage
  readonly memoryMib: Usage
  /** Of launch type EC2: tasks of FARGATE take their part of CPU and memory, but show no host, as in ECS. */
  readonly tasks: number
  /** ECS's status of the container instance, as ACTIVE or DRAINING. */
  readonly status: string
  readonly connected: boolean
}

export interface Usage {
  readonly used: number
  readonly total: number
}

export interface ServiceView {
  readonly cluster: string
  readonly name: string
  readonly status: string
  readonly desired: number
  readonly running: number
  readonly pending: number
  /** Of its newest deployment, as IN_PROGRESS or COMPLETED. */
  readonly rollout: string
  readonly taskDefinition: string
}

export interface TaskCounts {
  readonly cluster: string
  readonly running: number
  readonly pending: number
  readonly services: number
}

export interface ProcessView {
  readonly name: string
  readonly pid: number | undefined
  readonly running: boolean
  readonly restarts: number
}

/** All that `berth status` shows. */
export interface ClusterView {
  readonly endpoint: string
  readonly account: string
  readonly region: string
  readonly upForMs: number
  readonly supervised: boolean
  readonly processes: readonly ProcessView[]
  readonly hosts: readonly HostView[]
  readonly services: readonly ServiceView[]
  readonly tasks: readonly TaskCounts[]
  /** There while the cell rests since its store went back. */
  readonly storeReturn?: StoreReturnView
}

export interface StoreReturnView {
  readonly reason: string
  /** In ms since the epoch. */
  readonly quarantinedUntil: number
  /** Tasks that hosts ran and the cell did not know. */
  readonly adoptedTasks: number
}

/** Reads the whole view: by the API where it is about the cluster, from `run.json` where it is about Berth's processes. */
export async function readClusterView(
  state: RunState,
  supervised: boolean,
  ecs: EcsClient,
  now: number,
): Promise<ClusterView> {
  const arns = await listAll(ecs, 'ListClusters', {}, 'clusterArns')
  const clusters = await inBatches(arns, 100, async (batch) => {
    const { clusters } = await ecs<{ clusters: readonly EcsCluster[] }>('DescribeClusters', { clusters: batch })
    return clusters
  })
  clusters.sort(byName(({ clusterName }) => clusterName))
  const hosts = await Promise.all(clusters.map(({ clusterName }) => readHosts(ecs, clusterName, state)))
  const services = await Promise.all(clusters.map(({ clusterName }) => readServices(ecs, clusterName)))
  return {
    endpoint: state.endpoint,
    account: state.account,
    region: state.region,
    upForMs: now - state.startedAt,
    supervised,
    processes: state.processes.map(({ name, identity, restarts }) => ({
      name,
      pid: identity?.pid,
      running: identity !== undefined && isAlive(identity),
      restarts,
    })),
    hosts: hosts.flat(),
    services: services.flat(),
    tasks: clusters.map((cluster) => ({
      cluster: cluster.clusterName,
      running: cluster.runningTasksCount,
      pending: cluster.pendingTasksCount,
      services: cluster.activeServicesCount,
    })),
  }
}

/** What ECS answers, as much of it as is shown. */
interface EcsCluster {
  readonly clusterName: string
  readonly runningTasksCount: number
  readonly pendingTasksCount: number
  readonly activeServicesCount: number
}

interface EcsResource {
  readonly name: string
  readonly integerValue?: number
}

interface EcsContainerInstance {
  readonly containerInstanceArn: string
  readonly status: string
  readonly agentConnected: boolean
  readonly runningTasksCount: number
  readonly pendingTasksCount: number
  readonly registeredResources?: readonly EcsResource[]
  readonly remainingResources?: readonly EcsResource[]
  readonly attributes?: readonly { readonly name: string; readonly value?: string }[]
}

interface EcsService {
  readonly serviceName: string
  readonly status: string
  readonly desiredCount: number
  readonly runningCount: number
  readonly pendingCount: number
  readonly taskDefinition?: string
  readonly deployments?: readonly { readonly status?: string; readonly rolloutState?: string }[]
}

async function readHosts(ecs: EcsClient, cluster: string, state: RunState): Promise<readonly HostView[]> {
  const arns = await listAll(ecs, 'ListContainerInstances', { cluster }, 'containerInstanceArns')
  const instances = await inBatches(arns, 100, async (containerInstances) => {
    const answer = await ecs<{ containerInstances: readonly EcsContainerInstance[] }>('DescribeContainerInstances', {
      cluster,
      containerInstances,
    })
    return answer.containerInstances
  })
  const localAddresses = new Map(state.hosts.map(({ name, address }) => [name, address]))
  return instances.map((instance) => hostView(cluster, instance, localAddresses)).sort(byName(({ name }) => name))
}

/** A host that `berth up` did not start is shown by the id that ECS gave it. */
export function hostView(
  cluster: string,
  instance: EcsContainerInstance,
  localAddresses: ReadonlyMap<string, string>,
): HostView {
  const attribute = (name: string) => instance.attributes?.find((each) => each.name === name)?.value
  const name = attribute(hostNameAttribute) ?? instance.containerInstanceArn.split('/').at(-1) ?? ''
  return {
    cluster,
    name,
    address: attribute(hostAddressAttribute) ?? localAddresses.get(name) ?? '',
    zone: attribute('ecs.availability-zone') ?? '',
    cpu: usage(instance, 'CPU'),
    memoryMib: usage(instance, 'MEMORY'),
    tasks: instance.runningTasksCount + instance.pendingTasksCount,
    status: instance.status,
    connected: instance.agentConnected,
  }
}

function usage({ registeredResources, remainingResources }: EcsContainerInstance, resource: string): Usage {
  const amount = (resources: readonly EcsResource[] | undefined) =>
    resources?.find(({ name }) => name === resource)?.integerValue ?? 0
  const total = amount(registeredResources)
  return { used: total - amount(remainingResources), total }
}

async function readServices(ecs: EcsClient, cluster: string): Promise<readonly ServiceView[]> {
  const arns = await listAll(ecs, 'ListServices', { cluster }, 'serviceArns')
  const services = await inBatches(arns, 10, async (batch) => {
    const answer = await ecs<{ services: readonly EcsService[] }>('DescribeServices', { cluster, services: batch })
    return answer.services
  })
  return services.map((service) => serviceView(cluster, service)).sort(byName(({ name }) => name))
}

export function serviceView(cluster: string, service: EcsService): ServiceView {
  const newest = service.deployments?.find(({ status }) => status === 'PRIMARY')
  return {
    cluster,
    name: service.serviceName,
    status: service.status,
    desired: service.desiredCount,
    running: service.runningCount,
    pending: service.pendingCount,
    rollout: newest?.rolloutState ?? '',
    taskDefinition: service.taskDefinition?.split('/').at(-1) ?? '',
  }
}

/** All pages of a list. */
async function listAll(ecs: EcsClient, operation: string, input: object, member: string): Promise<readonly string[]> {
  const arns: string[] = []
  let nextToken: string | undefined
  do {
    const page = await ecs<Record<string, unknown>>(
      operation,
      nextToken === undefined ? input : { ...input, nextToken },
    )
    arns.push(...((page[member] as readonly string[] | undefined) ?? []))
    nextToken = page['nextToken'] as string | undefined
  } while (nextToken !== undefined)
  return arns
}

/** Describes no more at once than ECS allows in a request. */
async function inBatches<T>(
  arns: readonly string[],
  size: number,
  describe: (batch: readonly string[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const found: T[] = []
  for (let from = 0; from < arns.length; from += size) found.push(...(await describe(arns.slice(from, from + size))))
  return found
}

/** In the order of names as people count: host-2 before host-10. */
const byName =
  <T>(name: (item: T) => string) =>
  (a: T, b: T): number =>
    name(a).localeCompare(name(b), 'en', { numeric: true })
