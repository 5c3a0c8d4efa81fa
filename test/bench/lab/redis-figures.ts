import type { Redis } from 'ioredis'

/** What a Redis server has done since its start. */
export interface RedisFigures {
  readonly cpuSeconds: number
  /** Calls of Lua functions: one for each durable batch, and one for each renewal of the lease. */
  readonly scripts: number
}

export async function redisFigures(redis: Redis): Promise<RedisFigures> {
  const text = `${await redis.info('cpu')}\n${await redis.info('commandstats')}`
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0)
  return {
    cpuSeconds: number(/^used_cpu_sys:([\d.]+)/m) + number(/^used_cpu_user:([\d.]+)/m),
    scripts: number(/^cmdstat_evalsha:calls=(\d+)/m),
  }
}
