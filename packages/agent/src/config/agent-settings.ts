import { z } from 'zod'
import type { LogLevel } from '@berth/shared/log.ts'
import type { PullRequest } from '../runtime/container-runtime.ts'
import {
  anyText,
  duration,
  flag,
  json,
  oneOf,
  optional,
  portRange,
  type Setting,
  serverList,
  setting,
  text,
  wholeNumber,
} from '@berth/shared/config/setting.ts'
import { attributes } from './attribute-list.ts'
import { resourceAmounts } from './resource-amounts.ts'

const second = 1_000
const port = z.int().min(1).max(65_535)
const ports = json('a JSON list of ports, such as [22, 80]', z.array(port).max(100).readonly())
const words = json('a JSON list of texts', z.array(z.string().min(1)).readonly())

/** ECS's words and Berth's own, which the log library uses. */
const logLevels: Readonly<Record<string, LogLevel>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  crit: 'error',
  none: 'silent',
  silent: 'silent',
}

const pullBehaviors: Readonly<Record<string, PullRequest['behavior']>> = {
  default: 'default',
  always: 'always',
  once: 'once',
  'prefer-cached': 'prefer-cached',
}

/** What the agent can be told. Everything about a setting is here: the reader, the documentation and their tests follow. */
export const agentSettings = {
  servers: setting(serverList, {
    names: ['BERTH_SERVER'],
    flag: 'server',
    repeatable: true,
    required: true,
    help: 'Where the control plane listens for agents. With several, the agent finds the one that leads.',
  }),
  token: setting(anyText, {
    names: ['BERTH_TOKEN'],
    flag: 'token',
    default: '',
    secret: true,
    help: 'The join token. Prefer the file to the command line, which every user of the machine can read.',
  }),
  joinServer: optional(text, {
    names: ['BERTH_JOIN_SERVER'],
    flag: 'join-server',
    help: "`https://host:port` of the control plane's API, where this host joins by its token when it starts without a certificate. `berth-agent join` does the same by hand.",
  }),
  cluster: setting(text, {
    names: ['ECS_CLUSTER'],
    flag: 'cluster',
    default: 'default',
    help: 'The cluster that this host is a container instance of.',
  }),
  offersFargate: setting(flag, {
    names: ['BERTH_OFFERS_FARGATE'],
    flag: 'offers-fargate',
    default: 'false',
    help: 'Whether the host also runs tasks of launch type FARGATE, of any cluster.',
  }),
  dataDir: setting(text, {
    names: ['BERTH_DATA_DIR', 'ECS_DATADIR'],
    flag: 'data-dir',
    default: '/var/lib/berth/agent',
    help: 'Where the agent keeps its journal. An empty directory makes a new host; a copied one makes a double, which is refused.',
  }),
  hostAddress: optional(text, {
    names: ['BERTH_HOST_ADDRESS'],
    flag: 'host-address',
    help: 'The address that host ports are bound on and reached at. Unset: the one that reaches the control plane.',
  }),
  region: setting(text, {
    names: ['BERTH_REGION', 'AWS_DEFAULT_REGION', 'AWS_REGION'],
    flag: 'region',
    default: 'us-east-1',
    help: 'The region that the host says it is in.',
  }),
  zone: optional(text, {
    names: ['BERTH_ZONE'],
    flag: 'zone',
    help: 'The attribute `ecs.availability-zone`. Unset: the region with an `a`, as `us-east-1a`.',
  }),
  instanceAttributes: setting(attributes, {
    names: ['ECS_INSTANCE_ATTRIBUTES'],
    flag: 'attribute',
    repeatable: true,
    default: '{}',
    help: 'Attributes of the container instance, for placement constraints.',
  }),
  resources: setting(resourceAmounts, {
    names: ['BERTH_RESOURCES'],
    flag: 'resource',
    repeatable: true,
    default: '{}',
    help: 'Whatever else the host has a number of: tasks ask for it by a Docker label, as `berth.resource/fpga`.',
  }),
  cpu: optional(wholeNumber(128, 10_000_000), {
    names: ['BERTH_CPU'],
    flag: 'cpu',
    help: 'CPU units (1024 a core) that the host offers, before BERTH_RESERVED_CPU. Unset: all that the machine has.',
  }),
  reservedCpu: setting(wholeNumber(0, 10_000_000), {
    names: ['BERTH_RESERVED_CPU'],
    flag: 'reserve-cpu',
    default: '0',
    help: 'CPU units that are kept for what is not a task.',
  }),
  memoryMib: optional(wholeNumber(16, 1_000_000_000), {
    names: ['BERTH_MEMORY'],
    flag: 'memory',
    help: 'Memory in MiB that the host offers, before ECS_RESERVED_MEMORY. Unset: all that the machine has.',
  }),
  reservedMemoryMib: setting(wholeNumber(0, 1_000_000_000), {
    names: ['ECS_RESERVED_MEMORY'],
    flag: 'reserve-memory',
    default: '0',
    help: 'Memory in MiB that is kept for what is not a task.',
  }),
  reservedTcpPorts: setting(ports, {
    names: ['ECS_RESERVED_PORTS'],
    default: '[22, 2375, 2376, 51678, 51679, 51680]',
    help: 'TCP ports of the host that no task is given.',
  }),
  reservedUdpPorts: setting(ports, {
    names: ['ECS_RESERVED_PORTS_UDP'],
    default: '[]',
    help: 'UDP ports of the host that no task is given.',
  }),
  dynamicPorts: setting(portRange, {
    names: ['ECS_DYNAMIC_HOST_PORT_RANGE'],
    default: '49153-65535',
    help: 'Where host ports come from that a task definition leaves open.',
  }),
  networkInterfaces: setting(wholeNumber(0, 1_000), {
    names: ['BERTH_NETWORK_INTERFACES'],
    flag: 'network-interfaces',
    default: '500',
    help: 'How many tasks the host gives an address of their own (`awsvpc`). A Linux bridge has at most 1023 ports.',
  }),
  runtime: setting(oneOf({ docker: 'docker' as const, fake: 'fake' as const }), {
    names: ['BERTH_RUNTIME'],
    flag: 'runtime',
    default: 'docker',
    help: 'Where containers run: in Docker, or nowhere, for labs and load tests.',
  }),
  dockerHost: setting(text, {
    names: ['DOCKER_HOST'],
    flag: 'docker-host',
    default: 'unix:///var/run/docker.sock',
    help: 'Where Docker listens: `unix://`, `tcp://`, `http://` or `https://`.',
  }),
  dockerCertPath: optional(text, {
    names: ['DOCKER_CERT_PATH'],
    help: 'A directory with `ca.pem`, `cert.pem` and `key.pem`, for an engine behind TLS.',
  }),
  taskNetwork: setting(text, {
    names: ['BERTH_TASK_NETWORK'],
    default: 'bridge',
    help: 'The Docker network that tasks with an address of their own are on; made if absent. `bridge` is the fastest.',
  }),
  cgroupParent: optional(text, {
    names: ['BERTH_CGROUP_PARENT'],
    help: "The cgroup that containers are put in. Unset: Docker's own, and `/ecs` for tasks with limits; needed where dockerd has a `--cgroup-parent`.",
  }),
  taskCpuMemLimit: setting(flag, {
    names: ['ECS_ENABLE_TASK_CPU_MEM_LIMIT'],
    default: 'true',
    help: "Whether a task's own CPU and memory bound all its containers together, by a cgroup of its own below BERTH_CGROUP_PARENT, and whether the host takes tasks that have such limits. Where cgroups cannot be made, a log line says so and the limits bound each container.",
  }),
  parallelStarts: optional(wholeNumber(1, 1_000), {
    names: ['BERTH_PARALLEL_STARTS'],
    help: 'Containers that Docker is asked to start at once. Unset: four times the cores.',
  }),
  efsServers: setting(
    json(
      'a JSON object of texts, such as {"fs-1234": "10.0.0.5:/export"}',
      z.record(z.string(), z.string().regex(/^[^:/]+:\/[^:]*$/)),
    ),
    {
      names: ['BERTH_EFS_SERVERS'],
      default: '{}',
      help: 'The NFS servers of the EFS file systems that tasks of this host may mount, as `server:/export`; under `*` that of all others, with `{id}` for the id of the file system. With none the host takes no such tasks.',
    },
  ),
  imagePullBehavior: setting(oneOf(pullBehaviors), {
    names: ['ECS_IMAGE_PULL_BEHAVIOR'],
    default: 'default',
    help: 'When an image is asked of its registry: `default` always, with the present one if that fails; `once` if this agent has not pulled it; `prefer-cached` only if absent; `always` without a way out.',
  }),
  imagePullInactivityTimeoutMs: setting(duration(second, '1s'), {
    names: ['ECS_IMAGE_PULL_INACTIVITY_TIMEOUT'],
    default: '1m',
    help: 'A pull that makes no progress for so long has failed.',
  }),
  engineAuthType: optional(oneOf({ docker: 'docker' as const, dockercfg: 'dockercfg' as const }), {
    names: ['ECS_ENGINE_AUTH_TYPE'],
    help: 'How ECS_ENGINE_AUTH_DATA is written: as ECS documents it, or as `docker login` writes it.',
  }),
  engineAuthData: optional(json('JSON', z.record(z.string(), z.unknown())), {
    names: ['ECS_ENGINE_AUTH_DATA'],
    secret: true,
    help: 'Who signs in to which registry: `{"registry.example.com": {"username", "password"}}` for `docker`, `{"registry.example.com": {"auth"}}` for `dockercfg`. A task\'s own `repositoryCredentials` come first.',
  }),
  containerCreateTimeoutMs: setting(duration(second, '1s'), {
    names: ['ECS_CONTAINER_CREATE_TIMEOUT'],
    default: '4m',
    help: 'How long Docker may take to create a container.',
  }),
  containerStartTimeoutMs: setting(duration(second, '1s'), {
    names: ['ECS_CONTAINER_START_TIMEOUT'],
    default: '3m',
    help: 'How long Docker may take to start a container; at least 45s are recommended.',
  }),
  containerStopTimeoutMs: setting(duration(second, '1s'), {
    names: ['ECS_CONTAINER_STOP_TIMEOUT'],
    default: '30s',
    help: 'How long a container may take to stop before it is killed, where its definition does not say.',
  }),
  taskCleanupWaitMs: setting(duration(second, '1s'), {
    names: ['ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION'],
    default: '3h',
    help: 'How long the containers of a stopped task are kept.',
  }),
  disableImageCleanup: setting(flag, {
    names: ['ECS_DISABLE_IMAGE_CLEANUP'],
    default: 'false',
    help: 'Whether images stay for ever that no task needs any more.',
  }),
  imageCleanupIntervalMs: setting(duration(600 * second, '10m'), {
    names: ['ECS_IMAGE_CLEANUP_INTERVAL'],
    default: '30m',
    help: 'How often images are looked through.',
  }),
  imageMinimumCleanupAgeMs: setting(duration(0, '0s'), {
    names: ['ECS_IMAGE_MINIMUM_CLEANUP_AGE'],
    default: '1h',
    help: 'How long an image is kept after its pull and after its last use.',
  }),
  imagesDeletedPerCycle: setting(wholeNumber(1, 1_000_000), {
    names: ['ECS_NUM_IMAGES_DELETE_PER_CYCLE'],
    default: '5',
    help: 'How many images are removed at one time.',
  }),
  disablePrivileged: setting(flag, {
    names: ['ECS_DISABLE_PRIVILEGED'],
    default: 'false',
    help: 'Whether privileged containers are refused.',
  }),
  loggingDrivers: setting(words, {
    names: ['ECS_AVAILABLE_LOGGING_DRIVERS'],
    default: '["json-file", "none"]',
    help: 'Log drivers that tasks may use, as far as Docker has them.',
  }),
  selinuxCapable: setting(flag, {
    names: ['ECS_SELINUX_CAPABLE'],
    default: 'false',
    help: 'Whether the host says that it has SELinux.',
  }),
  apparmorCapable: setting(flag, {
    names: ['ECS_APPARMOR_CAPABLE'],
    default: 'false',
    help: 'Whether the host says that it has AppArmor.',
  }),
  introspectionPort: optional(wholeNumber(1, 65_535), {
    names: ['BERTH_INTROSPECTION_PORT'],
    flag: 'introspection-port',
    help: "Where the introspection API (`/v1/metadata`, `/v1/tasks`) listens on 127.0.0.1; 51678 is ECS's. Unset: nowhere.",
  }),
  logLevel: setting(oneOf(logLevels), {
    names: ['BERTH_LOG_LEVEL', 'ECS_LOGLEVEL'],
    flag: 'log-level',
    default: 'info',
    help: 'The least that a log line must matter to be written.',
  }),
} as const

type SettingValue<S> = S extends Setting<infer T> ? T : never

/** The agent's settings as the rest of it sees them: read, checked, in ms and MiB. */
export type AgentConfig = { readonly [K in keyof typeof agentSettings]: SettingValue<(typeof agentSettings)[K]> }
