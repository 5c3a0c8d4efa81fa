import type { Revision, TaskAssignment, TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'

/**
 * What the session sees of the engine: assignments go in, reports come out. The engine journals an assignment set before
 * `apply` resolves, so that the session may acknowledge it.
 */
export interface TaskEngine {
  /** The last assignment set that is durable on this host. */
  held(): Revision
  /**
   * Takes a full set (`full: true`) or a delta, journals it, and starts working on it.
   *
   * @throws Error when the journal cannot be written: then nothing was taken.
   */
  apply(set: AssignmentSet): Promise<void>
  /** Reports that the control plane has not acknowledged yet, newest state per task, at most `limit`. */
  pendingReports(limit: number): readonly TaskReport[]
  /** The control plane has these reports on disk. A report that changed since stays pending. */
  acknowledge(reports: readonly TaskReport[]): void
  /** Reports everything again, as after joining a control plane that may have forgotten. */
  reportAll(): void
  /** Called when there is something new to report. */
  onReport(listener: () => void): void
  /** Whether the container engine answers, and why not. */
  health(): { readonly healthy: boolean; readonly message: string }
}

export interface AssignmentSet {
  readonly revision: Revision
  readonly full: boolean
  readonly put: readonly TaskAssignment[]
  readonly removeTaskArns: readonly string[]
}
