import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@berth/shared/log.ts'
import { type ClusterSettings, defaultClusterSettings } from '../cluster/cluster-settings.ts'
import { dataDirectoryAt } from '../cluster/data-directory.ts'
import { replacePrivateFile } from '../cluster/private-file.ts'
import { readRunState } from '../cluster/run-state.ts'
import { readOrMakeAccessKeys, readOrMakeSecrets } from '../cluster/secrets.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command-context.ts'
import { ecsClient, type EcsClient } from '../ecs/ecs-client.ts'
import type { Progress } from '../progress.ts'
import { controlPlaneReady, redisReady } from '../up/cluster-ready.ts'
import { ClusterSupervisor } from '../up/cluster-supervisor.ts'
import { anyFreePort } from '../up/free-port.ts'
import { controlPlaneSpec, redisConfigurationPath, redisSpec } from '../up/process-spec.ts'
import { redisConfiguration } from '../up/redis-server.ts'
import { clearCluster } from './clear-cluster.ts'
import { viewFleet } from './fleet-view.ts'
import { type LabTrust, makeLabTrust, trustSettings } from './lab-trust.ts'
import { parseProcessUsage, type ProcessUsage } from './process-usage.ts'

/** A control plane that a lab plays against. */
export interface LabCluster {
  readonly ecs: EcsClient
  readonly region: string
  /** The cluster that the hosts join. */
  readonly cluster: string
  /** `host:port` for agents, and what they must present. */
  readonly server: string
  readonly token: string
  /** What its hosts prove themselves with instead, where it asks for certificates. */
  readonly trust?: LabTrust | undefined
  /** Tasks that one RunTask may ask for. */
  readonly tasksPerCall: number
  /** What the control plane's and Redis' processes have taken so far; `undefined` where they cannot be seen. */
  usage(): { readonly controlPlane: ProcessUsage; readonly redis: ProcessUsage } | undefined
  stop(): Promise<void>
}

/** RunTask's limit in a lab's own control plane. ECS's own, 10, would make the lab a test of its client. */
const ownTasksPerCall = 500
export const ecsTasksPerCall = 10
/**
 * A lease in a lab's own control plane. Its Redis, and all hosts, share one disk and a few cores: a disk may stand still for seconds once Redis has
 * rewritten its log and removes the old one, and a leader that lost its lease then would load everything anew.
 */
const ownLease = '30s'

const ownSettings: ClusterSettings = { ...defaultClusterSettings, cluster: 'lab', logLevel: 'warn' }

export interface LabClusterDeps {
  readonly context: CommandContext
  readonly progress: Progress
  readonly signal: AbortSignal
}

/**
 * Starts Redis and a control plane as `berth up` does, in a directory that is removed afterwards. Hosts are taken by
 * certificates of a CA of the lab's own.
 *
 * @throws CliError, with the end of the log, when one does not come up.
 */
export async function startOwnCluster({ context, progress, signal }: LabClusterDeps): Promise<LabCluster> {
  const { clock, random, environment } = context
  const directory = dataDirectoryAt(mkdtempSync(join(tmpdir(), 'berth-lab-')))
  for (const path of [directory.redis, directory.logs]) mkdirSync(path, { recursive: true, mode: 0o700 })
  const secrets = readOrMakeSecrets(directory)
  const [key] = readOrMakeAccessKeys(directory)
  const ports = { api: await anyFreePort(), agents: await anyFreePort(), redis: await anyFreePort() }
  const plan = {
    directory,
    settings: ownSettings,
    secrets,
    ports,
    environment: { BERTH_RUN_TASK_LIMIT: String(ownTasksPerCall), BERTH_LEASE: ownLease, ...environment },
  }
  const supervisor = new ClusterSupervisor(plan, { clock, random, log: silentLog })
  const stop = async () => {
    await supervisor.stop()
    rmSync(directory.root, { recursive: true, force: true })
  }
  try {
    if (key === undefined) throw new CliError(`${directory.accessKeys} has no key.`)
    const ecs = ecsClient({ endpoint: `http://127.0.0.1:${ports.api}`, region: ownSettings.region, key })
    replacePrivateFile(
      redisConfigurationPath(directory),
      redisConfiguration({ directory, port: ports.redis, password: secrets.redisPassword, fsync: 'always' }),
    )
    supervisor.start(redisSpec(plan))
    const trust = await makeLabTrust(directory.root, clock)
    const spec = controlPlaneSpec(plan)
    supervisor.start({ ...spec, environment: { ...spec.environment, ...trustSettings(trust) } })
    const ready = { clock, progress, ecs, supervisor, signal }
    await redisReady(plan, ready)
    await controlPlaneReady(plan, ready)
    supervisor.markReady()
    await ecs('CreateCluster', { clusterName: ownSettings.cluster })
    const pidOf = (name: string): number =>
      readRunState(directory)?.processes.find((process) => process.name === name)?.identity?.pid ?? 0
    return {
      ecs,
      region: ownSettings.region,
      cluster: ownSettings.cluster,
      server: `127.0.0.1:${ports.agents}`,
      token: '',
      trust,
      tasksPerCall: Number(plan.environment['BERTH_RUN_TASK_LIMIT']),
      usage: () => ({ controlPlane: usageOf(pidOf('control-plane')), redis: usageOf(pidOf('redis')) }),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const nobody: ProcessUsage = { cpuSeconds: 0, rssBytes: 0 }

function usageOf(pid: number): ProcessUsage {
  try {
    return parseProcessUsage(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return nobody
  }
}

export interface GivenCluster {
  readonly endpoint: string
  /** `host:port` that agents join at. */
  readonly agentEndpoint: string
  readonly cluster: string
}

/**
 * A control plane that runs already. Keys and region are taken from where the AWS clients take them, the agents' token from
 * `BERTH_TOKEN`.
 *
 * @throws CliError when keys are missing, when it cannot be reached, when the cluster has hosts already.
 */
export async function joinGivenCluster(given: GivenCluster, environment: NodeJS.ProcessEnv): Promise<LabCluster> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment
  if (!accessKeyId || !secretAccessKey)
    throw new CliError('Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the control plane at --endpoint.')
  const region = environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? 'us-east-1'
  const ecs = ecsClient({ endpoint: given.endpoint, region, key: { accessKeyId, secretAccessKey, name: '' } })
  await ecs('CreateCluster', { clusterName: given.cluster })
  // The cluster is cleared afterwards: nothing of anybody else's may be in it.
  if ((await viewFleet(ecs, given.cluster)).length > 0)
    throw new CliError(`Cluster ${given.cluster} has hosts already: name one of its own for the lab with --cluster.`)
  return {
    ecs,
    region,
    cluster: given.cluster,
    server: given.agentEndpoint,
    token: environment['BERTH_TOKEN'] ?? '',
    tasksPerCall: Number(environment['BERTH_RUN_TASK_LIMIT'] ?? ecsTasksPerCall),
    usage: () => undefined,
    stop: () => clearCluster(ecs, given.cluster),
  }
}
