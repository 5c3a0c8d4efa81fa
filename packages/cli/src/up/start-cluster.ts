import { mkdirSync } from 'node:fs'
import type { CreateJoinTokenAnswer } from '@berth/control-plane/api/berth/join-tokens.ts'
import { CliError } from '../cli-error.ts'
import { type ClusterSettings, readSettings, settleSettings, writeSettings } from '../cluster/cluster-settings.ts'
import type { DataDirectory } from '../cluster/data-directory.ts'
import { readIfThere, replacePrivateFile } from '../cluster/private-file.ts'
import { readRunState } from '../cluster/run-state.ts'
import { readOrMakeAccessKeys, readOrMakeSecrets } from '../cluster/secrets.ts'
import { endLeftovers } from '../cluster/stop-order.ts'
import { berthApi } from '../ecs/berth-client.ts'
import { type EcsClient, ecsClient, type EndpointApi } from '../ecs/ecs-client.ts'
import type { Progress } from '../progress.ts'
import { ClusterSupervisor, type SupervisorDeps } from './cluster-supervisor.ts'
import { controlPlaneReady, hostsReady, redisReady } from './cluster-ready.ts'
import { readMachine } from './machine.ts'
import { anyFreePort, freePort } from './free-port.ts'
import { machineShare } from './machine-share.ts'
import {
  agentSpec,
  type ClusterPlan,
  endpointOf,
  controlPlaneSpec,
  hostPlans,
  type Ports,
  redisConfigurationPath,
  redisSpec,
} from './process-spec.ts'
import { redisConfiguration } from './redis-server.ts'

export interface StartDeps extends SupervisorDeps {
  readonly progress: Progress
  readonly environment: NodeJS.ProcessEnv
  /** Aborted when the cluster is to stop before it is ready. */
  readonly signal: AbortSignal
}

/** Readies the data directory for a start. Whoever calls this has the lock of the directory. */
export async function planCluster(
  directory: DataDirectory,
  said: Partial<ClusterSettings>,
  { clock, progress, environment }: StartDeps,
): Promise<ClusterPlan> {
  const settings = settleSettings(directory, said, readSettings(directory))
  const left = readRunState(directory)
  if (left !== undefined) {
    const ended = await progress.step('Ending what an earlier start left behind', () => endLeftovers(clock, left))
    if (ended.length > 0) progress.say(`Took over from a supervisor that was killed; ended ${ended.join(', ')}.`)
  }
  for (const path of [directory.redis, directory.agents, directory.logs])
    mkdirSync(path, { recursive: true, mode: 0o700 })
  const secrets = readOrMakeSecrets(directory)
  readOrMakeAccessKeys(directory)
  const ports = await choosePorts(settings.port, left?.ports.api)
  writeSettings(directory, settings)
  return { directory, settings, secrets, ports, environment }
}

/**
 * The API's port is the user's choice; where any will do, it stays what it was for those who use a cluster that is taken
 * over. Agents are given the next one when it is free.
 */
async function choosePorts(wanted: number, before: number | undefined): Promise<Ports> {
  const api = (wanted === 0 && before !== undefined ? await freePort(before) : undefined) ?? (await freePort(wanted))
  if (api === undefined) {
    throw new CliError(
      `Port ${wanted} at 127.0.0.1 cannot be had: another program listens there, or another cluster. Choose one with --port, or 0 for any that is free.`,
    )
  }
  const next = api < 65_535 ? await freePort(api + 1) : undefined
  return { api, agents: next ?? (await anyFreePort()), redis: await anyFreePort() }
}

/**
 * Starts everything at once, and resolves when the cluster can be used. The supervisor is handed out at once, so that
 * whoever started it can stop it at any time.
 */
export function startCluster(
  plan: ClusterPlan,
  deps: StartDeps,
): { readonly supervisor: ClusterSupervisor; readonly ready: Promise<void> } {
  const supervisor = new ClusterSupervisor(plan, deps)
  return { supervisor, ready: bringUp(plan, supervisor, deps) }
}

/** What the hosts of this start join by; a host that was deregistered joins by it again, as a new one. */
async function makeJoinToken(berth: EcsClient, cluster: string): Promise<string> {
  const wanted = { cluster, uses: 1000, lifetimeSeconds: 7 * 24 * 3600 }
  return (await berth<CreateJoinTokenAnswer>('CreateJoinToken', wanted)).token
}

async function bringUp(plan: ClusterPlan, supervisor: ClusterSupervisor, deps: StartDeps): Promise<void> {
  const { directory, settings, secrets, ports, environment } = plan
  const machine = readMachine(environment)
  // Its failure is reported where it is awaited, also when something else fails before.
  machine.catch(() => undefined)
  const password = secrets.redisPassword
  replacePrivateFile(
    redisConfigurationPath(directory),
    redisConfiguration({ directory, port: ports.redis, password, fsync: settings.redisFsync }),
  )
  supervisor.start(redisSpec(plan))
  supervisor.start(controlPlaneSpec(plan))
  const [key] = readOrMakeAccessKeys(directory)
  if (key === undefined) throw new CliError(`${directory.accessKeys} has no key.`)
  const clientOf =
    (api?: EndpointApi): EcsClient =>
    async (operation, input) => {
      const ca = settings.tls === true ? readIfThere(directory.ca) : undefined
      return ecsClient({ endpoint: endpointOf(plan), region: settings.region, key, ca }, api)(operation, input)
    }
  const ecs = clientOf()
  const readyDeps = { ...deps, supervisor, ecs }

  const hosts = hostPlans(plan, machineShare(await machine, settings.hosts))
  supervisor.planHosts(hosts)
  const startHosts = (joinToken?: string) => {
    for (const host of hosts) supervisor.start(agentSpec(plan, host, joinToken))
  }
  if (settings.tls !== true) startHosts()

  await redisReady(plan, readyDeps)
  await controlPlaneReady(plan, readyDeps)
  if (settings.cluster !== 'default') await ecs('CreateCluster', { clusterName: settings.cluster })
  if (settings.tls === true) startHosts(await makeJoinToken(clientOf(berthApi), settings.cluster))
  await hostsReady(plan, hosts, readyDeps)
  supervisor.markReady()
}
