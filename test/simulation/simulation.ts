import { randomBelow, seededRandom, type Random } from '@berth/shared/random.ts'
import { type VirtualClock, virtualClock } from '@berth/shared/virtual-clock.ts'
import type { FakeScript } from '@berth/agent/runtime/fake/fake-script.ts'
import { defaultControlPlaneSettings } from '@berth/control-plane/control-plane-deps.ts'
import { type CallFate, memoryStore, type StoreOperation } from '@berth/control-plane/store/memory/memory-store.ts'
import { type MemoryWorld, memoryWorld } from '@berth/control-plane/store/memory/memory-world.ts'
import type { CommitBatch, CommitOutcome, Store } from '@berth/control-plane/store/store.ts'
import { happens } from './choice.ts'
import { type Answer, call } from './client.ts'
import { images } from './definitions.ts'
import { followStore, type Senders } from './durable-records.ts'
import { type History, history } from './history.ts'
import {
  grantedPortsAreFree,
  hostPortsAreGrantedOnce,
  hostsHoldTheirClaims,
  hostsHoldTheirContainers,
} from './invariants/capacity.ts'
import { fleetEqualsRecords, memoryEqualsStore } from './invariants/cell-state.ts'
import { onlyTheLeaderWrites, placementIsFinal, statusMovesForward } from './invariants/commits.ts'
import {
  containersFollowDurableDecisions,
  containersStartOnce,
  hostsForgetTheEnded,
  hostsStopOnlyWhatTheyAreTold,
  oneContainerForEachName,
  onlyLivingTasksRun,
  runningTasksRun,
  stoppedTasksRunNothing,
} from './invariants/containers.ts'
import {
  servicesKeepTheirCounts,
  startedTasksExist,
  stoppedTasksStaySo,
  stopsHaveEnded,
} from './invariants/promises.ts'
import { decisionKeepsPercentages, movesAreOver, servicesAreSteady, successorsRan } from './invariants/services.ts'
import { gangsStartWhole, whoeverFitsHasStarted } from './invariants/queue.ts'
import type { Invariant, View } from './invariants/view.ts'
import { ledger } from './ledger.ts'
import { Network } from './network.ts'
import type { Plant } from './plants.ts'
import { experiencesOf } from './experiences-of.ts'
import { Tally } from './tally.ts'
import { type SimulatedControlPlane, startSimulatedControlPlane } from './simulated-control-plane.ts'
import { type SimulatedHost, simulatedHost } from './simulated-host.ts'

/** What holds at every moment, whatever happens. */
const always: readonly Invariant[] = [
  hostsHoldTheirClaims,
  hostPortsAreGrantedOnce,
  grantedPortsAreFree,
  hostsHoldTheirContainers,
  oneContainerForEachName,
  containersStartOnce,
  containersFollowDurableDecisions,
  stoppedTasksRunNothing,
  startedTasksExist,
  stoppedTasksStaySo,
  servicesKeepTheirCounts,
  hostsStopOnlyWhatTheyAreTold,
  gangsStartWhole,
]

/** What holds once nothing has gone wrong for a while. */
const inTheEnd: readonly Invariant[] = [
  servicesAreSteady,
  movesAreOver,
  stopsHaveEnded,
  onlyLivingTasksRun,
  runningTasksRun,
  hostsForgetTheEnded,
]

/** Something that must never be the case, was. */
export class InvariantBroken extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'InvariantBroken'
  }
}

/** What goes wrong with the store at the moment. */
export interface StoreFaults {
  away: boolean
  answerLoss: number
  slowestMs: number
  /** A process whose way to the store is so long, in ms, that its lease may end while a commit is on it. */
  detour: { readonly address: string; readonly slowestMs: number } | undefined
}

const settings = { ...defaultControlPlaneSettings, restartThrottle: { baseMs: 1000, maxMs: 20_000 } }
const addresses = ['control-plane-a', 'control-plane-b'] as const

/**
 * A whole cell on virtual time: a store, control planes that contend for it, hosts with their agents and engines, and a network between
 * them. Everything is real but for what stands at its edges, and all chance comes from one seed.
 */
export class Simulation {
  readonly clock: VirtualClock = virtualClock()
  readonly random: Random
  readonly history: History
  readonly network: Network
  readonly hosts: readonly SimulatedHost[]
  readonly planes: SimulatedControlPlane[]
  readonly storeFaults: StoreFaults = { away: false, answerLoss: 0, slowestMs: 4, detour: undefined }
  /** Images that cannot be pulled at the moment. */
  readonly missingImages = new Set<string>()
  readonly ledger = ledger()
  readonly tally = new Tally()
  readonly #storeWorld = memoryWorld()
  readonly #durable = followStore(this.#storeWorld)
  readonly #everStored = new Set<string>()
  readonly #senders: Senders = new WeakMap()
  readonly #plant: Plant | undefined
  #broken: string | undefined
  #looked = ''

  constructor(seed: number, hosts: number, plant: Plant | undefined) {
    this.random = seededRandom(seed)
    this.history = history(this.clock)
    this.network = new Network(this.clock, this.random, this.tally)
    this.#plant = plant
    this.#watchCommits()
    this.planes = addresses.map((address) => this.#startPlane(address))
    this.hosts = Array.from({ length: hosts }, (_, index) =>
      simulatedHost(index, {
        clock: this.clock,
        random: this.random,
        network: this.network,
        servers: addresses,
        script: this.#script(),
        plant,
        tally: this.tally,
      }),
    )
  }

  get records() {
    return this.#durable.tables
  }

  get view(): View {
    return {
      records: this.#durable.tables,
      hosts: this.hosts,
      ledger: this.ledger,
      everStored: this.#everStored,
      now: this.clock.now(),
    }
  }

  /** The process that leads, if any knows that it does. */
  get leader(): SimulatedControlPlane | undefined {
    return this.planes.find(({ leading }) => leading)
  }

  /** Lets time pass, looking at everything whenever something happened. @throws InvariantBroken */
  async pass(ms: number): Promise<void> {
    const end = this.clock.now() + ms
    for (let next = this.clock.nextTimer(); next !== undefined && next <= end; next = this.clock.nextTimer()) {
      await this.clock.advanceTo(next)
      this.#look()
    }
    await this.clock.advanceTo(end)
    this.#look()
  }

  /** Calls an operation and goes on without waiting for its answer. */
  call<Op extends Parameters<typeof call>[2]>(
    plane: SimulatedControlPlane,
    operation: Op,
    input: Parameters<typeof call<Op>>[3],
    then: (answer: Answer<Op>) => void = () => {},
  ): void {
    const answered = (answer: Answer<Op>) => {
      if (answer.kind === 'unknown') this.tally.add('a caller could not know what happened')
      if (answer.kind === 'refused') this.tally.add('a request was refused')
      then(answer)
    }
    call(plane, this.clock, operation, input).then(answered, (error: unknown) =>
      this.#break(`${operation}: ${String(error)}`),
    )
  }

  /** Ends a control plane as `kill -9` does, and starts another in its place after a while. */
  killPlane(index: number, downMs: number): void {
    const { process, address } = this.planes[index] as SimulatedControlPlane
    if (process.state === 'dead') return
    process.kill()
    this.network.processDied(process)
    this.clock.after(downMs, () => {
      this.planes[index] = this.#startPlane(address)
      this.history.note(`${address} starts again`)
    })
  }

  /** What does not hold yet of all that must in the end. */
  unsettled(): string | undefined {
    const { view, leader } = this
    if (!leader) return 'nobody leads'
    for (const holds of inTheEnd) {
      const problem = holds(view)
      if (problem !== undefined) return problem
    }
    const cell = leader.cell()
    return whoeverFitsHasStarted(cell) ?? memoryEqualsStore(cell, view) ?? fleetEqualsRecords(cell, view)
  }

  /** A reader was shown a status of a task. */
  sawStatus(check: string | undefined): void {
    if (check !== undefined) this.#break(check)
  }

  #break(problem: string): void {
    this.#broken ??= problem
  }

  #look(): void {
    const looked = this.#fingerprint()
    if (looked !== this.#looked) {
      this.#looked = looked
      const { view } = this
      for (const holds of always) {
        const problem = holds(view)
        if (problem !== undefined) this.#break(problem)
      }
    }
    if (this.#broken !== undefined) throw new InvariantBroken(this.#broken)
  }

  /** Differs whenever something that invariants look at may. */
  #fingerprint(): string {
    let states = `${this.#storeWorld.state.sequence} ${this.ledger.started.size} ${this.ledger.stopped.size}`
    for (const { world } of this.hosts)
      for (const { runtimeId, state, runs } of world.containers.values()) states += `${runtimeId}${state}${runs}`
    return states
  }

  #watchCommits(): void {
    const epochsGoUp = onlyTheLeaderWrites(this.#senders)
    this.#durable.onCommit((changes, entry) => {
      const problem = epochsGoUp(entry)
      if (problem !== undefined) this.#break(problem)
      for (const change of changes) {
        if (change.table === 'tasks' && change.after) this.#everStored.add(change.after.id)
        const wrong = statusMovesForward(change) ?? placementIsFinal(change) ?? successorsRan(change)
        if (wrong !== undefined) this.#break(wrong)
        for (const experience of experiencesOf(change)) this.tally.add(experience)
        this.#noteChange(change)
      }
    })
  }

  #noteChange(change: Parameters<typeof statusMovesForward>[0]): void {
    if (change.table === 'tasks' && change.after) {
      const { id, lastStatus, desiredStatus, hostId = '', group, stoppedReason = '' } = change.after
      const before = change.before
      if (before?.lastStatus === lastStatus && before.desiredStatus === desiredStatus) return
      this.history.note(
        `stored: task ${id.slice(0, 8)} of ${group} on ${hostId.slice(0, 4)} ${lastStatus}, to be ${desiredStatus}  ${stoppedReason}`,
      )
    } else if (change.table === 'hosts' && change.after) {
      const { id, agentHostId, status, agentConnected, lost, engineHealthy } = change.after
      this.history.note(
        `stored: host ${id.slice(0, 4)} (${agentHostId.slice(0, 4)}) ${status} connected=${agentConnected} lost=${lost} engine=${engineHealthy}`,
      )
    }
  }

  #startPlane(address: string): SimulatedControlPlane {
    const plane = startSimulatedControlPlane({
      clock: this.clock,
      random: this.random,
      store: this.#store(address),
      address,
      settings,
      plant: this.#plant,
      onLead: (cell) => {
        this.tally.add('a control plane took the lead')
        this.history.note(`${address} leads, epoch ${cell.fence.epoch}`)
        cell.onApplied((changes) => {
          const problem = decisionKeepsPercentages(changes, cell.tables, this.clock.now(), settings.settleMs)
          if (problem !== undefined) this.#break(problem)
        })
      },
    })
    this.network.listen(address, plane.server)
    return plane
  }

  #store(address: string): Store {
    const { storeFaults, random } = this
    const fate = (_operation: StoreOperation): CallFate => {
      if (storeFaults.away) return happens(random, 0.8) ? 'refused' : 'answer lost'
      return happens(random, storeFaults.answerLoss) ? 'answer lost' : 'done'
    }
    const delayMs = () => {
      const { slowestMs, detour } = storeFaults
      return randomBelow(random, detour?.address === address ? detour.slowestMs : slowestMs)
    }
    const store = memoryStore({ clock: this.clock, world: this.#storeWorld, faults: { fate, delayMs } })
    const world = this.#storeWorld
    return {
      ...store,
      commit: (batch) => {
        this.#senders.set(batch.changes, batch.fence)
        if (this.#plant !== 'fence') return this.#countFenced(store.commit(batch))
        return store.commit(unfenced(batch, world))
      },
    }
  }

  async #countFenced(commit: Promise<CommitOutcome>): Promise<CommitOutcome> {
    const outcome = await commit
    if (outcome.kind === 'fenced') this.tally.add('a late commit was fenced')
    return outcome
  }

  #script(): FakeScript {
    return {
      image: (reference) =>
        this.missingImages.has(reference) ? { pullError: `pull access denied for ${reference}` } : {},
      program: (_, image) => {
        if (image === images.job) return { runMs: [50, 8000], exitCode: 0 }
        if (image === images.slow) return { createMs: [10, 400], startMs: [100, 3000], stopMs: [100, 8000] }
        return {}
      },
    }
  }
}

/** A batch that has the fence and the number that the store will want of it, whoever sent it. They are read when it arrives. */
const unfenced = (batch: CommitBatch, { state }: MemoryWorld): CommitBatch => ({
  changes: batch.changes,
  get fence() {
    return { epoch: state.epoch, holder: state.holder }
  },
  get sequence() {
    return state.sequence + 1
  },
})
