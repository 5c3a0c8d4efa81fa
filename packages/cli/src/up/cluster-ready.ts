import type { Clock } from '@berth/shared/clock.ts'
import { CliError } from '../cli-error.ts'
import { readIfThere } from '../cluster/private-file.ts'
import type { EcsClient } from '../ecs/ecs-client.ts'
import { httpRequest } from '../ecs/http-request.ts'
import type { Progress } from '../progress.ts'
import { waitUntil } from '../wait-until.ts'
import type { ClusterSupervisor } from './cluster-supervisor.ts'
import { type ClusterPlan, endpointOf, type HostPlan } from './process-spec.ts'
import { redisAnswers } from './redis-server.ts'

export interface ReadyDeps {
  readonly clock: Clock
  readonly progress: Progress
  readonly ecs: EcsClient
  readonly supervisor: ClusterSupervisor
  readonly signal: AbortSignal
}

/** Redis reads its whole log at a start: minutes, for gigabytes. */
const redisWithinMs = 10 * 60_000
/** A lease that a killed control plane held runs out within seconds, and a large cell is loaded in as many. */
const controlPlaneWithinMs = 120_000
const hostsWithinMs = 60_000
/** Short against what a person notices. */
const everyMs = 30

export const redisReady = (plan: ClusterPlan, deps: ReadyDeps): Promise<void> =>
  awaitStart(deps, 'Waiting for Redis to load its data', 'redis', redisWithinMs, () =>
    redisAnswers(plan.ports.redis, plan.secrets.redisPassword),
  )

/** Resolves when the API answers and its process leads the cell. */
export const controlPlaneReady = (plan: ClusterPlan, deps: ReadyDeps): Promise<void> =>
  awaitStart(
    deps,
    'Waiting for the control plane',
    'control-plane',
    controlPlaneWithinMs,
    async () => (await health(plan)) !== undefined,
  )

/** Resolves when every host is registered in the cluster, and connected. */
export async function hostsReady(plan: ClusterPlan, hosts: readonly HostPlan[], deps: ReadyDeps): Promise<void> {
  const title = `Waiting for ${hosts.length === 1 ? 'the host' : `${hosts.length} hosts`} to register`
  await awaitStart(deps, title, 'agent-1', hostsWithinMs, async () => {
    if (((await health(plan))?.hosts ?? 0) < hosts.length) return false
    return (await connectedHosts(deps.ecs, plan.settings.cluster)) >= hosts.length
  })
}

async function connectedHosts(ecs: EcsClient, cluster: string): Promise<number> {
  const { containerInstanceArns } = await ecs<{ containerInstanceArns: readonly string[] }>('ListContainerInstances', {
    cluster,
  })
  if (containerInstanceArns.length === 0) return 0
  const { containerInstances } = await ecs<{ containerInstances: readonly { agentConnected: boolean }[] }>(
    'DescribeContainerInstances',
    { cluster, containerInstances: containerInstanceArns },
  )
  return containerInstances.filter(({ agentConnected }) => agentConnected).length
}

async function awaitStart(
  { clock, progress, supervisor, signal }: ReadyDeps,
  title: string,
  culprit: string,
  deadlineMs: number,
  ask: () => Promise<boolean>,
): Promise<void> {
  const ready = await progress.step(title, () =>
    waitUntil({ clock, everyMs, deadlineMs, signal }, async () => {
      signal.throwIfAborted()
      if (await ask()) return true
      supervisor.assertStarting()
      return undefined
    }),
  )
  if (ready) return
  throw new CliError(
    `${title}: nothing came of it within ${deadlineMs / 1000} s. The end of the log of ${culprit}:\n${supervisor.logTailOf(culprit)}`,
  )
}

interface Health {
  readonly hosts: number
}

/** What the control plane says of itself; `undefined` unless it is of use. */
async function health(plan: ClusterPlan): Promise<Health | undefined> {
  const url = new URL('/_berth/health', endpointOf(plan))
  const ca = plan.settings.tls === true ? readIfThere(plan.directory.ca) : undefined
  const answer = await httpRequest({ method: 'GET', url, timeoutMs: 5000, ...(ca !== undefined && { ca }) }).catch(
    () => undefined,
  )
  return answer?.status === 200 ? (JSON.parse(answer.body) as Health) : undefined
}
