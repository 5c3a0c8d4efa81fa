import type { SafetyReport } from '../store.ts'

/** Redis's settings that decide what it may lose, by their names in its configuration. */
export type RedisSettings = Readonly<Record<string, string>>

/** The names that `redisSafety` wants to know. */
export const settingsThatMatter = [
  'appendonly',
  'appendfsync',
  'no-appendfsync-on-rewrite',
  'aof-load-truncated',
  'maxmemory',
  'maxmemory-policy',
] as const

interface Danger {
  readonly when: (settings: RedisSettings) => boolean
  /** Whether an acknowledged commit can be lost by it. */
  readonly loses: boolean
  readonly warning: string
}

const dangers: readonly Danger[] = [
  {
    when: (settings) => settings['appendonly'] === undefined,
    loses: true,
    warning:
      'Redis does not tell its settings (CONFIG GET), so that nobody knows whether it keeps what it acknowledges.',
  },
  {
    when: (settings) => settings['appendonly'] === 'no',
    loses: true,
    warning:
      'Redis keeps no log (appendonly no): when it stops, everything since its last snapshot is lost. Set "appendonly yes".',
  },
  {
    when: (settings) => settings['appendonly'] === 'yes' && settings['appendfsync'] === 'everysec',
    loses: true,
    warning:
      'Redis writes its log once a second (appendfsync everysec): a crash can lose the last second of acknowledged changes. Set "appendfsync always".',
  },
  {
    when: (settings) => settings['appendonly'] === 'yes' && settings['appendfsync'] === 'no',
    loses: true,
    warning:
      'Redis leaves writing its log to the kernel (appendfsync no): a crash of the machine can lose the last half minute of acknowledged changes. Set "appendfsync always".',
  },
  {
    when: (settings) => settings['appendonly'] === 'yes' && settings['no-appendfsync-on-rewrite'] === 'yes',
    loses: true,
    warning:
      'Redis does not sync its log while it rewrites it (no-appendfsync-on-rewrite yes): a crash then can lose acknowledged changes. Set it to "no".',
  },
  {
    when: (settings) => settings['maxmemory-policy']?.startsWith('allkeys') === true && settings['maxmemory'] !== '0',
    loses: true,
    warning: 'Redis throws records away when its memory is full. Set "maxmemory-policy noeviction".',
  },
  {
    when: (settings) => settings['aof-load-truncated'] === 'no',
    loses: false,
    warning:
      'Redis will not start by itself after a crash that tore the last, unacknowledged write (aof-load-truncated no). Set it to "yes".',
  },
]

/** What these settings mean for a cell. */
export function redisSafety(settings: RedisSettings): SafetyReport {
  const found = dangers.filter(({ when }) => when(settings))
  return { durable: !found.some(({ loses }) => loses), warnings: found.map(({ warning }) => warning) }
}
