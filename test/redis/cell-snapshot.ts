import { Redis } from 'ioredis'

/** All keys of a Redis, as one moment had them. */
export type RedisSnapshot = readonly (readonly [key: string, value: Buffer])[]

export async function takeSnapshot(url: string): Promise<RedisSnapshot> {
  const client = new Redis(url, { protocol: 2 })
  try {
    const keys = await client.keys('*')
    return await Promise.all(keys.map(async (key) => [key, (await client.dumpBuffer(key)) ?? Buffer.alloc(0)] as const))
  } finally {
    client.disconnect()
  }
}

/** Puts everything back as it was, in one moment: what a Redis does that lost its last writes, or was restored. */
export async function goBackTo(url: string, snapshot: RedisSnapshot): Promise<void> {
  const client = new Redis(url, { protocol: 2 })
  try {
    const transaction = client.multi().flushall()
    for (const [key, value] of snapshot) transaction.restore(key, 0, value)
    await transaction.exec()
  } finally {
    client.disconnect()
  }
}
