import type { AgentConfig } from '../config/agent-settings.ts'
import type { RuntimeInfo } from '../runtime/container-runtime.ts'

const capability = (name: string): string => `ecs.capability.${name}`
const agentCapability = (name: string): string => `com.amazonaws.ecs.capability.${name}`

/** What of the agent's configuration decides what the host can do. */
export type CapabilitySettings = Pick<
  AgentConfig,
  | 'disablePrivileged'
  | 'taskCpuMemLimit'
  | 'loggingDrivers'
  | 'selinuxCapable'
  | 'apparmorCapable'
  | 'efsServers'
  | 'networkInterfaces'
>

interface Host {
  readonly settings: CapabilitySettings
  readonly engine: RuntimeInfo
}

/** The engine's API from 1.17, where ECS begins to count, to 1.41, that of the oldest engine which the agent works with. */
const dockerApis = Array.from({ length: 41 - 17 + 1 }, (_, index) =>
  agentCapability(`docker-remote-api.1.${index + 17}`),
)

/** A log driver is there if Docker has it and the operator lets tasks use it; Docker always has `none`, and never lists it. */
const loggingDrivers = ({ settings, engine }: Host): readonly string[] =>
  settings.loggingDrivers.filter((driver) => driver === 'none' || engine.logDrivers.includes(driver))

/** What this agent does for a task, under the names by which task definitions ask for it: when, and which. */
const rows: readonly { readonly when: (host: Host) => boolean; readonly names: readonly string[] }[] = [
  { when: () => true, names: dockerApis },
  {
    when: () => true,
    names: [
      capability('container-health-check'),
      capability('container-ordering'),
      capability('container-restart-policy'),
      capability('env-files.s3'),
      capability('pid-ipc-namespace-sharing'),
      capability('private-registry-authentication.secretsmanager'),
      capability('secrets.asm.bootstrap.log-driver'),
      capability('secrets.asm.environment-variables'),
      capability('secrets.ssm.bootstrap.log-driver'),
      capability('secrets.ssm.environment-variables'),
    ],
  },
  { when: ({ settings }) => settings.taskCpuMemLimit, names: [capability('task-cpu-mem-limit')] },
  { when: ({ settings }) => Object.keys(settings.efsServers).length > 0, names: [capability('efs')] },
  { when: ({ settings }) => settings.networkInterfaces > 0, names: [capability('task-eni')] },
  { when: ({ settings }) => !settings.disablePrivileged, names: [agentCapability('privileged-container')] },
  { when: ({ settings }) => settings.selinuxCapable, names: [agentCapability('selinux')] },
  { when: ({ settings }) => settings.apparmorCapable, names: [agentCapability('apparmor')] },
]

/**
 * The names of all that the host can do for tasks, sorted. A capability that is missing here is one that the agent does not
 * have: tasks that need it are not placed on the host.
 */
export function capabilities(settings: CapabilitySettings, engine: RuntimeInfo): readonly string[] {
  const host = { settings, engine }
  return [
    ...rows.filter(({ when }) => when(host)).flatMap(({ names }) => names),
    ...loggingDrivers(host).map((driver) => agentCapability(`logging-driver.${driver}`)),
    ...engine.volumeDrivers.map((driver) => capability(`docker-plugin.${driver}`)),
  ].sort()
}
