import type { EcsClient } from '../ecs/ecs-client.ts'
import { percentile } from './percentiles.ts'

/** A container instance, as far as the lab looks. */
export interface HostView {
  readonly arn: string
  readonly zone: string
  readonly status: string
  readonly connected: boolean
  readonly running: number
  readonly pending: number
  readonly cpu: number
  readonly memory: number
  readonly freeCpu: number
  readonly freeMemory: number
}

/** How full the hosts are, each part from 0 to 1. */
export interface Fullness {
  readonly cpu: number
  readonly memory: number
  /** Of the larger of the two shares of each host: the tenth least full, the middle, the tenth fullest. */
  readonly p10: number
  readonly p50: number
  readonly p90: number
  readonly hostsUsed: number
  /** Hosts used, against the fewest that the same demand could ever fit on: 1 is perfect. 0 while nothing runs. */
  readonly packingRatio: number
}

const perCall = 100

interface Resource {
  readonly name: string
  readonly integerValue?: number
}

interface ContainerInstance {
  readonly containerInstanceArn: string
  readonly status: string
  readonly agentConnected: boolean
  readonly runningTasksCount: number
  readonly pendingTasksCount: number
  readonly registeredResources: readonly Resource[]
  readonly remainingResources: readonly Resource[]
  readonly attributes: readonly { readonly name: string; readonly value?: string }[]
}

/** Everything that the control plane says of the hosts of a cluster. */
export async function viewFleet(ecs: EcsClient, cluster: string): Promise<HostView[]> {
  const hosts: HostView[] = []
  let nextToken: string | undefined
  do {
    const page = await ecs<{ containerInstanceArns: readonly string[]; nextToken?: string }>('ListContainerInstances', {
      cluster,
      maxResults: perCall,
      ...(nextToken !== undefined && { nextToken }),
    })
    nextToken = page.nextToken
    if (page.containerInstanceArns.length === 0) continue
    const { containerInstances } = await ecs<{ containerInstances: readonly ContainerInstance[] }>(
      'DescribeContainerInstances',
      { cluster, containerInstances: page.containerInstanceArns },
    )
    hosts.push(...containerInstances.map(hostView))
  } while (nextToken !== undefined)
  return hosts
}

const hostView = (instance: ContainerInstance): HostView => {
  const amount = (resources: readonly Resource[], name: string): number =>
    resources.find((resource) => resource.name === name)?.integerValue ?? 0
  const { registeredResources: all, remainingResources: left } = instance
  return {
    arn: instance.containerInstanceArn,
    zone: instance.attributes.find(({ name }) => name === 'ecs.availability-zone')?.value ?? '',
    status: instance.status,
    connected: instance.agentConnected,
    running: instance.runningTasksCount,
    pending: instance.pendingTasksCount,
    cpu: amount(all, 'CPU'),
    memory: amount(all, 'MEMORY'),
    freeCpu: amount(left, 'CPU'),
    freeMemory: amount(left, 'MEMORY'),
  }
}

/** How full those hosts are that can be placed on. */
export function fullnessOf(all: readonly HostView[]): Fullness {
  const hosts = all.filter(({ connected }) => connected)
  const sum = (figure: (host: HostView) => number): number => hosts.reduce((total, host) => total + figure(host), 0)
  const cpu = sum((host) => host.cpu)
  const memory = sum((host) => host.memory)
  const usedCpu = cpu - sum(({ freeCpu }) => freeCpu)
  const usedMemory = memory - sum(({ freeMemory }) => freeMemory)
  const shares = hosts
    .map((host) => Math.max(part(host.cpu - host.freeCpu, host.cpu), part(host.memory - host.freeMemory, host.memory)))
    .toSorted((a, b) => a - b)
  const hostsUsed = hosts.filter((host) => host.freeCpu < host.cpu || host.freeMemory < host.memory).length
  return {
    cpu: part(usedCpu, cpu),
    memory: part(usedMemory, memory),
    p10: percentile(shares, 0.1),
    p50: percentile(shares, 0.5),
    p90: percentile(shares, 0.9),
    hostsUsed,
    packingRatio: part(hostsUsed, Math.max(fewest(hosts, usedCpu, 'cpu'), fewest(hosts, usedMemory, 'memory'))),
  }
}

const part = (some: number, all: number): number => (all === 0 ? 0 : some / all)

/** The fewest hosts whose whole capacity holds so much: the largest ones first. */
function fewest(hosts: readonly HostView[], used: number, of: 'cpu' | 'memory'): number {
  const sizes = hosts.map((host) => host[of]).toSorted((a, b) => b - a)
  let left = used
  let count = 0
  while (left > 0 && count < sizes.length) left -= sizes[count++] ?? 0
  return count
}
