import { agentSettings } from '@berth/agent/config/agent-settings.ts'
import { controlPlaneSettings } from '@berth/control-plane/config/control-plane-settings.ts'
import type { Settings } from '@berth/shared/config/read-settings.ts'
import type { Setting } from '@berth/shared/config/setting.ts'
import type { ClusterSettings } from '../cluster/cluster-settings.ts'
import type { DataDirectory } from '../cluster/data-directory.ts'
import type { Secrets } from '../cluster/secrets.ts'
import { ownProgram } from '../own-program.ts'
import { deregisteredExitCode, retireJournal } from './retired-journal.ts'
import { hostAddressAttribute, hostNameAttribute } from './host-attributes.ts'
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
  /** An exit code that says: do not start me again. `followUp` makes what follows from it true. */
  readonly endsForGood?: { readonly exitCode: number; readonly followUp: () => void }
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

/** Where the API is. */
export const endpointOf = ({ settings, ports }: Pick<ClusterPlan, 'settings' | 'ports'>): string =>
  `${settings.tls === true ? 'https' : 'http'}://127.0.0.1:${ports.api}`

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

/** Files under `/etc` are about the services of this machine, and would have these programs write over what belongs to them. */
const notTheMachines = '--no-files'

export const controlPlaneSpec = ({ directory, settings, secrets, ports, environment }: ClusterPlan): ProcessSpec => ({
  name: 'control-plane',
  ...ownProgram('control-plane', notTheMachines),
  environment: {
    ...environmentFor(controlPlaneSettings, environment),
    BERTH_LISTEN: `127.0.0.1:${ports.api}`,
    BERTH_AGENT_LISTEN: `127.0.0.1:${ports.agents}`,
    BERTH_ADVERTISE: `127.0.0.1:${ports.agents}`,
    BERTH_HOLDER_FILE: directory.holder,
    BERTH_REDIS_URL: `redis://:${secrets.redisPassword}@127.0.0.1:${ports.redis}`,
    BERTH_REDIS_REPLICAS: '0',
    BERTH_CELL: 'default',
    BERTH_ACCOUNT: settings.account,
    BERTH_REGION: settings.region,
    BERTH_ACCESS_KEYS_FILE: directory.accessKeys,
    BERTH_AGENT_TOKEN: secrets.agentToken,
    BERTH_SECRET_KEY_FILE: directory.secretKey,
    BERTH_TLS: settings.tls === true ? 'on' : 'off',
    BERTH_AGENT_TLS: settings.tls === true ? 'mtls' : 'plaintext',
    ...(settings.tls === true && { BERTH_CA_BUNDLE_FILE: directory.ca }),
    BERTH_LOG_LEVEL: settings.logLevel,
  },
  stopGraceMs: 20_000,
})

/** With a join token the host gets a certificate when it first starts. */
export const agentSpec = (plan: ClusterPlan, host: HostPlan, joinToken?: string): ProcessSpec => ({
  name: `agent-${host.number}`,
  ...ownProgram('agent', notTheMachines),
  environment: {
    ...environmentFor(agentSettings, plan.environment),
    BERTH_SERVER: `127.0.0.1:${plan.ports.agents}`,
    ...(joinToken === undefined
      ? { BERTH_TOKEN: plan.secrets.agentToken }
      : { BERTH_TOKEN: joinToken, BERTH_JOIN_SERVER: endpointOf(plan) }),
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
  endsForGood: { exitCode: deregisteredExitCode, followUp: () => retireJournal(plan.directory.agent(host.number)) },
})

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

/**
 * The environment for a program with these settings. What has Berth's prefix and is not among them was said to another
 * program, and the program would warn of a name that it does not know.
 */
function environmentFor(settings: Settings, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const known = new Set(Object.values<Setting<unknown>>(settings).flatMap(({ names }) => names))
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith('BERTH_') || known.has(name)),
  )
}
