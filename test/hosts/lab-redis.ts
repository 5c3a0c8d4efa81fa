import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { ControlGroup } from './control-group.ts'
import type { LabNetwork, NetworkMember } from './lab-network.ts'
import { labProcess, type LabProcess } from './lab-process.ts'
import type { LabSlot } from './lab-slot.ts'

/** A Redis server on a machine of its own, with a Sentinel beside it where there are several. */
export interface LabRedisNode {
  readonly process: LabProcess
  readonly sentinel?: LabProcess
  readonly network: NetworkMember
}

export interface LabRedis {
  /** As a control plane is told. */
  readonly url: string
  readonly nodes: readonly LabRedisNode[]
  /** The one that takes writes, as the Sentinels say. */
  primary(): Promise<LabRedisNode>
}

export interface LabRedisOptions {
  /** 1, or 3 with a Sentinel each, of which two must agree. */
  readonly servers: 1 | 3
  /** Settings beside `appendfsync always`. */
  readonly settings?: Readonly<Record<string, string>>
}

const port = 6379
const sentinelPort = 26_379
const firstAddress = 250
const name = 'berth'
/** Longer than a machine with too much to do stands still by itself, mostly. */
const downAfterMs = 1500

/** Starts the servers; with several, resolves when the Sentinels know all of them. */
export async function startLabRedis(
  slot: LabSlot,
  network: LabNetwork,
  group: ControlGroup,
  { servers, settings = {} }: LabRedisOptions,
): Promise<LabRedis> {
  const members: NetworkMember[] = []
  for (let number = 0; number < servers; number++)
    members.push(await network.join(servers === 1 ? 'redis' : `redis${number + 1}`, firstAddress + number))
  const first = members[0] as NetworkMember
  const nodes = members.map((member) => node(slot, group, member, first, servers, settings))
  for (const { process } of nodes) await process.start()
  for (const { sentinel } of nodes) await sentinel?.start()
  const sentinels = members.map(({ address }) => `${address}:${sentinelPort}`).join(',')
  const redis: LabRedis = {
    url: servers === 1 ? `redis://${first.address}:${port}` : `redis-sentinel://${sentinels}/${name}`,
    nodes,
    async primary() {
      if (servers === 1) return nodes[0] as LabRedisNode
      const told = await Promise.all(
        members.map(({ address }) => askSentinel(address, ['GET-MASTER-ADDR-BY-NAME', name])),
      )
      const address = told.find((each) => each !== undefined)?.[0]
      return nodes.find((each) => each.network.address === address) ?? (nodes[0] as LabRedisNode)
    },
  }
  if (servers > 1) await untilWatched(members)
  return redis
}

function node(
  slot: LabSlot,
  group: ControlGroup,
  member: NetworkMember,
  first: NetworkMember,
  servers: number,
  settings: Readonly<Record<string, string>>,
): LabRedisNode {
  const directory = join(slot.directory, member.name)
  mkdirSync(directory)
  // A file, since Sentinel has the server write down whom it follows.
  const configuration = join(directory, 'redis.conf')
  const following = member === first ? {} : { replicaof: `${first.address} ${port}` }
  writeSettings(configuration, {
    port: String(port),
    bind: member.address,
    'protected-mode': 'no',
    dir: directory,
    appendonly: 'yes',
    appendfsync: 'always',
    save: '""',
    ...following,
    ...settings,
  })
  const common = { member, group, signal: slot.signal, supervised: true }
  const process = labProcess({
    ...common,
    name: member.name,
    logPath: join(slot.directory, `${member.name}.log`),
    command: ['redis-server', configuration],
    readyWords: 'Ready to accept connections',
  })
  if (servers === 1) return { process, network: member }
  const watching = join(directory, 'sentinel.conf')
  writeSettings(watching, {
    port: String(sentinelPort),
    bind: member.address,
    'protected-mode': 'no',
    dir: directory,
    'sentinel monitor': `${name} ${first.address} ${port} 2`,
    'sentinel down-after-milliseconds': `${name} ${downAfterMs}`,
    'sentinel failover-timeout': `${name} 5000`,
  })
  const sentinel = labProcess({
    ...common,
    name: `sentinel of ${member.name}`,
    logPath: join(slot.directory, `${member.name}-sentinel.log`),
    command: ['redis-server', watching, '--sentinel'],
    readyWords: '+monitor',
  })
  return { process, sentinel, network: member }
}

const writeSettings = (path: string, settings: Readonly<Record<string, string>>): void =>
  writeFileSync(
    path,
    Object.entries(settings)
      .map(([key, value]) => `${key} ${value}\n`)
      .join(''),
  )

async function untilWatched(members: readonly NetworkMember[]): Promise<void> {
  const deadline = performance.now() + 30_000
  for (const { address } of members) {
    for (;;) {
      const state = await askSentinel(address, ['MASTER', name])
      const field = (key: string) => Number(state?.[state.indexOf(key) + 1])
      if (field('num-other-sentinels') === members.length - 1 && field('num-slaves') === members.length - 1) break
      if (performance.now() > deadline) throw new Error(`the Sentinel at ${address} does not know the others`)
      await wait(100)
    }
  }
}

async function askSentinel(address: string, command: readonly string[]): Promise<readonly string[] | undefined> {
  const client = new Redis({
    host: address,
    port: sentinelPort,
    protocol: 2,
    maxRetriesPerRequest: 0,
    connectTimeout: 1000,
    commandTimeout: 1000,
    retryStrategy: () => null,
  })
  client.on('error', () => {})
  try {
    return ((await client.call('SENTINEL', [...command])) as string[] | null) ?? undefined
  } catch {
    return undefined
  } finally {
    client.disconnect()
  }
}
