import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type Docker from 'dockerode'
import { makeBusyboxImage, untilStopped } from '../images/busybox-image.ts'
import { type ControlGroup, controlGroup } from './control-group.ts'
import { type DockerEngine, dockerEngine } from './docker-engine.ts'
import { labBlockDisk } from './lab-block-disk.ts'
import { labClock, type LabClock } from './lab-clock.ts'
import { type LabDisk, labDisk } from './lab-disk.ts'
import type { LabNetwork, NetworkMember } from './lab-network.ts'
import { labProcess, type LabProcess } from './lab-process.ts'
import type { LabSlot } from './lab-slot.ts'

export interface LabHostOptions {
  /** CPU units that it offers. Default: 1024. */
  readonly cpu?: number
  /** MiB that it offers. Default: 1024. */
  readonly memoryMib?: number
  /** Default: true. */
  readonly liveRestore?: boolean
  /** MiB of the disk on which images and containers are. Default: 256. */
  readonly diskMib?: number
  /** Settings of the agent beside those that wire it up. */
  readonly agent?: Readonly<Record<string, string>>
  /** The agent's program, from the root of the repository. Default: the one that is shipped. */
  readonly agentMain?: string
  /** Whether the agent has a wall clock of its own, which can be set wrong. */
  readonly clocks?: boolean
  /** Whether the agent's disk loses what was not brought to it when the power is cut. */
  readonly blockDisks?: boolean
}

/** A machine: an address, a disk, a Docker engine and an agent of its own. */
export interface LabHost {
  readonly name: string
  readonly network: NetworkMember
  /** Where images and containers are. */
  readonly disk: LabDisk
  /** Where the agent's journal is. */
  readonly agentDisk: LabDisk
  readonly engine: DockerEngine
  readonly docker: Docker
  readonly agent: LabProcess
  /** The agent's, with `clocks`. */
  readonly clock?: LabClock
  /** Every process of it: agent, daemon, and those in containers. */
  readonly group: ControlGroup
  /** Kills all of it at once, containers too, as a power cut would. */
  crash(): Promise<void>
  /** Starts engine and agent, as a boot does. */
  boot(): Promise<void>
}

const agentDiskMib = 16
/** A file system of blocks keeps some of them for itself. */
const agentBlockDiskMib = 24

/** The attribute by which a task is placed on one host of the lab. */
export const hostAttribute = 'lab.host'
export const onHost = (name: string) => [
  { type: 'memberOf' as const, expression: `attribute:${hostAttribute} == ${name}` },
]

/** Runs until it is asked to stop; on every host's engine. */
export const sleeperImage = 'berth-test/sleeper:latest'

export const nodeCommand = (main: string): readonly string[] => [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  fileURLToPath(new URL(`../../${main}`, import.meta.url)),
]

/** Makes a host with a running engine, and an agent that is yet to be started. */
export async function labHost(
  slot: LabSlot,
  network: LabNetwork,
  number: number,
  servers: string,
  options: LabHostOptions = {},
): Promise<LabHost> {
  const { cpu = 1024, memoryMib = 1024, liveRestore = true, diskMib = 256 } = options
  const name = `h${number}`
  const directory = join(slot.directory, name)
  mkdirSync(directory, { recursive: true })
  const member = await network.join(name, 10 + number)
  const group = controlGroup(`${slot.prefix}/${name}`)
  const disk = await labDisk(join(directory, 'docker'), diskMib)
  const agentDirectory = join(directory, 'agent')
  const blockDisk = options.blockDisks ? await labBlockDisk(agentDirectory, agentBlockDiskMib) : undefined
  const agentDisk = blockDisk ?? (await labDisk(agentDirectory, agentDiskMib))
  const clock = options.clocks ? labClock(join(directory, 'clock')) : undefined
  const engine = dockerEngine({ member, group, signal: slot.signal, directory, dataRoot: disk.path, liveRestore })
  await engine.start()
  await makeBusyboxImage({ reference: sleeperImage, command: untilStopped }, engine.docker)
  const agent = labProcess({
    name: `agent of ${name}`,
    member,
    group,
    signal: slot.signal,
    logPath: join(directory, 'agent.log'),
    command: nodeCommand(options.agentMain ?? 'packages/agent/src/main.ts'),
    supervised: true,
    clock,
    environment: {
      BERTH_SERVER: servers,
      BERTH_DATA_DIR: agentDisk.path,
      BERTH_HOST_ADDRESS: member.address,
      BERTH_CGROUP_PARENT: `${group.parent}/containers`,
      ECS_INSTANCE_ATTRIBUTES: JSON.stringify({ [hostAttribute]: name }),
      BERTH_CPU: String(cpu),
      BERTH_MEMORY: String(memoryMib),
      DOCKER_HOST: `unix://${engine.socket}`,
      ...options.agent,
    },
  })
  // The signals first: nothing of it does anything more when it is thawed.
  const endAll = async () => {
    const ending = [agent.kill(), engine.kill()]
    group.killAll()
    await Promise.all(ending)
    await untilEmpty(group)
  }
  return {
    name,
    network: member,
    disk,
    agentDisk,
    engine,
    docker: engine.docker,
    agent,
    group,
    ...(clock && { clock }),
    async crash() {
      if (blockDisk === undefined) return endAll()
      group.freeze()
      await group.frozen()
      await blockDisk.cutPower(endAll)
    },
    async boot() {
      await engine.start()
      await agent.start()
    },
  }
}

async function untilEmpty(group: ControlGroup): Promise<void> {
  while (group.pids().length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
}
