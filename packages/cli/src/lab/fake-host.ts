import { type RunningAgent, startAgent } from '@berth/agent/agent.ts'
import { defaultEngineOptions } from '@berth/agent/engine/engine-deps.ts'
import { capabilities } from '@berth/agent/host/capabilities.ts'
import { ensureIdentity } from '@berth/agent/journal/host-identity.ts'
import type { JournalRecord } from '@berth/agent/journal/journal-record.ts'
import type { Journal } from '@berth/agent/journal/journal.ts'
import { memoryDisk, openMemoryJournal } from '@berth/agent/journal/memory-journal.ts'
import { fakeRuntime } from '@berth/agent/runtime/fake/fake-runtime.ts'
import type { FakeScript } from '@berth/agent/runtime/fake/fake-script.ts'
import { FakeWorld } from '@berth/agent/runtime/fake/fake-world.ts'
import type { HostDescription } from '@berth/agent/session/session-options.ts'
import type { Clock } from '@berth/shared/clock.ts'
import { revision, version } from '@berth/shared/release.ts'
import { silentLog } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import { type CuttableWire, cuttableWire } from './cuttable-wire.ts'
import { plainTransports, type TransportOfHost } from './lab-trust.ts'
import { withSharedWords } from './shared-words.ts'
import type { FakeHostPlan, WorkerSetup } from './worker-messages.ts'

export interface FakeHostDeps {
  readonly clock: Clock
  readonly random: Random
  readonly setup: WorkerSetup
  /** How it reaches the control plane; over plain connections where nothing is said. */
  readonly transportOf?: TransportOfHost | undefined
  readonly script: FakeScript
  readonly onAssigned: (tasks: number) => void
  readonly onStarted: (taskArn: string) => void
  readonly onEnded: () => void
}

/** The container of every task of the lab. */
export const labContainer = 'main'

/** Containers of stopped tasks are of no more use to anybody, and their memory is. */
const cleanupWaitMs = 60_000

/**
 * A host that does not exist: the agent's own session and engine, on a journal in memory, an engine that only plays, and a
 * connection of its own which can be cut.
 */
export class FakeHost {
  readonly plan: FakeHostPlan
  readonly #deps: FakeHostDeps
  readonly #world: FakeWorld
  readonly #disk = memoryDisk()
  /** Once it has started for the first time. */
  #wire: CuttableWire | undefined
  readonly #joined = Promise.withResolvers<void>()
  #agent: RunningAgent | undefined

  constructor(plan: FakeHostPlan, deps: FakeHostDeps) {
    const { clock, random, script } = deps
    this.plan = plan
    this.#deps = deps
    this.#world = new FakeWorld({ clock, random, script, cpus: plan.cpu / 1024, memoryMib: plan.memoryMib })
    this.#watch()
  }

  /** Resolves when a control plane has taken it in for the first time. */
  get joined(): Promise<void> {
    return this.#joined.promise
  }

  /** Gives it what it proves itself with, which takes milliseconds of CPU that hosts which run already would miss. */
  async prepare(): Promise<void> {
    const { clock, random, setup, transportOf = plainTransports(clock) } = this.#deps
    const { hostId } = await ensureIdentity(openMemoryJournal(this.#disk), random)
    this.#wire ??= cuttableWire(withSharedWords(await transportOf({ cluster: setup.cluster, hostId })), clock)
  }

  /** Starts its agent, with whatever its journal says. */
  async start(): Promise<void> {
    await this.prepare()
    const { clock, random, setup } = this.#deps
    const wire = this.#wire as CuttableWire
    const journal = openMemoryJournal(this.#disk)
    const agent = startAgent(
      {
        session: {
          servers: setup.servers,
          cluster: setup.cluster,
          token: setup.token,
          offersFargate: false,
          agentVersion: version,
          agentHash: revision,
        },
        engine: { ...defaultEngineOptions, hostAddress: addressOf(this.plan), cleanupWaitMs },
      },
      {
        runtime: fakeRuntime(this.#world, this.#worldId),
        journal: this.#counted(journal),
        transport: wire.transport,
        clock,
        random,
        log: silentLog,
        describe: async () => descriptionOf(this.plan),
      },
    )
    agent.ended.catch(() => undefined)
    this.#agent = agent
  }

  /** Its power goes: nothing more is heard of it, and what ran on it does not run any more. */
  async kill(): Promise<void> {
    this.#wire?.cut()
    const agent = this.#agent
    this.#agent = undefined
    if (agent === undefined) return
    await agent.stop()
    this.#endContainers()
    this.#world.breakEngine('away')
  }

  /** Its network goes: it runs on, and nobody hears of it. */
  partition(): void {
    this.#wire?.cut()
  }

  /** It has power and network again. */
  async return(): Promise<void> {
    this.#wire?.mend()
    if (this.#agent !== undefined) return
    this.#endContainers()
    this.#world.mendEngine()
    await this.start()
  }

  /** Leaves in order. */
  async stop(): Promise<void> {
    await this.#agent?.stop()
    this.#agent = undefined
  }

  get #worldId(): string {
    return String(this.plan.number)
  }

  #endContainers(): void {
    for (const { runtimeId } of this.#world.containers.values()) this.#world.kill(runtimeId)
  }

  #watch(): void {
    const { onStarted, onEnded } = this.#deps
    this.#world.watchers.add({
      hostId: this.#worldId,
      onEvent({ kind, taskArn, containerName }) {
        if (containerName !== labContainer) return
        if (kind === 'started') onStarted(taskArn)
        else if (kind === 'died') onEnded()
      },
      onGap() {},
    })
  }

  /** The journal, with its new tasks counted: a task in it is one that the host has taken on. What Welcome said is in it, too. */
  #counted(journal: Journal): Journal {
    const { onAssigned } = this.#deps
    const joined = this.#joined
    const appendAndTell = async (record: JournalRecord): Promise<void> => {
      const before = journal.state.tasks.size
      await journal.append(record)
      const added = journal.state.tasks.size - before
      if (record.kind === 'assignments' && added > 0) onAssigned(added)
      if (record.kind === 'identity' && record.identity.containerInstanceArn !== '') joined.resolve()
    }
    return {
      state: journal.state,
      // Results are what there is most of.
      append: (record) => (record.kind === 'result' ? journal.append(record) : appendAndTell(record)),
      close: () => journal.close(),
    }
  }
}

/** Made up: no port is ever bound. */
const addressOf = ({ number }: FakeHostPlan): string =>
  `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`

const engine = {
  version: '29.0.0-fake',
  liveRestore: true,
  operatingSystem: 'fake',
  architecture: 'x86_64',
  cpus: 1,
  memoryMib: 1,
  logDrivers: ['json-file'],
  volumeDrivers: ['local'],
}

const offered = capabilities(
  {
    disablePrivileged: false,
    taskCpuMemLimit: true,
    loggingDrivers: ['json-file', 'none'],
    selinuxCapable: false,
    apparmorCapable: false,
    efsServers: {},
    networkInterfaces: 0,
  },
  engine,
).map((name) => ({ name }))

const descriptionOf = (plan: FakeHostPlan): HostDescription => ({
  dockerVersion: engine.version,
  resources: {
    cpu: plan.cpu,
    memoryMib: plan.memoryMib,
    reservedTcpPorts: [],
    reservedUdpPorts: [],
    gpuIds: [],
    networkInterfaces: 0,
    dynamicPorts: { first: 49_153, last: 65_535 },
    custom: {},
  },
  attributes: [
    ...offered,
    { name: 'ecs.availability-zone', value: plan.zone },
    { name: 'ecs.cpu-architecture', value: 'x86_64' },
    { name: 'ecs.os-family', value: 'LINUX' },
    { name: 'ecs.os-type', value: 'linux' },
  ],
  address: addressOf(plan),
})
