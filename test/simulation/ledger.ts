/** What callers of the API have been promised, and what they cannot know. */
export interface Ledger {
  /** Tasks that a RunTask was answered with. */
  readonly started: Set<string>
  /** Tasks whose StopTask was answered. */
  readonly stopped: Set<string>
  /** What each service's desired count may be: the last that was confirmed, and later ones that may or may not have happened. */
  readonly desiredCounts: Map<string, Set<number>>
  /** Services that were deleted, or may have been. */
  readonly deleted: Set<string>
  /** The farthest status that a reader was shown of each task. */
  readonly seenStatus: Map<string, string>
}

export const ledger = (): Ledger => ({
  started: new Set(),
  stopped: new Set(),
  desiredCounts: new Map(),
  deleted: new Set(),
  seenStatus: new Map(),
})
