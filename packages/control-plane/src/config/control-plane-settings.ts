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
import { listenAddress, twelveDigits } from './control-plane-kinds.ts'

const levels = Object.fromEntries(logLevels.map((level) => [level, level])) as Record<LogLevel, LogLevel>

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
  redisUrl: setting(text, {
    names: ['BERTH_REDIS_URL'],
    flag: 'redis-url',
    default: 'redis://127.0.0.1:6379',
    secret: true,
    help: "Where the cell's records are kept.",
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
    help: 'JSON file of the access keys that may sign requests: `[{"accessKeyId", "secretAccessKey", "name"}]`. Keep it readable by its owner only.',
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
    help: 'How often agents are to be heard of.',
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
