import { describeLack, failureReason, renderExplanation } from '../scheduler/explain.ts'
import type { Explanation, HostVerdict } from '../scheduler/explanation.ts'

/** Why one host could not take a task. */
export interface HostFailure {
  readonly hostId: string
  /** ECS's reason, such as `RESOURCE:CPU` or `AGENT`. */
  readonly reason: string
  /** Everything the host lacks, in words. */
  readonly detail: string
}

/** What stands in the way of a task on one host. */
export const hostFailure = (verdict: HostVerdict): HostFailure => ({
  hostId: verdict.hostId,
  reason: failureReason(verdict) ?? 'RESOURCE',
  detail: verdict.lacks.map(describeLack).join('; '),
})

/** The hosts that came closest to taking a task, the closest first, and why they could not. */
export const hostFailures = (explanation: Explanation): HostFailure[] => explanation.closest.map(hostFailure)

/** Which rules removed how many hosts, on one line and without naming any. */
export const summarizeFailure = (explanation: Explanation): string =>
  renderExplanation({
    considered: explanation.considered,
    suitable: explanation.suitable,
    removed: explanation.removed,
    closest: [],
  })
    .map((line) => line.trim())
    .join('; ')
