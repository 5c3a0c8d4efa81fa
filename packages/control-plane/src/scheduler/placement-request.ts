import type { CompiledConstraint } from './constraint.ts'
import type { Demand } from './demand.ts'
import type { Explanation } from './explanation.ts'
import type { StrategyStep } from './strategy.ts'

/** What is to be placed: `count` equal tasks. */
export interface PlacementRequest {
  readonly demand: Demand
  /** All that must hold: those of the task definition and those of the request or service, in one list. */
  readonly constraints: readonly CompiledConstraint[]
  /** The chain by which hosts are preferred; empty stands for packing by CPU and memory together. */
  readonly strategy: readonly StrategyStep[]
  /** What the task definition's `requiresAttributes` names. */
  readonly requiredAttributes: readonly { readonly name: string; readonly value?: string }[]
  /** `service:NAME`, `family:NAME` or the user's own: what `spread` counts and `distinctInstance` keeps apart. */
  readonly group: string
  /** How many tasks, at least 1. */
  readonly count: number
  /** The hosts that are asked: see `HostDescription.pools`. */
  readonly pool: string
  /** A further condition on hosts by id, where a pool is too coarse. Must not change while the request is decided. */
  readonly eligible?: (hostId: string) => boolean
  /**
   * Whether to explain what was placed too; what was not is always explained. An explanation looks at each host of the
   * pool once, which costs more than finding a place does.
   */
  readonly explainPlaced?: boolean
  /** Whether to leave out why some found no host, for whom nobody asks: explaining costs more than not finding one. */
  readonly unexplained?: boolean
}

/** Where one task is to go. */
export interface PlacedTask {
  readonly hostId: string
  /** The host's number in the fleet, as long as it is in it. */
  readonly slot: number
  /** As many host ports as the demand has `dynamicPorts`. */
  readonly dynamicPorts: readonly number[]
}

/** What was decided. Nothing is claimed yet: the caller does that, with the tasks' ids. */
export interface PlacementOutcome {
  readonly placed: readonly PlacedTask[]
  /** How many of the request's tasks found no host. */
  readonly unplaced: number
  /** Present when a task found no host, or the request has `explainPlaced`; never for one that is `unexplained`. */
  readonly explanation: Explanation | undefined
}
