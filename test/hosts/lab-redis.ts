import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { ControlGroup } from './control-group.ts'
import { labBlockDisk } from './lab-block-disk.ts'
import { labClock, type LabClock } from './lab-clock.ts'
import type { LabDisk } from './lab-disk.ts'
import type { LabNetwork, NetworkMember } from './lab-network.ts'
import { labProcess, type LabProcess } from './lab-process.ts'
import type { LabSlot } from './lab-slot.ts'

/** A Redis server on a machine of its own, with a Sentinel beside it where there are several. */
export interface LabRedisNode {
  readonly process: LabProcess
  readonly sentinel?: LabProcess
  readonly network: NetworkMember
  /** With `clocks`. */
  readonly clock?: LabClock
  /** With `blockDisks`: where its log is. */
  readonly disk?: LabDisk
  /** With `blockDisks`: ends all of it at once, and what its disk has not is lost. */
  cutPower?(): Promise<void>
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
  /** Whether each has a wall clock of its own, which can be set wrong. */
  readonly clocks?: boolean
  /** Whether each has a disk of its own, which loses what was not brought to it when the power is cut. */
  readonly blockDisks?: boolean
}

const port = 6379
const sentinelPort = 26_379
/** Redis writes its log anew at 64 MiB, beside the old one. */
const diskMib = 256
const firstAddress = 250
const name = 'berth'
/** Longer than a machine with too much to do stands still by itself, mostly. */
const downAfterMs = 1500

/** Starts the servers; with several, resolves when the Sentinels know all of them. */
export async function startLabRedis(
  slot: LabSlot,
  network: LabNetwork,
  group: ControlGroup,
  options: LabRedisOptions,
): Promise<LabRedis> {
  const { servers } = options
  const members: NetworkMember[] = []
  for (let number = 0; number < servers; number++)
    members.push(await network.join(servers === 1 ? 'redis' : `redis${number + 1}`, firstAddress + number))
  const first = members[0] as NetworkMember
  const nodes: LabRedisNode[] = []
  for (const member of members) nodes.push(await node(slot, group, member, first, options))
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

async function node(
  slot: LabSlot,
  group: ControlGroup,
  member: NetworkMember,
  first: NetworkMember,
  { servers, settings = {}, clocks = false, blockDisks = false }: LabRedisOptions,
): Promise<LabRedisNode> {
  const directory = join(slot.directory, member.name)
  const disk = blockDisks ? await labBlockDisk(directory, diskMib) : undefined
  mkdirSync(directory, { recursive: true })
  const clock = clocks ? labClock(join(slot.directory, `${member.name}-clock`)) : undefined
  // Files, since Sentinel has the server write down whom it follows; not on the disk, which does not have them yet when its power is cut.
  const settingsOf = (program: string) => join(slot.directory, `${member.name}-${program}.conf`)
  const configuration = settingsOf('redis')
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
    clock,
    readyWords: 'Ready to accept connections',
  })
  const machine = (sentinel?: LabProcess): LabRedisNode => ({
    process,
    network: member,
    ...(clock && { clock }),
    ...(sentinel && { sentinel }),
    ...(disk && {
      disk,
      async cutPower() {
        process.freeze()
        sentinel?.freeze()
        await disk.cutPower(async () => void (await Promise.all([process.kill(), sentinel?.kill()])))
      },
    }),
  })
  if (servers === 1) return machine()
  const watching = settingsOf('sentinel')
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
  return machine(sentinel)
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
