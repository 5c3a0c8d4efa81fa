import type { WaitingTaskRecord } from '../../cell/records.ts'
import { waitingRequest } from '../../cell/task-queue.ts'
import { place } from '../../scheduler/placement.ts'
import { type ExplanationAnswer, explanationAnswer } from './explanation-answer.ts'
import { type CellView, timestamp } from './read-operation.ts'

/** What a task waits for, worked out now. */
export interface WaitingAnswer {
  /** In seconds since the epoch. */
  readonly since: number
  readonly priority: number
  /** When it is given up, in seconds since the epoch. */
  readonly until?: number
  /** Tasks of higher priority, or equal and older. */
  readonly ahead: number
  /** How many tasks start together with it, itself among them. */
  readonly gang?: number
  /** How many of these would find room now: where all would, it is kept for tasks that are ahead. */
  readonly fitting: number
  readonly explanation?: ExplanationAnswer
}

/** Why a task waits. */
export function explainWaiting(view: CellView, task: WaitingTaskRecord): WaitingAnswer | undefined {
  const { tables, waiting, fleet, random } = view
  const request = waitingRequest(tables, task)
  const turn = waiting.placeOf(task)
  if (request === undefined || turn === undefined) return undefined
  const count = turn.line.unitSize
  const { placed, explanation } = place(fleet, { ...request, count, explainPlaced: true }, random)
  return {
    since: timestamp(task.createdAt),
    priority: task.queue.priority,
    ...(task.queue.until !== undefined && { until: timestamp(task.queue.until) }),
    ahead: waiting.ahead(turn.unit),
    ...(count > 1 && { gang: count }),
    fitting: placed.length,
    ...(explanation !== undefined && { explanation: explanationAnswer(tables, explanation) }),
  }
}
