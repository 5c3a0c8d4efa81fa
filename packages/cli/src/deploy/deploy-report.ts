import { shortName } from '@berth/shared/arn.ts'
import { counted } from '../counted.ts'
import { type FailedTask, failureLines } from './failed-tasks.ts'
import { countsLine, type DeploymentProgress } from './progress-lines.ts'

/** A deployment that was accepted, as `--json` shows it, with what it came to where that was waited for. */
export interface DeployResult {
  readonly service: string
  readonly cluster: string
  readonly container: string
  readonly image: string
  /** ARNs of what it deploys, and of what the service ran before. */
  readonly taskDefinition: string
  readonly previousTaskDefinition: string
  readonly serviceDeploymentArn: string
  readonly deploymentId: string
  /** ECS's status of the service deployment, when it was looked at last. */
  readonly status: string
  readonly reason?: string
  /** From the command's beginning to the end, or to when the time was over. */
  readonly seconds?: number
  readonly timedOut?: boolean
  readonly failedTasks?: readonly FailedTask[]
  /** Why tasks find no room, in lines. */
  readonly noRoom?: readonly string[]
}

/** What a deployment came to. */
export interface DeployOutcome {
  readonly progress: DeploymentProgress
  readonly seconds: number
}

/** The result with what it came to. */
export function resultOf(accepted: DeployResult, { progress, seconds }: DeployOutcome): DeployResult {
  const { status, reason, end, failed, noRoom } = progress
  return {
    ...accepted,
    status,
    ...(reason !== undefined && { reason }),
    seconds: Math.round(seconds * 1000) / 1000,
    timedOut: end === undefined,
    ...(failed.length > 0 && { failedTasks: failed }),
    ...(noRoom.length > 0 && { noRoom }),
  }
}

/** How it ended, as a person reads it: one line where it went well, else with the reasons. */
export function outcomeLines(
  { service, image, taskDefinition }: DeployResult,
  { progress, seconds }: DeployOutcome,
): readonly string[] {
  const revision = shortName(taskDefinition)
  const took = `${seconds.toFixed(1)} s`
  if (progress.end === 'completed') {
    const failed = progress.failed.length === 0 ? '' : `; ${counted(progress.failed.length, 'task')} failed on the way`
    return [
      `${service} runs ${revision} with ${image}: ${counted(progress.target.running, 'task')}, after ${took}${failed}.`,
    ]
  }
  return [
    headline(progress, revision, took),
    ...failureLines(progress.failed).map((line) => `  ${line}`),
    ...progress.noRoom.map((line) => `  ${line}`),
    ...(progress.end === undefined ? [`It goes on. ${countsLine(progress)}.`] : []),
    `Where its time went: berth history ${service}`,
  ]
}

function headline({ end, status, reason, rollback }: DeploymentProgress, revision: string, took: string): string {
  if (end === undefined) return `The deployment of ${revision} has not ended after ${took}.`
  const why = reason === undefined ? '' : `: ${reason}`
  if (status === 'ROLLBACK_SUCCESSFUL')
    return `The deployment of ${revision} failed and was rolled back to ${rollback?.to ?? 'the one before'}, after ${took}${why}`
  if (status === 'ROLLBACK_FAILED')
    return `The deployment of ${revision} failed, and so did going back, after ${took}${why}`
  return `The deployment of ${revision} failed after ${took}${why}`
}
