import { z } from 'zod'
import { CliError } from '../cli-error.ts'
import type { DataDirectory } from './data-directory.ts'
import { readIfThere, replacePrivateFile } from './private-file.ts'

const settingsSchema = z.object({
  hosts: z.int(),
  port: z.int(),
  account: z.string(),
  region: z.string(),
  cluster: z.string(),
  zones: z.array(z.string()).min(1),
  redisFsync: z.enum(['always', 'everysec']),
  /** CPU units of each host; absent: its share of the machine. */
  cpu: z.int().optional(),
  /** MiB of each host; absent: its share of the machine. */
  memory: z.int().optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
  /** Whether everything speaks TLS; absent: no. */
  tls: z.boolean().optional(),
})

/** How a cluster on this machine is run. */
export type ClusterSettings = Readonly<z.infer<typeof settingsSchema>>

export const defaultClusterSettings: ClusterSettings = {
  hosts: 3,
  port: 4566,
  account: '123456789012',
  region: 'us-east-1',
  cluster: 'default',
  zones: ['a', 'b', 'c'],
  redisFsync: 'always',
  logLevel: 'info',
}

/** Every ARN and every registered host carries them: they are settled when a data directory is first used. */
const settledOnce = ['account', 'region', 'cluster'] as const

/**
 * The settings to run with: what is said now, else what the last `berth up` on this data directory ran with, else the
 * default.
 *
 * @throws CliError when something is said that the state in the data directory rules out.
 */
export function settleSettings(
  directory: DataDirectory,
  said: Partial<ClusterSettings>,
  remembered: ClusterSettings | undefined,
): ClusterSettings {
  for (const name of settledOnce) {
    const before = remembered?.[name]
    if (before !== undefined && said[name] !== undefined && said[name] !== before) {
      throw new CliError(
        `The cluster in ${directory.root} has ${name} ${before}: it cannot become ${said[name]}. Name another directory with --data-dir.`,
      )
    }
  }
  return { ...defaultClusterSettings, ...remembered, ...said }
}

/** @throws CliError for a file that cannot be understood. */
export function readSettings(directory: DataDirectory): ClusterSettings | undefined {
  const text = readIfThere(directory.settings)
  if (text === undefined) return undefined
  try {
    return settingsSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new CliError(`${directory.settings} is not what "berth up" wrote there. Delete it to start with defaults.`, {
      cause,
    })
  }
}

export const writeSettings = (directory: DataDirectory, settings: ClusterSettings): void =>
  replacePrivateFile(directory.settings, `${JSON.stringify(settings, undefined, 2)}\n`)
