import { startAgent, type RunningAgent } from '@berth/agent/agent.ts'
import { defaultEngineOptions } from '@berth/agent/engine/engine-deps.ts'
import { memoryDisk } from '@berth/agent/journal/memory-journal.ts'
import type { ContainerRuntime } from '@berth/agent/runtime/container-runtime.ts'
import { fakeRuntime } from '@berth/agent/runtime/fake/fake-runtime.ts'
import type { FakeScript } from '@berth/agent/runtime/fake/fake-script.ts'
import { FakeWorld } from '@berth/agent/runtime/fake/fake-world.ts'
import { type Clock, sleep } from '@berth/shared/clock.ts'
import { silentLog } from '@berth/shared/log.ts'
import { type Random, randomBelow } from '@berth/shared/random.ts'
import type { VirtualClock } from '@berth/shared/virtual-clock.ts'
import type { Network } from './network.ts'
import type { Plant } from './plants.ts'
import { type SlowDiskJournal, openSlowDiskJournal } from './slow-disk-journal.ts'
import type { Tally } from './tally.ts'
import { type SimulatedProcess, simulatedProcess } from './simulated-process.ts'

/** What every host of a simulation has: so little that three of them fill up. */
export const hostCapacity = {
  cpu: 1024,
  memoryMib: 2048,
  networkInterfaces: 3,
  dynamicPorts: { first: 50_000, last: 50_007 },
}

const attributes = [
  'com.amazonaws.ecs.capability.docker-remote-api.1.18',
  'com.amazonaws.ecs.capability.docker-remote-api.1.21',
  'com.amazonaws.ecs.capability.docker-remote-api.1.24',
  'ecs.capability.container-health-check',
  'ecs.capability.container-ordering',
  'ecs.capability.task-cpu-mem-limit',
  'ecs.capability.task-eni',
]

/** One machine: its engine and its disk outlive the agent, which can be killed and started again. */
export interface SimulatedHost {
  readonly name: string
  readonly world: FakeWorld
  readonly agent: RunningAgent | undefined
  start(): void
  /** Ends the agent as `kill -9` does. */
  kill(): void
}

export interface SimulatedHostDeps {
  readonly clock: VirtualClock
  readonly random: Random
  readonly network: Network
  readonly servers: readonly string[]
  readonly script: FakeScript
  readonly plant: Plant | undefined
  readonly tally: Tally
}

export function simulatedHost(index: number, deps: SimulatedHostDeps): SimulatedHost {
  const { clock, random, network, servers, script, plant, tally } = deps
  const name = `host-${index}`
  const address = `10.0.0.${index + 1}`
  const world = new FakeWorld({ clock, random, script })
  const disk = memoryDisk()
  let running: { agent: RunningAgent; process: SimulatedProcess; journal: SlowDiskJournal } | undefined

  const describe = async () => ({
    dockerVersion: '29.0.0',
    resources: {
      ...hostCapacity,
      reservedTcpPorts: [],
      reservedUdpPorts: [],
      gpuIds: [],
      custom: {},
    },
    attributes: [
      ...attributes.map((attribute) => ({ name: attribute })),
      { name: 'ecs.availability-zone', value: `us-east-1${'abc'[index % 3]}` },
      { name: 'ecs.cpu-architecture', value: 'x86_64' },
    ],
    address,
  })

  const start = () => {
    const process = simulatedProcess(clock)
    const journal = openSlowDiskJournal(disk, process.clock, random)
    const runtime = withSlowLooks(fakeRuntime(world, name), process.clock, random)
    const agent = startAgent(
      {
        session: { servers, cluster: 'default', token: '', offersFargate: true, agentVersion: '1.0.0', agentHash: '' },
        engine: { ...defaultEngineOptions, hostAddress: address, cleanupWaitMs: 60_000 },
      },
      {
        runtime: plant === 'container names' ? withNamesOfChance(runtime, random) : runtime,
        journal,
        transport: network.transportOf(name, process),
        clock: process.clock,
        random,
        log: silentLog,
        describe,
      },
    )
    agent.ended.catch(() => {})
    running = { agent, process, journal }
  }
  start()

  return {
    name,
    world,
    get agent() {
      return running?.agent
    },
    start() {
      if (running) return
      const isBusy = Array.from(world.containers.values()).some(({ state }) => state === 'running')
      if (isBusy) tally.add('an agent restarted among running containers')
      start()
    },
    kill() {
      if (!running) return
      const { agent, process, journal } = running
      running = undefined
      if (Array.from(world.containers.values()).some(({ starting }) => starting !== undefined))
        tally.add('an agent died while a start was on its way to the engine')
      if (journal.crash() > 0) tally.add('a journal lost what was not confirmed')
      process.kill()
      agent.engine.stop()
      network.processDied(process)
    },
  }
}

/** Longest time that a list or a look takes from the engine to the agent, in ms. */
const slowestLookMs = { list: 1500, inspect: 100 }

/** A runtime whose words are old when they arrive, as those of a busy engine. */
const withSlowLooks = (runtime: ContainerRuntime, clock: Clock, random: Random): ContainerRuntime => ({
  ...runtime,
  async list(signal) {
    const snapshots = await runtime.list(signal)
    await sleep(clock, randomBelow(random, slowestLookMs.list), signal)
    return snapshots
  },
  async inspect(runtimeId, signal) {
    const snapshot = await runtime.inspect(runtimeId, signal)
    await sleep(clock, randomBelow(random, slowestLookMs.inspect), signal)
    return snapshot
  },
})

const withNamesOfChance = (runtime: ContainerRuntime, random: Random): ContainerRuntime => ({
  ...runtime,
  create(container, signal) {
    const runtimeName = `${container.identity.runtimeName}-${random.uint32()}`
    return runtime.create({ ...container, identity: { ...container.identity, runtimeName } }, signal)
  },
})
