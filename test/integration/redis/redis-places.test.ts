import { redisUrl } from '@berth/control-plane/config/redis-url.ts'
import { redisStore } from '@berth/control-plane/store/redis/redis-store.ts'
import { type Fence, type Store, StoreUnavailableError } from '@berth/control-plane/store/store.ts'
import { silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { freePort } from '../../docker/docker-under-test.ts'
import { type RedisProcess, startRedis } from '../../redis/redis-process.ts'
import { startSentinelGroup } from '../../redis/sentinel.ts'

const cleanUps: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

function open(url: string, { ca, waitReplicas = 0 }: { ca?: string; waitReplicas?: number } = {}): Store {
  const location = redisUrl.read(url)
  if (location === undefined) throw new Error(`${url} is no URL of Redis`)
  const address = { ...location, ...(ca !== undefined && { ca }) }
  const store = redisStore({ address, cell: 'places', random: systemRandom(), log: silentLog, waitReplicas })
  cleanUps.push(() => store.close())
  return store
}

async function started(settings: Readonly<Record<string, string>>): Promise<RedisProcess> {
  const redis = await startRedis({ settings })
  cleanUps.push(() => redis.remove())
  return redis
}

/** Tries again, as a leader does, while the store does not answer. */
async function eventually<T>(call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 60_000
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

async function lead(store: Store, holder = 'p1'): Promise<Fence> {
  const lease = await eventually(() => store.acquireLease(holder, 60_000, { api: '', agents: '' }))
  if (lease.kind !== 'held') throw new Error('the lease is not free')
  return lease.fence
}

const batch = (fence: Fence, sequence: number) => ({
  fence,
  sequence,
  changes: [{ table: 'tasks', key: String(sequence), value: '1' }],
})

test('Redis with a password: the right one opens it, a wrong one does not', async () => {
  const redis = await started({ requirepass: 's3cret/@' })
  await lead(open(`redis://:${encodeURIComponent('s3cret/@')}@127.0.0.1:${redis.port}/0`))
  const wrong = open(`redis://:wrong@127.0.0.1:${redis.port}`)
  await expect(wrong.acquireLease('p2', 1000, { api: '', agents: '' })).rejects.toBeInstanceOf(StoreUnavailableError)
})

/** Settings of a server that speaks TLS on a port of its own, and the certificate that it is known by. */
async function tlsSettings() {
  const directory = mkdtempSync(join(tmpdir(), 'berth-redis-tls-'))
  cleanUps.push(async () => rmSync(directory, { recursive: true }))
  const openssl = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2'
  const name = ['-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', [...openssl.split(' '), ...name], { cwd: directory, stdio: 'ignore' })
  const port = await freePort()
  const settings = {
    'tls-port': String(port),
    'tls-cert-file': join(directory, 'cert.pem'),
    'tls-key-file': join(directory, 'key.pem'),
    'tls-ca-cert-file': join(directory, 'cert.pem'),
    'tls-auth-clients': 'no',
  }
  return { port, settings, directory, ca: readFileSync(join(directory, 'cert.pem'), 'utf8') }
}

async function expectStrangersRefused(url: string): Promise<void> {
  const stranger = open(url)
  await expect(stranger.acquireLease('p2', 1000, { api: '', agents: '' })).rejects.toBeInstanceOf(StoreUnavailableError)
}

test('Redis behind TLS is known by the authority that was named, and by no other', async () => {
  const { port, settings, ca } = await tlsSettings()
  await started(settings)
  await lead(open(`rediss://127.0.0.1:${port}`, { ca }))
  await expectStrangersRefused(`rediss://127.0.0.1:${port}`)
})

test('Sentinels and the primary that they name are spoken to over TLS', async () => {
  const [primary, watching] = [await tlsSettings(), await tlsSettings()]
  await started(primary.settings)
  const lines = [
    'port 0',
    'tls-replication yes',
    ...Object.entries({ ...watching.settings, 'tls-ca-cert-file': primary.settings['tls-ca-cert-file'] }).map(
      ([setting, value]) => `${setting} ${value}`,
    ),
    `dir ${watching.directory}`,
    `sentinel monitor berth 127.0.0.1 ${primary.port} 1`,
  ]
  const path = join(watching.directory, 'sentinel.conf')
  writeFileSync(path, lines.join('\n'))
  const sentinel = spawn('redis-server', [path, '--sentinel'], { stdio: 'ignore' })
  cleanUps.push(async () => {
    const gone = once(sentinel, 'exit')
    sentinel.kill('SIGKILL')
    await gone
  })
  const url = `rediss-sentinel://127.0.0.1:${watching.port}/berth`
  await lead(open(url, { ca: primary.ca + watching.ca }))
  await expectStrangersRefused(url)
})

test('a Redis Cluster is spoken to over TLS', async () => {
  const { port, settings, ca } = await tlsSettings()
  const redis = await started({ 'cluster-enabled': 'yes', 'tls-cluster': 'yes', ...settings })
  const client = new Redis(redis.url, { protocol: 2 })
  await client.call('CLUSTER', ['ADDSLOTSRANGE', 0, 16_383])
  client.disconnect()
  const url = `rediss-cluster://127.0.0.1:${port}`
  await lead(open(url, { ca }))
  await expectStrangersRefused(url)
})

test('in a Redis Cluster the server that has the slot of the cell is found, also after the slot has moved', async () => {
  const servers = [await started({ 'cluster-enabled': 'yes' }), await started({ 'cluster-enabled': 'yes' })] as const
  const clients = servers.map(({ url }) => new Redis(url, { protocol: 2 }))
  cleanUps.push(async () => clients.forEach((client) => client.disconnect()))
  const [one, two] = clients as [Redis, Redis]
  const command = (client: Redis, ...args: (string | number)[]) => client.call('CLUSTER', args)
  await command(one, 'ADDSLOTSRANGE', 0, 16_383)
  await command(one, 'MEET', '127.0.0.1', servers[1].port)
  await eventually(async () => {
    if (!/cluster_known_nodes:2/.test(String(await command(two, 'INFO')))) throw new StoreUnavailableError('alone yet')
  })

  const store = open(`redis-cluster://127.0.0.1:${servers[1].port},127.0.0.1:${servers[0].port}`)
  const fence = await lead(store)
  for (let sequence = 1; sequence <= 5; sequence++) await store.commit(batch(fence, sequence))

  const slot = Number(await command(one, 'KEYSLOT', '{berth:places}'))
  const [from, to] = [await command(one, 'MYID'), await command(two, 'MYID')].map(String) as [string, string]
  await command(two, 'SETSLOT', slot, 'IMPORTING', from)
  await command(one, 'SETSLOT', slot, 'MIGRATING', to)
  const keys = (await command(one, 'GETKEYSINSLOT', slot, 100)) as string[]
  for (const key of keys) await one.call('MIGRATE', ['127.0.0.1', servers[1].port, key, 0, 5000])
  for (const client of [two, one]) await command(client, 'SETSLOT', slot, 'NODE', to)

  for (let sequence = 6; sequence <= 10; sequence++)
    expect(await eventually(() => store.commit(batch(fence, sequence)))).toEqual({ kind: 'committed' })
  expect((await eventually(() => store.load())).records).toHaveLength(10)
  expect(await two.hlen('{berth:places}:table:tasks')).toBe(10)
})

test('when the primary and a Sentinel stand still until another has taken its place, every store finds that one', async () => {
  const group = await startSentinelGroup()
  cleanUps.push(() => group.remove())
  const stores = Array.from({ length: 6 }, () => open(group.url))
  for (const store of stores) await eventually(() => store.load())
  for (let round = 1; round <= 2; round++) {
    const still = await group.primary()
    // Whoever asks it for the primary waits, and hears meanwhile that there is another.
    group.freezeFirstSentinel()
    still.freeze()
    try {
      await eventually(async () => {
        // All of them try again and again meanwhile, as standbys do.
        await Promise.allSettled(stores.map((store) => store.load()))
        if ((await group.primary()) === still) throw new StoreUnavailableError('it is not replaced yet')
      })
    } finally {
      still.thaw()
      group.thawFirstSentinel()
    }
    for (const store of stores) await eventually(() => store.load())
  }
})

test('when the primary is killed under load, Sentinel makes the replica the primary, and nothing that was acknowledged is lost', async () => {
  const group = await startSentinelGroup()
  cleanUps.push(() => group.remove())
  const store = open(group.url, { waitReplicas: 1 })
  const fence = await lead(store)
  const acknowledged: number[] = []
  const dying = await group.primary()
  let sequence = 0
  let killed: Promise<void> | undefined
  while (acknowledged.length < 300) {
    // The replica that became primary has none of its own: what was written before must be there.
    if (acknowledged.length === 200) killed ??= dying.kill()
    const outcome = await store.commit(batch(fence, sequence + 1)).catch(() => undefined)
    if (outcome === undefined) {
      const other = group.servers.find((server) => server !== dying)
      if ((await group.primary().catch(() => dying)) === other) break
      await new Promise((resolve) => setTimeout(resolve, 20))
      continue
    }
    expect(outcome).toEqual({ kind: 'committed' })
    sequence += 1
    acknowledged.push(sequence)
  }
  await killed
  expect(acknowledged.length).toBeGreaterThanOrEqual(200)
  const reader = open(group.url)
  const { records } = await eventually(() => reader.load())
  const there = new Set(records.map(({ key }) => Number(key)))
  expect(acknowledged.filter((each) => !there.has(each))).toEqual([])
  // The old primary comes back as a replica, and the cell goes on.
  await dying.start()
  await eventually(async () => {
    const outcome = await store.commit(batch(fence, sequence + 1))
    if (outcome.kind !== 'committed') throw new Error(JSON.stringify(outcome))
  })
})
