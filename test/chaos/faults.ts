import { setTimeout as wait } from 'node:timers/promises'
import type { Random } from '@berth/shared/random.ts'
import type { HostsLab, LabControlPlane } from '../hosts/hosts-lab.ts'
import type { LabClock } from '../hosts/lab-clock.ts'
import type { LabHost } from '../hosts/lab-host.ts'
import { between, chance, oneOf } from './choice.ts'

/** What is about to happen: to whom, what, and what undoes it. */
export interface Strike {
  /** In words. */
  readonly target: string
  /** The names of what it is done to: two things at once to one of them would undo each other. */
  readonly things: readonly string[]
  /** How long it lasts, in ms. */
  readonly lastsMs: number
  begin(): Promise<void> | void
  end(): Promise<void> | void
}

export interface FaultContext {
  readonly lab: HostsLab
  readonly random: Random
}

type Fault = (context: FaultContext) => Strike | Promise<Strike>

/** The lease of the control planes in these runs, in ms: frozen and cut-off leaders are so for longer. */
export const leaseMs = 2000
/** Requests are refused whose signature is five minutes old by the clock of who is asked. */
const withinSignatureSeconds = 240
const beyondLeaseMs: readonly [number, number] = [leaseMs + 1500, leaseMs + 5000]

/** Everything that may befall a cluster. */
export const faults = {
  'kill the agent': (context) => {
    const { name, agent } = anyHost(context)
    return strike(
      context,
      name,
      [0, 3000],
      () => agent.kill(),
      () => agent.start(),
    )
  },
  'restart the agent': (context) => {
    const { name, agent } = anyHost(context)
    return strike(
      context,
      name,
      [0, 1000],
      () => agent.stop(),
      () => agent.start(),
    )
  },
  'freeze the agent': (context) => {
    const { name, agent } = anyHost(context)
    return strike(
      context,
      name,
      [2000, 9000],
      () => agent.freeze(),
      () => agent.thaw(),
    )
  },
  'kill dockerd': (context) => {
    const { name, engine } = anyHost(context)
    return strike(
      context,
      name,
      [0, 4000],
      () => engine.kill(),
      () => engine.start(),
    )
  },
  'restart dockerd': (context) => {
    const { name, engine } = anyHost(context)
    return strike(
      context,
      name,
      [0, 1000],
      () => engine.stop(),
      () => engine.start(),
    )
  },
  'freeze dockerd': (context) => {
    const { name, engine } = anyHost(context)
    return strike(
      context,
      name,
      [3000, 12_000],
      () => engine.daemon.freeze(),
      () => engine.daemon.thaw(),
    )
  },
  'kill agent and dockerd': (context) => {
    const { name, engine, agent } = anyHost(context)
    const kill = async () => void (await Promise.all([agent.kill(), engine.kill()]))
    const start = async () => void (await Promise.all([agent.start(), engine.start()]))
    return strike(context, name, [0, 3000], kill, start)
  },
  'cut the power of a host': (context) => {
    const host = anyHost(context)
    return strike(
      context,
      host.name,
      [1000, 12_000],
      () => host.crash(),
      () => host.boot(),
    )
  },
  'freeze a whole host': (context) => {
    const { name, group } = anyHost(context)
    return strike(
      context,
      name,
      [2000, 12_000],
      () => group.freeze(),
      () => group.thaw(),
    )
  },
  'unplug a host': (context) => {
    const { name, network } = anyHost(context)
    return strike(
      context,
      name,
      [1000, 14_000],
      () => network.unplug(),
      () => network.heal(),
    )
  },
  'lose packets to a host': (context) => {
    const { name, network } = anyHost(context)
    return strike(
      context,
      name,
      [1000, 12_000],
      () => network.drop('in'),
      () => network.heal(),
    )
  },
  'lose packets from a host': (context) => {
    const { name, network } = anyHost(context)
    return strike(
      context,
      name,
      [1000, 12_000],
      () => network.drop('out'),
      () => network.heal(),
    )
  },
  'slow the link of a host': (context) => {
    const { name, network } = anyHost(context)
    return strike(
      context,
      name,
      [3000, 8000],
      () => network.slowDown(48),
      () => network.heal(),
    )
  },
  'fill the disk of the agent': (context) => {
    const { name, agentDisk } = anyHost(context)
    return strike(
      context,
      name,
      [1000, 5000],
      () => agentDisk.fill(),
      () => agentDisk.clear(),
    )
  },
  'fill the disk of Docker': (context) => {
    const { name, disk } = anyHost(context)
    return strike(
      context,
      name,
      [1000, 5000],
      () => disk.fill(),
      () => disk.clear(),
    )
  },
  'kill a container': (context) => {
    const { name, docker } = anyHost(context)
    const kill = async () => {
      const [first] = await docker.listContainers()
      if (first) await docker.getContainer(first.Id).kill()
    }
    return strike(
      context,
      name,
      [0, 100],
      () => kill().catch(() => {}),
      () => {},
    )
  },
  'kill a control plane': (context) => {
    const { process } = oneOf(context.random, context.lab.controlPlanes)
    return strike(
      context,
      process.name,
      [0, 3000],
      () => process.kill(),
      () => process.start(),
    )
  },
  'restart all control planes, one after the other': (context) => {
    const processes = context.lab.controlPlanes.map(({ process }) => process)
    const restart = async () => {
      for (const process of processes) {
        await process.stop()
        await process.start()
      }
    }
    const names = processes.map(({ name }) => name)
    return strike(context, names, [0, 1000], restart, () => {})
  },
  'kill the leader': async (context) => {
    const { process } = await leaderOf(context)
    return strike(
      context,
      process.name,
      [0, 5000],
      () => process.kill(),
      () => process.start(),
    )
  },
  'freeze the leader beyond its lease': async (context) => {
    const { process } = await leaderOf(context)
    return strike(
      context,
      process.name,
      beyondLeaseMs,
      () => process.freeze(),
      () => process.thaw(),
    )
  },
  'cut the leader off from Redis': async (context) => {
    const { process, network } = await leaderOf(context)
    const direction = chance(context.random, 0.5) ? 'in' : 'out'
    const cut = async () => {
      for (const node of context.lab.redis.nodes) await network.drop(direction, node.network)
    }
    return strike(context, process.name, beyondLeaseMs, cut, () => network.heal())
  },
  'unplug the leader': async (context) => {
    const { process, network } = await leaderOf(context)
    return strike(
      context,
      process.name,
      beyondLeaseMs,
      () => network.unplug(),
      () => network.heal(),
    )
  },
  'kill Redis': async (context) => {
    const { process } = await context.lab.redis.primary()
    return strike(
      context,
      process.name,
      [0, 2000],
      () => process.kill(),
      () => process.start(),
    )
  },
  'keep Redis down': async (context) => {
    const { process } = await context.lab.redis.primary()
    return strike(
      context,
      process.name,
      [3000, 7000],
      () => process.kill(),
      () => process.start(),
    )
  },
  'freeze Redis': async (context) => {
    const { process } = await context.lab.redis.primary()
    return strike(
      context,
      process.name,
      [500, 6000],
      () => process.freeze(),
      () => process.thaw(),
    )
  },
  'restart Redis': async (context) => {
    const { process } = await context.lab.redis.primary()
    return strike(
      context,
      process.name,
      [0, 500],
      () => process.stop(),
      () => process.start(),
    )
  },
  'unplug Redis': async (context) => {
    const { process, network } = await context.lab.redis.primary()
    return strike(
      context,
      process.name,
      [1000, 7000],
      () => network.unplug(),
      () => network.heal(),
    )
  },
  'slow the link of Redis': async (context) => {
    const { process, network } = await context.lab.redis.primary()
    return strike(
      context,
      process.name,
      [2000, 5000],
      () => network.slowDown(256),
      () => network.heal(),
    )
  },
  'cut the power of Redis': async (context) => {
    const node = await context.lab.redis.primary()
    const boot = async () => void (await Promise.all([node.process.start(), node.sentinel?.start()]))
    return strike(context, node.process.name, [0, 2000], () => node.cutPower?.(), boot)
  },
  'fill the disk of Redis': async (context) => {
    const { process, disk } = await context.lab.redis.primary()
    // It ends by itself when it cannot write, as often as it is started.
    const clear = async () => {
      disk?.clear()
      await process.start()
    }
    return strike(context, process.name, [1000, 5000], () => disk?.fill(), clear)
  },
  'set the clock of a control plane wrong': (context) => {
    const { process, clock } = oneOf(context.random, context.lab.controlPlanes)
    return wrongClock(context, process.name, clock, withinSignatureSeconds)
  },
  'set the clock of an agent wrong': (context) => {
    const { agent, clock } = anyHost(context)
    return wrongClock(context, agent.name, clock, 3600)
  },
  'set the clock of Redis back': (context) => {
    const { nodes } = context.lab.redis
    const seconds = between(context.random, 1, 300)
    const setBack = () => {
      for (const { clock } of nodes) clock?.set(clock.aheadSeconds - seconds)
    }
    // It stays so, as after a correction: a second jump would be one forward, by which a lease ends early.
    return strike(context, `clock of Redis, by ${seconds} s`, [3000, 8000], setBack, () => {})
  },
  'kill Redis and all control planes': (context) => {
    const all = [...context.lab.redis.nodes, ...context.lab.controlPlanes].map(({ process }) => process)
    const kill = async () => void (await Promise.all(all.map((each) => each.kill())))
    const start = async () => {
      for (const each of all) await each.start()
    }
    const names = all.map(({ name }) => name)
    return strike(context, names, [0, 4000], kill, start)
  },
} as const satisfies Readonly<Record<string, Fault>>

export type FaultName = keyof typeof faults

export const faultNames = Object.keys(faults) as readonly FaultName[]

/** Those that may end tasks which nobody asked to stop: by themselves, or since their host counts as lost. */
export const endTasks: ReadonlySet<FaultName> = new Set<FaultName>([
  'cut the power of a host',
  'fill the disk of Docker',
  'freeze a whole host',
  'freeze the agent',
  'kill a container',
  'lose packets from a host',
  'lose packets to a host',
  // By it, a host that is away has been so for long.
  'set the clock of a control plane wrong',
  'slow the link of a host',
  'unplug a host',
])

/** Lets everything run, and every packet through. */
export async function healAll({ redis, controlPlanes, hosts }: HostsLab): Promise<void> {
  for (const { clock } of [...controlPlanes, ...hosts]) clock?.set(0)
  for (const { disk } of redis.nodes) disk?.clear()
  for (const { group, disk, agentDisk } of hosts) {
    group.thaw()
    disk.clear()
    agentDisk.clear()
  }
  const services = [...redis.nodes, ...controlPlanes].map(({ process }) => process)
  const processes = [...services, ...hosts.map(({ agent }) => agent)]
  for (const process of [...processes, ...hosts.map(({ engine }) => engine.daemon)]) process.thaw()
  for (const { network } of [...redis.nodes, ...controlPlanes, ...hosts]) await network.heal()
  await Promise.all(hosts.map(({ engine }) => engine.start()))
  for (const process of processes) await process.start()
  for (const { sentinel } of redis.nodes) await sentinel?.start()
}

function wrongClock(context: FaultContext, name: string, clock: LabClock | undefined, mostSeconds: number): Strike {
  const seconds = between(context.random, 1, mostSeconds) * (chance(context.random, 0.5) ? 1 : -1)
  const set = (ahead: number) => () => clock?.set(ahead)
  return strike(context, `clock of ${name}, by ${seconds} s`, [2000, 10_000], set(seconds), set(0))
}

const anyHost = ({ lab, random }: FaultContext): LabHost => oneOf(random, lab.hosts)

/** The control plane that leads; any, while none says so. */
async function leaderOf({ lab, random }: FaultContext): Promise<LabControlPlane> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const leading = await Promise.all(lab.controlPlanes.map(isLeading))
    const leader = lab.controlPlanes[leading.indexOf(true)]
    if (leader) return leader
    await wait(200)
  }
  return oneOf(random, lab.controlPlanes)
}

async function isLeading({ endpoint }: LabControlPlane): Promise<boolean> {
  try {
    const answer = await fetch(`${endpoint}/_berth/health`, { signal: AbortSignal.timeout(1000) })
    return ((await answer.json()) as { leading?: boolean }).leading === true
  } catch {
    return false
  }
}

function strike(
  { random }: FaultContext,
  things: string | readonly string[],
  [least, most]: readonly [number, number],
  begin: () => Promise<void> | void,
  end: () => Promise<void> | void,
): Strike {
  const all = typeof things === 'string' ? [things] : things
  return { target: all.join(', '), things: all, lastsMs: between(random, least, most), begin, end }
}
