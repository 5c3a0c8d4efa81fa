import { fileURLToPath } from 'node:url'
import type { ClusterSettings } from '../cluster/cluster-settings.ts'
import type { DataDirectory } from '../cluster/data-directory.ts'
import type { Secrets } from '../cluster/secrets.ts'
import { hostAddress, hostZone } from './host-address.ts'
import type { HostShare } from './machine-share.ts'

/** One of the programs that a cluster consists of, as it is to be run. */
export interface ProcessSpec {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  /** How long it may take to end when asked to, in ms, before it is killed. */
  readonly stopGraceMs: number
}

/** Where the processes of a cluster meet. */
export interface Ports {
  readonly api: number
  readonly agents: number
  readonly redis: number
}

/** A host of the cluster, as it is shown and as its agent is told. */
export interface HostPlan extends HostShare {
  readonly name: string
  readonly number: number
  readonly address: string
  readonly zone: string
}

export interface ClusterPlan {
  readonly directory: DataDirectory
  readonly settings: ClusterSettings
  readonly secrets: Secrets
  readonly ports: Ports
  /** What the user started Berth with: proxies, DOCKER_HOST and ECS's own settings of the agent go on to the processes. */
  readonly environment: NodeJS.ProcessEnv
}

export function hostPlans(plan: Pick<ClusterPlan, 'directory' | 'settings'>, share: HostShare): readonly HostPlan[] {
  const { directory, settings } = plan
  return Array.from({ length: settings.hosts }, (_, index) => ({
    name: `host-${index + 1}`,
    number: index + 1,
    address: hostAddress(directory.root, index + 1),
    zone: hostZone(settings.region, settings.zones, index + 1),
    cpu: settings.cpu ?? share.cpu,
    memoryMib: settings.memory ?? share.memoryMib,
  }))
}

/** Redis reads its password from its configuration file: a command line can be read by every user of the machine. */
export const redisSpec = ({ directory, environment }: ClusterPlan): ProcessSpec => ({
  name: 'redis',
  command: 'redis-server',
  args: [redisConfigurationPath(directory)],
  environment,
  stopGraceMs: 30_000,
})

export const redisConfigurationPath = (directory: DataDirectory): string => `${directory.redis}/redis.conf`

export const controlPlaneSpec = ({ directory, settings, secrets, ports, environment }: ClusterPlan): ProcessSpec => ({
  name: 'control-plane',
  ...nodeProgram('../../../control-plane/src/main.ts'),
  environment: {
    ...withoutOwnSettings(environment),
    BERTH_LISTEN: `127.0.0.1:${ports.api}`,
    BERTH_AGENT_LISTEN: `127.0.0.1:${ports.agents}`,
    BERTH_REDIS_URL: `redis://:${secrets.redisPassword}@127.0.0.1:${ports.redis}`,
    BERTH_ACCOUNT: settings.account,
    BERTH_REGION: settings.region,
    BERTH_ACCESS_KEYS_FILE: directory.accessKeys,
    BERTH_AGENT_TOKEN: secrets.agentToken,
    BERTH_LOG_LEVEL: settings.logLevel,
  },
  stopGraceMs: 20_000,
})

export const agentSpec = (plan: ClusterPlan, host: HostPlan): ProcessSpec => ({
  name: `agent-${host.number}`,
  ...nodeProgram('../../../agent/src/main.ts'),
  environment: {
    ...withoutBerthSettings(plan.environment),
    BERTH_SERVER: `127.0.0.1:${plan.ports.agents}`,
    BERTH_TOKEN: plan.secrets.agentToken,
    BERTH_DATA_DIR: plan.directory.agent(host.number),
    BERTH_HOST_ADDRESS: host.address,
    BERTH_REGION: plan.settings.region,
    BERTH_ZONE: host.zone,
    BERTH_CPU: String(host.cpu),
    BERTH_MEMORY: String(host.memoryMib),
    BERTH_OFFERS_FARGATE: 'true',
    BERTH_LOG_LEVEL: plan.settings.logLevel,
    ECS_CLUSTER: plan.settings.cluster,
    ECS_INSTANCE_ATTRIBUTES: withHostAttributes(plan.environment['ECS_INSTANCE_ATTRIBUTES'], host),
  },
  stopGraceMs: 20_000,
})

/** The attributes by which a host on this machine is told from the others, in `berth status` and placement constraints. */
export const hostNameAttribute = 'berth.host'
export const hostAddressAttribute = 'berth.address'

/** The user's own attributes and these. What is no JSON object goes on as it is: the agent says what is wrong with it. */
function withHostAttributes(own: string | undefined, host: HostPlan): string {
  const ours = { [hostNameAttribute]: host.name, [hostAddressAttribute]: host.address }
  if (own === undefined || own === '') return JSON.stringify(ours)
  try {
    const parsed: unknown = JSON.parse(own)
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return own
    return JSON.stringify({ ...parsed, ...ours })
  } catch {
    return own
  }
}

/** What `berth` and the control plane are told is no matter of an agent, which would warn of names that it does not know. */
const withoutBerthSettings = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('BERTH_')))

/** What `berth up` itself reads; whoever else is told of it warns of a name that it does not know. */
const ownSettings = ['HOSTS', 'PORT', 'CLUSTER', 'ZONES', 'CPU', 'MEMORY', 'REDIS_FSYNC', 'DATA_DIR'].map(
  (name) => `BERTH_${name}`,
)

const withoutOwnSettings = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !ownSettings.includes(name)))

const nodeProgram = (main: string) => ({
  command: process.execPath,
  args: ['--disable-warning=ExperimentalWarning', fileURLToPath(new URL(main, import.meta.url))],
})
