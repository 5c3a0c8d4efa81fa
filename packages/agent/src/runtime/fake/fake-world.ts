import { type Clock, sleep } from '@berth/shared/clock.ts'
import { type Random, randomFloat, randomHex } from '@berth/shared/random.ts'
import { type ContainerCreate, type ContainerEvent, type PulledImage, RuntimeError } from '../container-runtime.ts'
import type { FakeContainer, PlayedContainer } from './fake-container.ts'
import {
  drawDuration,
  drawRun,
  type FakeDuration,
  type FakeProgram,
  type FakeScript,
  fakeScript,
  quietImage,
  quietProgram,
} from './fake-script.ts'

/** What goes wrong with the engine of a fake world; can be changed at any time. */
export interface FakeFaults {
  /** The engine is down: nothing is done, everything fails, events are lost. */
  away: boolean
  /** The engine takes calls and never answers. */
  hung: boolean
  /** How likely an event is lost, and how likely an answer, after the deed was done: from 0 to 1. */
  eventLoss: number
  answerLoss: number
  /** How long an answer is on its way: what it says may be out of date when it arrives. */
  answerMs: FakeDuration
}

export interface FakeWorldOptions {
  readonly clock: Clock
  readonly random: Random
  readonly script?: FakeScript
  /** Cores and MiB of its machine. */
  readonly cpus?: number
  readonly memoryMib?: number
}

/** How long a call to a hung engine is waited for: about as long as the Docker runtime does. */
const patienceMs = 60_000

interface Watcher {
  readonly hostId: string
  readonly onEvent: (event: ContainerEvent) => void
  readonly onGap: () => void
}

/**
 * The containers, images and volumes of one engine that does not exist. It outlives the runtimes that look at it, as Docker
 * outlives the agent, and goes on by itself on the clock that it was given.
 */
export class FakeWorld {
  readonly containers = new Map<string, FakeContainer>()
  readonly images = new Map<string, PulledImage>()
  readonly volumes = new Set<string>()
  readonly faults: FakeFaults = { away: false, hung: false, eventLoss: 0, answerLoss: 0, answerMs: 0 }
  readonly watchers = new Set<Watcher>()
  readonly clock: Clock
  readonly cpus: number
  readonly memoryMib: number
  readonly #random: Random
  readonly #script: FakeScript
  readonly #byName = new Map<string, FakeContainer>()
  /** What a script has said, completed: where it says the same thing of thousands, it is the same object. */
  readonly #programs = new WeakMap<Partial<FakeProgram>, FakeProgram>()
  readonly #hanging = new Set<(error: Error) => void>()
  #addresses = 0

  constructor({ clock, random, script = fakeScript(), cpus = 8, memoryMib = 32_768 }: FakeWorldOptions) {
    this.clock = clock
    this.cpus = cpus
    this.memoryMib = memoryMib
    this.#random = random
    this.#script = script
  }

  /** The engine goes down or hangs; its containers run on. */
  breakEngine(how: 'away' | 'hung'): void {
    this.faults[how] = true
  }

  /** The engine is there again, and those who watched it learn that they missed something. */
  mendEngine(): void {
    this.faults.away = this.faults.hung = false
    for (const fail of this.#hanging) fail(unavailable())
    this.#hanging.clear()
    for (const watcher of this.watchers) watcher.onGap()
  }

  /** Ends a container from outside, as `docker kill` does. */
  kill(runtimeId: string, exitCode = 137): void {
    const container = this.containers.get(runtimeId)
    if (container) this.#exit(container, exitCode, false)
  }

  /** A call that a hung engine took: it fails when its caller's patience ends, or when the engine is mended. */
  hang(): Promise<never> {
    return new Promise((_resolve, reject) => {
      this.#hanging.add(reject)
      this.clock.after(patienceMs, () => {
        this.#hanging.delete(reject)
        reject(new RuntimeError('timeout', `The container engine has not answered for ${patienceMs / 1000} s.`))
      })
    })
  }

  /** Does something after a while, whoever asked for it may be gone by then; says what came of it, or that nothing did. */
  perform<T>(afterMs: number, effect: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          if (this.faults.away) throw unavailable()
          const result = effect()
          if (this.#happens(this.faults.answerLoss)) throw unavailable()
          resolve(this.faults.hung ? this.hang() : result)
        } catch (error) {
          reject(error)
        }
      }
      if (afterMs > 0) this.clock.after(afterMs, run)
      else run()
    })
  }

  /** Holds an answer back for as long as it is on its way. */
  deliver<T>(answer: Promise<T>): Promise<T> {
    return this.faults.answerMs === 0 ? answer : this.#deliverLate(answer)
  }

  async #deliverLate<T>(answer: Promise<T>): Promise<T> {
    const result = await answer
    const delayMs = drawDuration(this.faults.answerMs, this.#random)
    if (delayMs > 0) await sleep(this.clock, delayMs)
    return result
  }

  /** How long an image takes to pull, in ms. @throws RuntimeError `refused` for one that cannot be. */
  pullMs(reference: string): number {
    const image = { ...quietImage, ...this.#script.image(reference) }
    if (image.pullError !== '') throw new RuntimeError('refused', image.pullError)
    return drawDuration(image.pullMs, this.#random)
  }

  imageOf(reference: string): PulledImage {
    const present = this.images.get(reference)
    if (present) return present
    const made = { imageId: `sha256:${randomHex(this.#random, 64)}`, digest: `sha256:${randomHex(this.#random, 64)}` }
    const image = this.#script.image(reference).hasDigest === true ? made : { ...made, digest: '' }
    this.images.set(reference, image)
    return image
  }

  /** The reference or id of an image that is present. */
  presentImage(referenceOrId: string): { reference: string; image: PulledImage } | undefined {
    const named = this.images.get(referenceOrId)
    if (named) return { reference: referenceOrId, image: named }
    for (const [reference, image] of this.images) if (image.imageId === referenceOrId) return { reference, image }
    return undefined
  }

  createMs(wanted: ContainerCreate): number {
    return drawDuration(this.#programOf(wanted).createMs, this.#random)
  }

  /** Makes a container, or finds it. @throws RuntimeError `name-taken`, `not-found`. */
  create(wanted: ContainerCreate, hostId: string): string {
    const { runtimeName, taskArn } = wanted.identity
    const holder = this.#byName.get(runtimeName)
    if (holder?.hostId === hostId && holder.wanted.identity.taskArn === taskArn) return holder.runtimeId
    if (holder) throw new RuntimeError('name-taken', `The container name "${runtimeName}" is already in use.`)
    const present = this.presentImage(wanted.image)
    if (!present) throw new RuntimeError('not-found', `No such image: ${wanted.image}`)
    const container: FakeContainer = {
      runtimeId: randomHex(this.#random, 64),
      hostId,
      wanted: played(wanted),
      program: this.#programOf(wanted),
      imageId: present.image.imageId,
      state: 'created',
      exitCode: undefined,
      oomKilled: false,
      error: '',
      health: 'UNKNOWN',
      startedAt: undefined,
      finishedAt: undefined,
      address: undefined,
      runs: 0,
      starting: undefined,
      timers: undefined,
      onExit: undefined,
    }
    this.containers.set(container.runtimeId, container)
    this.#byName.set(runtimeName, container)
    this.#tell(container, { kind: 'created' })
    return container.runtimeId
  }

  /** Starts a container; a start that is under way is joined. */
  start(container: FakeContainer): Promise<void> {
    if (container.state === 'running') return Promise.resolve()
    container.starting ??= this.#startOnce(container)
    return container.starting
  }

  async #startOnce(container: FakeContainer): Promise<void> {
    try {
      await this.perform(drawDuration(container.program.startMs, this.#random), () => this.#run(container))
    } finally {
      container.starting = undefined
    }
  }

  /** Sends the stop signal, and kills after `timeoutMs`. Resolves at the container's end. */
  stop(container: FakeContainer, timeoutMs: number): Promise<void> {
    if (container.state !== 'running') return Promise.resolve()
    const { program } = container
    const stopMs = drawDuration(program.stopMs, this.#random)
    return new Promise((resolve) => {
      ;(container.onExit ??= new Set()).add(resolve)
      if (timeoutMs <= 0) return this.#exit(container, 137, false)
      if (stopMs < Infinity) this.#later(container, stopMs, () => this.#exit(container, program.stopExitCode, false))
      return this.#later(container, timeoutMs, () => this.#exit(container, 137, false))
    })
  }

  remove(container: FakeContainer): void {
    this.#exit(container, 137, false)
    if (!this.containers.delete(container.runtimeId)) return
    this.#byName.delete(container.wanted.identity.runtimeName)
    this.#tell(container, { kind: 'removed' })
  }

  #run(container: FakeContainer): void {
    if (!this.containers.has(container.runtimeId)) throw new RuntimeError('not-found', 'No such container.')
    this.#refuseTakenPorts(container)
    const { program } = container
    if (program.startError !== '') {
      container.error = program.startError
      container.state = 'created'
      throw new RuntimeError('refused', program.startError)
    }
    container.state = 'running'
    container.runs += 1
    container.error = ''
    container.startedAt = this.clock.now()
    container.exitCode = container.finishedAt = undefined
    const { kind } = container.wanted.network
    if (kind === 'task' || kind === 'bridge') container.address = this.#nextAddress()
    this.#tell(container, { kind: 'started' })
    const run = drawRun(program, this.#random)
    if (run.afterMs < Infinity)
      this.#later(container, run.afterMs, () => this.#exit(container, run.exitCode, run.oomKilled))
    const healthyAfterMs = drawDuration(program.healthyAfterMs, this.#random)
    if (container.wanted.healthCheck && healthyAfterMs < Infinity)
      this.#later(container, healthyAfterMs, () => this.#becomeHealthy(container))
  }

  #refuseTakenPorts(container: FakeContainer): void {
    const key = (port: ContainerCreate['ports'][number]) => `${port.hostIp}:${port.hostPort}/${port.protocol}`
    const wanted = new Set(container.wanted.ports.map(key))
    if (wanted.size === 0) return
    for (const other of this.containers.values()) {
      const taken = other.state === 'running' ? other.wanted.ports.map(key).find((port) => wanted.has(port)) : undefined
      if (taken) throw new RuntimeError('port-taken', `Bind for ${taken} failed: port is already allocated`)
    }
  }

  #becomeHealthy(container: FakeContainer): void {
    container.health = 'HEALTHY'
    this.#tell(container, { kind: 'health', health: 'HEALTHY' })
  }

  #exit(container: FakeContainer, exitCode: number, oomKilled: boolean): void {
    if (container.state !== 'running') return
    for (const cancel of container.timers ?? []) cancel()
    container.timers = undefined
    container.state = 'exited'
    container.exitCode = exitCode
    container.oomKilled = oomKilled
    container.finishedAt = this.clock.now()
    container.address = undefined
    const waiting = [...(container.onExit ?? [])]
    container.onExit = undefined
    this.#tell(container, { kind: 'died', exitCode })
    for (const resolve of waiting) resolve()
  }

  #later(container: FakeContainer, ms: number, happen: () => void): void {
    const cancel = this.clock.after(ms, () => {
      container.timers?.delete(cancel)
      happen()
    })
    ;(container.timers ??= new Set()).add(cancel)
  }

  #tell(container: FakeContainer, what: Pick<ContainerEvent, 'kind' | 'exitCode' | 'health'>): void {
    const { taskArn, containerName } = container.wanted.identity
    const event = { runtimeId: container.runtimeId, taskArn, containerName, ...what }
    for (const watcher of this.watchers) {
      if (watcher.hostId !== container.hostId || this.faults.away || this.faults.hung) continue
      if (!this.#happens(this.faults.eventLoss)) watcher.onEvent(event)
    }
  }

  #programOf(wanted: ContainerCreate): FakeProgram {
    const said = this.#script.program(wanted, this.presentImage(wanted.image)?.reference ?? wanted.image)
    const known = this.#programs.get(said)
    if (known) return known
    const program = { ...quietProgram, ...said }
    this.#programs.set(said, program)
    return program
  }

  #happens(rate: number): boolean {
    return rate > 0 && randomFloat(this.#random) < rate
  }

  #nextAddress(): string {
    const number = ++this.#addresses
    return `10.88.${(number >> 8) & 255}.${number & 255}`
  }
}

const played = (wanted: ContainerCreate): PlayedContainer => {
  const { identity, ports, network, cpuShares, healthCheck, memoryMib, memoryReservationMib } = wanted
  return {
    identity,
    ports,
    network,
    cpuShares,
    ...(healthCheck && { healthCheck }),
    ...(memoryMib !== undefined && { memoryMib }),
    ...(memoryReservationMib !== undefined && { memoryReservationMib }),
  }
}

export const unavailable = (): RuntimeError => new RuntimeError('unavailable', 'The container engine does not answer.')
