import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { takeClusterLock } from '../cluster/cluster-lock.ts'
import type { DataDirectory } from '../cluster/data-directory.ts'
import { replacePrivateFile } from '../cluster/private-file.ts'
import { readOrMakeSecrets } from '../cluster/secrets.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command-context.ts'
import { anyFreePort } from '../up/free-port.ts'
import { redisConfiguration, redisAnswers } from '../up/redis-server.ts'
import { redisConfigurationPath } from '../up/process-spec.ts'
import { waitUntil } from '../wait-until.ts'

const startsWithinMs = 60_000

/**
 * Runs the Redis of a cluster that is down, as long as `use` takes.
 *
 * @throws CliError while the cluster is up.
 */
export async function withOwnRedis(
  directory: DataDirectory,
  { clock }: CommandContext,
  use: (url: string) => Promise<void>,
): Promise<void> {
  if (!existsSync(directory.root)) throw new CliError(`There is no cluster in ${directory.root}: "berth up" makes one.`)
  const lock = await takeClusterLock(directory.root)
  if (lock === undefined) throw new CliError('The cluster is up. Stop it first: berth down --keep-tasks')
  try {
    mkdirSync(directory.redis, { recursive: true, mode: 0o700 })
    const { redisPassword: password } = readOrMakeSecrets(directory)
    const port = await anyFreePort()
    const path = redisConfigurationPath(directory)
    replacePrivateFile(path, redisConfiguration({ directory, port, password, fsync: 'always' }))
    const redis = spawn('redis-server', [path], { stdio: 'ignore' })
    const gone = once(redis, 'exit')
    try {
      const { signal } = new AbortController()
      const answers = await waitUntil({ clock, everyMs: 30, deadlineMs: startsWithinMs, signal }, async () =>
        (await redisAnswers(port, password)) ? true : undefined,
      )
      if (!answers) throw new CliError('Redis does not start.')
      await use(`redis://:${password}@127.0.0.1:${port}`)
    } finally {
      redis.kill('SIGTERM')
      await gone
    }
  } finally {
    await lock.release()
  }
}
