import type { EcsClient } from '../ecs/ecs-client.ts'
import type { HostView } from './fleet-view.ts'

/** A service, as far as the lab looks. */
export interface ServiceView {
  readonly serviceName: string
  readonly runningCount: number
  readonly desiredCount: number
  readonly pendingCount: number
  readonly deployments: readonly { readonly rolloutState?: string }[]
  readonly events: readonly { readonly message: string }[]
}

/** Services of one DescribeServices. */
const perCall = 10

export async function viewServices(ecs: EcsClient, cluster: string, names: readonly string[]): Promise<ServiceView[]> {
  const views: ServiceView[] = []
  for (let at = 0; at < names.length; at += perCall) {
    const input = { cluster, services: names.slice(at, at + perCall) }
    views.push(...(await ecs<{ services: readonly ServiceView[] }>('DescribeServices', input)).services)
  }
  return views
}

/**
 * What keeps a cluster from being steady; `undefined` when nothing does: every host that is up is connected, those that are not
 * have been given up, no task is on its way, and every service has what it wants, with its deployment done.
 */
export function unrest(hosts: readonly HostView[], up: number, services: readonly ServiceView[]): string | undefined {
  const connected = hosts.filter((host) => host.connected)
  if (connected.length !== up) return `${connected.length} hosts are connected, ${up} are up`
  const lost = hosts.filter((host) => !host.connected && host.running + host.pending > 0)
  if (lost.length > 0) return `${lost.length} hosts are away and not given up yet`
  const pending = hosts.reduce((sum, host) => sum + host.pending, 0)
  if (pending > 0) return `${pending} tasks are pending`
  const restless = services.find((service) => !isSteady(service))
  return restless === undefined
    ? undefined
    : `service ${restless.serviceName} has ${restless.runningCount} of ${restless.desiredCount} tasks`
}

const isSteady = ({ runningCount, desiredCount, pendingCount, deployments }: ServiceView): boolean =>
  runningCount === desiredCount &&
  pendingCount === 0 &&
  deployments.length === 1 &&
  (deployments[0]?.rolloutState ?? 'COMPLETED') === 'COMPLETED'
