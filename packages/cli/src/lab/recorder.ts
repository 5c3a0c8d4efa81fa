import { type Clock, sleep } from '@berth/shared/clock.ts'
import type { LabCluster } from './lab-cluster.ts'
import { type Fullness, fullnessOf, type HostView, viewFleet } from './fleet-view.ts'
import type { HostWorkers } from './host-workers.ts'
import type { Sample } from './lab-report.ts'
import { type Spread, spreadOf } from './percentiles.ts'
import type { ProcessUsage } from './process-usage.ts'
import { newsEveryMs } from './worker-messages.ts'
import { TaskClock } from './task-clock.ts'

export interface RecorderDeps {
  readonly clock: Clock
  readonly cluster: LabCluster
  readonly workers: HostWorkers
  /** Tasks that were refused so far. */
  readonly refused: () => number
  readonly onSample: (sample: Sample) => void
}

const everyMs = 1000
/** Looking at all hosts may take this part of the time, so that the lab is not the load that it measures. */
const lookingPart = 0.05

const noTimes = spreadOf([])
const nothingYet: Fullness = { cpu: 0, memory: 0, p10: 0, p50: 0, p90: 0, hostsUsed: 0, packingRatio: 0 }

/**
 * Takes a sample every second, from the workers, the API and /proc. What the API says may be older than the sample: asking it goes on
 * beside, since a control plane that is at its limit may answer late or not at all, and that is when samples are worth most.
 */
export class Recorder {
  readonly samples: Sample[] = []
  readonly taskClock: TaskClock
  readonly #deps: RecorderDeps
  readonly #began: number
  readonly #stopped = new AbortController()
  readonly #loop: Promise<void>
  #hosts: readonly HostView[] = []
  #fullness = nothingYet
  #lookAgainAt = 0
  /** The look that is under way. */
  #looking: Promise<readonly HostView[]> | undefined
  #learning: Promise<void> | undefined
  /** What was learnt of tasks since the last sample. */
  #learnt: Spread = noTimes

  constructor(deps: RecorderDeps) {
    this.#deps = deps
    this.#began = deps.clock.monotonic()
    this.taskClock = new TaskClock(deps.cluster.ecs, deps.cluster.cluster)
    this.#loop = this.#run()
    // Its failure is reported where it is awaited.
    this.#loop.catch(() => undefined)
  }

  /** Since the first step, in ms. */
  elapsedMs(): number {
    return this.#deps.clock.monotonic() - this.#began
  }

  /** The hosts as they are now, once a look that is under way is over: two at a time would only take each other's. */
  async look(): Promise<readonly HostView[]> {
    while (this.#looking !== undefined) await this.#looking.catch(() => undefined)
    this.#looking = this.#lookAtAll()
    try {
      return await this.#looking
    } finally {
      this.#looking = undefined
    }
  }

  /** Ends with one last sample. @throws what its look failed with. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#loop
    // The workers' last word is on its way.
    await sleep(this.#deps.clock, newsEveryMs * 2)
    await this.look()
    await this.#learning
    await this.#learn()
    this.#sample()
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps
    this.#sample()
    for (;;) {
      await sleep(clock, everyMs, this.#stopped.signal).catch(() => undefined)
      if (this.#stopped.signal.aborted) return
      // Without an answer the hosts stand as they were seen last, and are looked at again with the next sample.
      if (this.#looking === undefined && clock.monotonic() >= this.#lookAgainAt) this.look().catch(() => undefined)
      this.#learning ??= this.#learn().finally(() => (this.#learning = undefined))
      this.#sample()
    }
  }

  async #lookAtAll(): Promise<readonly HostView[]> {
    const { clock, cluster } = this.#deps
    const from = clock.monotonic()
    this.#hosts = await viewFleet(cluster.ecs, cluster.cluster)
    this.#fullness = fullnessOf(this.#hosts)
    this.#lookAgainAt = clock.monotonic() + (clock.monotonic() - from) / lookingPart
    return this.#hosts
  }

  /** Without an answer the tasks that were asked about are left out of the times. */
  async #learn(): Promise<void> {
    const learnt = await this.taskClock.learn(this.#deps.workers.takeStartedTasks()).catch(() => noTimes)
    this.#learnt = learnt
  }

  #sample(): void {
    const { workers, cluster, refused, onSample } = this.#deps
    const timeToRunning = this.#learnt
    this.#learnt = noTimes
    const { assigned, started, ended, cpuSeconds, rssBytes } = workers.news()
    const connected = this.#hosts.filter((host) => host.connected)
    const sum = (figure: (host: HostView) => number): number =>
      connected.reduce((total, host) => total + figure(host), 0)
    const sample: Sample = {
      atMs: this.elapsedMs(),
      placed: assigned,
      started,
      ended,
      refused: refused(),
      hostsConnected: connected.length,
      running: sum(({ running }) => running),
      pending: sum(({ pending }) => pending),
      fullness: this.#fullness,
      timeToRunning,
      ...cluster.usage(),
      workers: { cpuSeconds, rssBytes },
    }
    this.samples.push(sample)
    onSample(sample)
  }
}

/** What was taken between the first and the last sample, and the most memory of any. */
export function usageOver(samples: readonly (ProcessUsage | undefined)[]): ProcessUsage | undefined {
  const seen = samples.filter((usage) => usage !== undefined)
  const first = seen[0]
  const last = seen.at(-1)
  if (first === undefined || last === undefined) return undefined
  return {
    cpuSeconds: last.cpuSeconds - first.cpuSeconds,
    rssBytes: Math.max(...seen.map(({ rssBytes }) => rssBytes)),
  }
}
