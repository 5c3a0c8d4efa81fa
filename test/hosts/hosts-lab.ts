import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ECSClient } from '@aws-sdk/client-ecs'
import { controlGroup } from './control-group.ts'
import { checkLabClocks, labClock, type LabClock } from './lab-clock.ts'
import { labHost, type LabHost, type LabHostOptions, nodeCommand } from './lab-host.ts'
import { labNetwork, type NetworkMember } from './lab-network.ts'
import { labProcess, type LabProcess } from './lab-process.ts'
import { type LabRedis, startLabRedis } from './lab-redis.ts'
import { claimSlot } from './lab-slot.ts'

export interface HostsLabOptions {
  readonly hosts: number
  /** Default: 1. */
  readonly controlPlanes?: number
  /** Of every host, or of each by its number from 1. */
  readonly host?: LabHostOptions | ((number: number) => LabHostOptions)
  /** Settings of the control planes beside those that wire them up. */
  readonly controlPlane?: Readonly<Record<string, string>>
  /** The control plane's program, from the root of the repository. Default: the one that is shipped. */
  readonly controlPlaneMain?: string
  /** Settings of Redis beside `appendfsync always`. */
  readonly redis?: Readonly<Record<string, string>>
  /** 1, or 3 under Sentinels; then each batch must be on a replica as well. Default: 1. */
  readonly redisServers?: 1 | 3
  /** Whether every program but Docker has a wall clock of its own, which can be set wrong. Default: the machine's. */
  readonly clocks?: boolean
  /** Whether the disks of Redis and the agents lose what was not brought to them when the power is cut. Default: no. */
  readonly blockDisks?: boolean
}

/** A control plane on a machine of its own. */
export interface LabControlPlane {
  readonly process: LabProcess
  readonly network: NetworkMember
  /** With `clocks`. */
  readonly clock?: LabClock
  /** Where its API is. */
  readonly endpoint: string
}

/** Several real machines on one: each a network namespace on a switch, with processes of its own. */
export interface HostsLab {
  readonly directory: string
  readonly redis: LabRedis
  readonly controlPlanes: readonly LabControlPlane[]
  readonly hosts: readonly LabHost[]
  /** Asks one control plane, the first if none is given, and never twice by itself. */
  client(controlPlane?: LabControlPlane): ECSClient
  /** The last lines of every process's log. */
  logTails(lines?: number): string
  /** Ends every process and removes all that the lab has made, those of a lab in trouble too. */
  stop(): Promise<void>
}

const key = { accessKeyId: 'AKIDHOSTSLAB', secretAccessKey: 'hosts-lab-secret', name: 'root' }
const region = 'us-east-1'
const apiPort = 4566
const agentPort = 4567
const firstControlPlane = 2

/** Starts Redis, control planes, engines and agents; `stop` must be called in the end. What a crashed lab left is removed first. */
export async function startHostsLab(options: HostsLabOptions): Promise<HostsLab> {
  const { clocks = false, blockDisks = false } = options
  if (clocks) await checkLabClocks()
  const slot = await claimSlot()
  const stop = () => slot.release()
  try {
    const network = await labNetwork(slot)
    const group = controlGroup(`${slot.prefix}/services`)
    const servers = options.redisServers ?? 1
    const redis = await startLabRedis(slot, network, group, {
      servers,
      clocks,
      blockDisks,
      ...(options.redis && { settings: options.redis }),
    })
    const controlPlanes = await allSettled(
      Array.from({ length: options.controlPlanes ?? 1 }, (_, index) => startControlPlane(index)),
    )
    const agentServers = controlPlanes.map((each) => `${each.network.address}:${agentPort}`).join(',')
    const hosts = await allSettled(
      Array.from({ length: options.hosts }, (_, index) => {
        const given = typeof options.host === 'function' ? options.host(index + 1) : options.host
        return labHost(slot, network, index + 1, agentServers, { clocks, blockDisks, ...given })
      }),
    )
    await Promise.all(hosts.map(({ agent }) => agent.start()))
    await Promise.all(hosts.map(({ agent }) => agent.logged('Joined the control plane')))
    const processes = [
      ...redis.nodes.map((each) => each.process),
      ...controlPlanes.map((each) => each.process),
      ...hosts.flatMap((host) => [host.agent, host.engine.daemon]),
    ]
    return {
      directory: slot.directory,
      redis,
      controlPlanes,
      hosts,
      client: (controlPlane = controlPlanes[0]) =>
        new ECSClient({ endpoint: controlPlane?.endpoint ?? '', region, credentials: key, maxAttempts: 1 }),
      logTails: (lines = 15) => processes.map((each) => `--- ${each.name}\n${tailOf(each.log(), lines)}`).join('\n'),
      stop,
    }

    async function startControlPlane(index: number): Promise<LabControlPlane> {
      const name = `cp${index + 1}`
      const member = await network.join(name, firstControlPlane + index)
      const keys = join(slot.directory, `${name}-keys.json`)
      writeFileSync(keys, JSON.stringify([key]), { mode: 0o600 })
      const clock = clocks ? labClock(join(slot.directory, `${name}-clock`)) : undefined
      const controlPlane = labProcess({
        clock,
        name: `control plane ${name}`,
        member,
        group,
        signal: slot.signal,
        logPath: join(slot.directory, `${name}.log`),
        command: nodeCommand(options.controlPlaneMain ?? 'packages/control-plane/src/main.ts'),
        readyWords: 'control plane listens',
        supervised: true,
        environment: {
          BERTH_LISTEN: `${member.address}:${apiPort}`,
          BERTH_AGENT_LISTEN: `${member.address}:${agentPort}`,
          BERTH_TLS: 'off',
          BERTH_AGENT_TLS: 'plaintext',
          BERTH_REDIS_URL: redis.url,
          BERTH_REDIS_REPLICAS: servers === 1 ? '0' : '1',
          BERTH_REGION: region,
          BERTH_ACCESS_KEYS_FILE: keys,
          ...options.controlPlane,
        },
      })
      await controlPlane.start()
      const endpoint = `http://${member.address}:${apiPort}`
      return { process: controlPlane, network: member, endpoint, ...(clock && { clock }) }
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const tailOf = (text: string, lines: number): string =>
  text
    .trimEnd()
    .split('\n')
    .slice(-lines)
    .map((line) => line.slice(0, 400))
    .join('\n')

/** As `Promise.all`, but what fails does not leave the others at work behind its back. */
async function allSettled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}
