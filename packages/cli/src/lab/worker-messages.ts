import type { LabTrust } from './lab-trust.ts'
import type { LabTask } from './scenario.ts'

/** How often a worker tells what it has seen, in ms. */
export const newsEveryMs = 500

/** How the lab's workers reach the control plane, and what they play. */
export interface WorkerSetup {
  /** `host:port`s that agents join at. */
  readonly servers: readonly string[]
  readonly token: string
  /** With it hosts prove themselves by certificates; without, by the token over plain connections. */
  readonly trust?: LabTrust | undefined
  readonly cluster: string
  readonly seed: number
  readonly tasks: Readonly<Record<string, LabTask>>
}

/** One fake host, as a worker is told of it. */
export interface FakeHostPlan {
  readonly number: number
  readonly zone: string
  readonly cpu: number
  readonly memoryMib: number
}

export type WorkerOrder =
  | { readonly kind: 'setup'; readonly setup: WorkerSetup }
  | { readonly kind: 'add'; readonly hosts: readonly FakeHostPlan[] }
  | { readonly kind: 'kill' | 'partition' | 'return'; readonly numbers: readonly number[] }
  | { readonly kind: 'stop' }

/** What a worker has seen since its last word. Counts are totals since its start. */
export interface WorkerNews {
  /** Tasks that hosts were given, each counted once. */
  readonly assigned: number
  /** When the last of them was, in ms since the epoch; 0 for never. */
  readonly lastAssignedAt: number
  /** Containers of tasks that started, and that ended. */
  readonly started: number
  readonly ended: number
  /** Some of the tasks that started since the last word, by ARN. */
  readonly startedTasks: readonly string[]
  readonly cpuSeconds: number
  readonly rssBytes: number
}
