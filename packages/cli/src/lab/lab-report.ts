import type { Fullness } from './fleet-view.ts'
import type { Spread } from './percentiles.ts'
import type { ProcessUsage } from './process-usage.ts'

/** The lab at one moment. Counts are totals since its start. */
export interface Sample {
  /** Since the first step, in ms. */
  readonly atMs: number
  /** Tasks that hosts were given. */
  readonly placed: number
  readonly started: number
  readonly ended: number
  readonly refused: number
  readonly hostsConnected: number
  /** As the control plane counts them, on hosts that are connected. */
  readonly running: number
  readonly pending: number
  readonly fullness: Fullness
  /** From createdAt to startedAt, in ms, of some of the tasks that started since the last sample. */
  readonly timeToRunning: Spread
  readonly controlPlane?: ProcessUsage
  readonly redis?: ProcessUsage
  readonly workers: ProcessUsage
}

/** A step, once it is over. */
export interface StepReport {
  readonly name: string
  readonly fromMs: number
  readonly toMs: number
  /** What came of it, where there is something to say. */
  readonly note: string
  readonly succeeded: boolean
}

/** Where the time of a task goes until it is RUNNING, in ms: over a sample of all tasks. */
export interface TaskTimes {
  /** From createdAt to startedAt. */
  readonly toRunning: Spread
  /** From createdAt until its host begins to pull. */
  readonly toHost: Spread
  readonly pulling: Spread
  /** From the end of the pull until the control plane's record has it RUNNING. */
  readonly starting: Spread
}

/** What a run of the lab has shown. */
export interface LabReport {
  readonly title: string
  readonly seed: number
  readonly hosts: number
  readonly startedAt: string
  readonly tookMs: number
  /** Whether every step did what it was to do. */
  readonly whole: boolean
  readonly steps: readonly StepReport[]
  readonly placed: number
  readonly started: number
  readonly ended: number
  /** Most in one second. */
  readonly peakPlacedPerSecond: number
  readonly peakStartedPerSecond: number
  readonly times: TaskTimes
  /** Looks that the control plane could not answer, and that were tried again. */
  readonly unanswered: number
  /** How often tasks were refused, by reason. */
  readonly refusals: Readonly<Record<string, number>>
  readonly fullness: Fullness
  /** CPU since the first step, and the most memory; absent for a control plane that was given. */
  readonly controlPlane?: ProcessUsage
  readonly redis?: ProcessUsage
  readonly workers: ProcessUsage
  readonly samples: readonly Sample[]
}

/** A rate between each sample and the one before, per second. */
export const ratesOf = (samples: readonly Sample[], count: (sample: Sample) => number): number[] =>
  samples.map((sample, index) => {
    const before = samples[index - 1]
    if (before === undefined || sample.atMs <= before.atMs) return 0
    return Math.max(0, ((count(sample) - count(before)) * 1000) / (sample.atMs - before.atMs))
  })
