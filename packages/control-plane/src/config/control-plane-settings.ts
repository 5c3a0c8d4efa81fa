import {
  anyText,
  duration,
  oneOf,
  optional,
  type Setting,
  setting,
  text,
  wholeNumber,
} from '@berth/shared/config/setting.ts'
import type { SettingValues } from '@berth/shared/config/read-settings.ts'
import { type LogLevel, logLevels } from '@berth/shared/log.ts'
import { listenAddress, nameList, twelveDigits } from './control-plane-kinds.ts'
import { redisUrl } from './redis-url.ts'

const levels = Object.fromEntries(logLevels.map((level) => [level, level])) as Record<LogLevel, LogLevel>

const tlsModes = { auto: 'auto', on: 'on', off: 'off' } as const
const agentTlsModes = { auto: 'auto', mtls: 'mtls', plaintext: 'plaintext' } as const

/** What a control plane can be told. Everything about a setting is here: the reader, the documentation and their tests follow. */
export const controlPlaneSettings = {
  listen: setting(listenAddress, {
    names: ['BERTH_LISTEN'],
    flag: 'listen',
    default: '127.0.0.1:4566',
    help: 'Where the API listens. Port 0 takes a free one.',
  }),
  agentListen: setting(listenAddress, {
    names: ['BERTH_AGENT_LISTEN'],
    flag: 'agent-listen',
    default: '127.0.0.1:4567',
    help: 'Where agents are listened for (gRPC).',
  }),
  advertise: optional(text, {
    names: ['BERTH_ADVERTISE'],
    flag: 'advertise',
    help: '`host:port` that agents reach this control plane at, if it is not the one that it listens on.',
  }),
  advertiseApi: optional(text, {
    names: ['BERTH_ADVERTISE_API'],
    flag: 'advertise-api',
    help: 'URL that other control planes reach this API at while it leads, such as `http://10.0.0.1:4566`, if it is not the address that it listens on.',
  }),
  holderFile: optional(text, {
    names: ['BERTH_HOLDER_FILE'],
    flag: 'holder-file',
    help: 'File in which this control plane notes who it is, so that the next one on this machine can take its lease at once if it is killed.',
  }),
  redisUrl: setting(redisUrl, {
    names: ['BERTH_REDIS_URL'],
    flag: 'redis-url',
    default: 'redis://127.0.0.1:6379',
    secret: true,
    help: "Where the cell's records are kept: one Redis, Sentinels and the name of a primary, or servers of a Redis Cluster.",
  }),
  redisCa: optional(text, {
    names: ['BERTH_REDIS_CA'],
    flag: 'redis-ca',
    help: 'File with the certificates in PEM that a Redis behind TLS is known by, when it is none of the authorities that Node knows.',
  }),
  redisReplicas: setting(wholeNumber(0, 10), {
    names: ['BERTH_REDIS_REPLICAS'],
    flag: 'redis-replicas',
    default: '0',
    help: 'How many replicas of Redis must have each batch before it counts as committed.',
  }),
  cell: setting(text, {
    names: ['BERTH_CELL'],
    flag: 'cell',
    default: 'default',
    help: 'Name of the cell. Cells of different names may share a Redis.',
  }),
  account: setting(twelveDigits, {
    names: ['BERTH_ACCOUNT'],
    flag: 'account',
    default: '123456789012',
    help: 'Account number in ARNs.',
  }),
  region: setting(text, {
    names: ['BERTH_REGION', 'AWS_DEFAULT_REGION'],
    flag: 'region',
    default: 'us-east-1',
    help: 'Region in ARNs.',
  }),
  accessKeysFile: setting(text, {
    names: ['BERTH_ACCESS_KEYS_FILE'],
    flag: 'access-keys-file',
    required: true,
    help: 'JSON file of the access keys that may sign requests: `[{"accessKeyId", "secretAccessKey", "name"}]`. Made with one key at the first start. Keep it readable by its owner only.',
  }),
  agentToken: setting(anyText, {
    names: ['BERTH_AGENT_TOKEN'],
    default: '',
    secret: true,
    help: 'What agents must present to join. Empty lets any agent in that reaches the port.',
  }),
  secretsFile: optional(text, {
    names: ['BERTH_SECRETS_FILE'],
    flag: 'secrets-file',
    help: 'JSON file that stands in for SSM Parameter Store and Secrets Manager: see [secrets](secrets.md). Keep it readable by its owner only.',
  }),
  environmentFiles: optional(text, {
    names: ['BERTH_ENVIRONMENT_FILES'],
    flag: 'environment-files',
    help: 'Where `environmentFiles` are read from in the place of S3: a directory with `bucket/key` in it, or the `http://` or `https://` address of one.',
  }),
  secretKeyFile: optional(text, {
    names: ['BERTH_SECRET_KEY_FILE'],
    flag: 'secret-key-file',
    help: 'File of the key that seals what is secret in Redis; made at the first start. All control planes of a cell need the same. Unset: no CA, no join tokens, no access keys but those of the file.',
  }),
  tls: setting(oneOf(tlsModes), {
    names: ['BERTH_TLS'],
    flag: 'tls',
    default: 'auto',
    help: 'Whether the API speaks HTTPS. `auto`: unless it listens on loopback only.',
  }),
  tlsCertFile: optional(text, {
    names: ['BERTH_TLS_CERT_FILE'],
    flag: 'tls-cert-file',
    help: "The API's certificate (PEM), with what leads to its root. Unset: one of the cell's own CA.",
  }),
  tlsKeyFile: optional(text, {
    names: ['BERTH_TLS_KEY_FILE'],
    flag: 'tls-key-file',
    help: 'The key of BERTH_TLS_CERT_FILE (PEM).',
  }),
  tlsNames: setting(nameList, {
    names: ['BERTH_TLS_NAMES'],
    flag: 'tls-names',
    default: '',
    help: "Further names and addresses that the own CA's certificate is for, such as that of a load balancer.",
  }),
  caCertFile: optional(text, {
    names: ['BERTH_CA_CERT_FILE'],
    flag: 'ca-cert-file',
    help: "The CA (PEM) that certificates of hosts and control planes come from, with what leads to its root. Unset: the cell's own, made at the first start.",
  }),
  caKeyFile: optional(text, {
    names: ['BERTH_CA_KEY_FILE'],
    flag: 'ca-key-file',
    help: 'The key of BERTH_CA_CERT_FILE (PEM).',
  }),
  caBundleFile: optional(text, {
    names: ['BERTH_CA_BUNDLE_FILE'],
    flag: 'ca-bundle-file',
    help: 'File into which the roots (PEM) are written that this control plane is known by, for clients on this machine: their AWS_CA_BUNDLE.',
  }),
  agentTls: setting(oneOf(agentTlsModes), {
    names: ['BERTH_AGENT_TLS'],
    flag: 'agent-tls',
    default: 'auto',
    help: 'Whether hosts must prove themselves by certificates (`mtls`) or connections are plain (`plaintext`). `auto`: certificates, unless agents are listened for on loopback only.',
  }),
  agentCertificateMs: setting(duration(60_000, '1m'), {
    names: ['BERTH_AGENT_CERTIFICATE_LIFETIME'],
    flag: 'agent-certificate-lifetime',
    default: '24h',
    help: "How long a host's certificate counts. Hosts renew it at half of that.",
  }),
  agentCertificateGraceMs: setting(duration(0, '0s'), {
    names: ['BERTH_AGENT_CERTIFICATE_GRACE'],
    flag: 'agent-certificate-grace',
    default: '168h',
    help: 'How long after the end of its certificate a host that was off is let in again by its key, without a token.',
  }),
  agentMaxMessageMib: setting(wholeNumber(1, 64), {
    names: ['BERTH_AGENT_MAX_MESSAGE'],
    default: '4',
    help: 'The largest message that is taken from an agent, in MiB: some 10,000 reports in 4.',
  }),
  agentMaxStreams: setting(wholeNumber(2, 1000), {
    names: ['BERTH_AGENT_MAX_STREAMS'],
    default: '8',
    help: 'Streams and calls that one connection of an agent may have at one time.',
  }),
  agentMaxConnections: setting(wholeNumber(1, 1_000_000), {
    names: ['BERTH_AGENT_MAX_CONNECTIONS'],
    default: '20000',
    help: 'Connections of agents that this control plane has at one time.',
  }),
  agentConnectionRate: setting(wholeNumber(1, 100_000), {
    names: ['BERTH_AGENT_CONNECTION_RATE'],
    default: '200',
    help: 'Connections of agents taken in a second, in the long run; three times as many at once. The others are closed, and try again after a pause of chance.',
  }),
  agentMessageRate: setting(wholeNumber(1, 100_000), {
    names: ['BERTH_AGENT_MESSAGE_RATE'],
    default: '500',
    help: 'Messages read of one agent in a second, in the long run; three times as many at once. The others wait on its side of the connection. An agent gathers its news, and needs a few.',
  }),
  agentConnectionAgeMs: setting(duration(60_000, '1m'), {
    names: ['BERTH_AGENT_CONNECTION_AGE'],
    default: '24h',
    help: "How long a connection of an agent lasts before it opens another; never longer than its host's certificate.",
  }),
  leaseMs: setting(duration(1000, '1s'), {
    names: ['BERTH_LEASE'],
    flag: 'lease',
    default: '5s',
    help: 'How long the leader of a cell may be silent before another takes over.',
  }),
  heartbeatMs: setting(duration(500, '500ms'), {
    names: ['BERTH_HEARTBEAT'],
    flag: 'heartbeat',
    default: '5s',
    help: 'How often agents are to be heard of. From 5,000 hosts on each beats more slowly, up to half the time after which it counts as disconnected.',
  }),
  settleMs: setting(duration(0, '0s'), {
    names: ['BERTH_SETTLE_TIME'],
    flag: 'settle-time',
    default: '5s',
    help: 'How long a task without a health check must run before its service counts it as healthy. ECS documents 40 s.',
  }),
  stoppedTaskRetentionMs: setting(duration(1000, '1s'), {
    names: ['BERTH_STOPPED_TASK_RETENTION'],
    flag: 'stopped-task-retention',
    default: '24h',
    help: 'How long stopped tasks can be described. ECS keeps them for one hour.',
  }),
  hostDisconnectedAfterMs: setting(duration(1000, '1s'), {
    names: ['BERTH_HOST_DISCONNECTED_AFTER'],
    flag: 'host-disconnected-after',
    default: '15s',
    help: 'A host not heard of for this long shows `agentConnected: false` and is given nothing new.',
  }),
  hostLostAfterMs: setting(duration(0, '0s'), {
    names: ['BERTH_HOST_LOST_AFTER'],
    flag: 'host-lost-after',
    default: '60s',
    help: 'A host not heard of for this long loses its tasks, which are replaced. 0s = never, as ECS itself.',
  }),
  storeReturnQuarantineMs: setting(duration(0, '0s'), {
    names: ['BERTH_STORE_RETURN_QUARANTINE'],
    flag: 'store-return-quarantine',
    default: '60s',
    help: 'How long nothing is stopped or replaced by itself after the store was found to have gone back, such as to a backup.',
  }),
  runTaskLimit: setting(wholeNumber(1, 10_000), {
    names: ['BERTH_RUN_TASK_LIMIT'],
    flag: 'run-task-limit',
    default: '10',
    help: "Tasks that one RunTask may ask for. ECS's own limit is 10.",
  }),
  logLevel: setting(oneOf(levels), {
    names: ['BERTH_LOG_LEVEL'],
    flag: 'log-level',
    default: 'info',
    help: 'What is written to the log.',
  }),
} as const satisfies Readonly<Record<string, Setting<unknown>>>

/** A control plane's configuration, checked. Times in ms. */
export type ControlPlaneConfig = SettingValues<typeof controlPlaneSettings>
