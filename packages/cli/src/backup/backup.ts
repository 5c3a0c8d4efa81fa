import { readFileSync, writeFileSync } from 'node:fs'
import { redisUrl } from '@berth/control-plane/config/redis-url.ts'
import { defaultControlPlaneSettings } from '@berth/control-plane/control-plane-deps.ts'
import {
  type BackupOptions,
  type CellBackup,
  readBackup,
  writeBackup,
} from '@berth/control-plane/store/redis/redis-backup.ts'
import { silentLog } from '@berth/shared/log.ts'
import type { DataDirectory } from '../cluster/data-directory.ts'
import { requireUp } from '../cluster/run-state.ts'
import { readOrMakeSecrets } from '../cluster/secrets.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command-context.ts'
import { counted } from '../counted.ts'
import { decodeBackup, encodeBackup } from './backup-file.ts'
import { withOwnRedis } from './own-redis.ts'

export interface BackupCommandOptions {
  readonly directory: DataDirectory
  /** Redis of a cluster that was not started by `berth up`; default: that of the data directory's cluster. */
  readonly redisUrl?: string
  readonly redisCa?: string
  readonly cell: string
}

/** Writes everything that the cell remembers into a file, while it goes on. */
export async function backup(
  options: BackupCommandOptions & { readonly file?: string },
  context: CommandContext,
): Promise<number> {
  const takenAt = context.clock.now()
  const url = options.redisUrl ?? urlOfRunningCluster(options.directory)
  const taken = await readBackup(accessTo(url, options, context))
  if (taken.sequence === 0) throw new CliError(`This Redis has no cell named ${options.cell}.`)
  const path = options.file ?? `berth-backup-${new Date(takenAt).toISOString().replaceAll(/[-:]|\.\d+/g, '')}.gz`
  const bytes = encodeBackup({ cell: options.cell, takenAt, backup: taken })
  writeFileSync(path, bytes, { mode: 0o600, flag: 'wx', flush: true })
  context.out(`${path}: ${counted(taken.records.length, 'record')}, ${Math.ceil(bytes.length / 1024)} KiB.`)
  return 0
}

/**
 * Puts a backup into a Redis that has nothing of the cell, to be led from there by control planes that are started afterwards. They stop and replace
 * nothing for a while, so that hosts can say what they run.
 */
export async function restore(
  options: BackupCommandOptions & { readonly file: string },
  context: CommandContext,
): Promise<number> {
  const { backup: taken, takenAt } = decodeBackup(readFileSync(options.file))
  const quarantined = withQuarantine(taken, context.clock.now())
  const write = (url: string) => writeBackup(accessTo(url, options, context), quarantined)
  if (options.redisUrl === undefined) await withOwnRedis(options.directory, context, write)
  else await write(options.redisUrl)
  context.out(`Restored ${counted(taken.records.length, 'record')} of ${new Date(takenAt).toISOString()}.`)
  return 0
}

function accessTo(url: string, { cell, redisCa }: BackupCommandOptions, { random }: CommandContext): BackupOptions {
  const location = redisUrl.read(url)
  if (location === undefined) throw new CliError(`${url} is not ${redisUrl.not}`)
  const ca = redisCa === undefined ? undefined : readFileSync(redisCa, 'utf8')
  return { address: { ...location, ...(ca !== undefined && { ca }) }, cell, random, log: silentLog }
}

function urlOfRunningCluster(directory: DataDirectory): string {
  const { ports } = requireUp(directory)
  return `redis://:${readOrMakeSecrets(directory).redisPassword}@127.0.0.1:${ports.redis}`
}

/** The backup with the word that the store went back, which the next leader finds before any host has come. */
function withQuarantine(taken: CellBackup, now: number): CellBackup {
  const quarantinedUntil = now + defaultControlPlaneSettings.storeReturnQuarantineMs
  const value = JSON.stringify({ noticedAt: now, reason: 'a backup was restored', quarantinedUntil, adoptedTasks: 0 })
  const records = taken.records.filter(({ table }) => table !== 'storeReturns')
  return { ...taken, records: [...records, { table: 'storeReturns', key: 'latest', value }] }
}
