/** A task that an answered RunTask named. */
export interface StartedTask {
  readonly arn: string
  readonly operation: string
}

/** What the clients of a run have been told, and what they cannot know. */
export interface Ledger {
  readonly started: Map<string, StartedTask>
  /** How many tasks each RunTask was answered with, by the name that it gave them (`startedBy`). */
  readonly operations: Map<string, number>
  /** Tasks whose StopTask was answered. */
  readonly stopped: Set<string>
  /** What each service's desired count may be: the last that was answered, and later ones that may or may not have happened. */
  readonly desiredCounts: Map<string, Set<number>>
  /** Answers of each kind, and those that never came. */
  readonly counts: { answered: number; refused: number; unanswered: number }
}

export const ledger = (): Ledger => ({
  started: new Map(),
  operations: new Map(),
  stopped: new Set(),
  desiredCounts: new Map(),
  counts: { answered: 0, refused: 0, unanswered: 0 },
})
