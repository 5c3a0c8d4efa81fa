import { shortName } from '@berth/shared/arn.ts'

/** What is read of DescribeServices. Times are in seconds since the epoch. */
export interface ServiceAnswer {
  readonly serviceName: string
  readonly clusterArn: string
  readonly status: string
  readonly desiredCount: number
  readonly taskDefinition?: string
  readonly deploymentController?: { readonly type?: string }
  readonly currentServiceDeployment?: string
  readonly deployments?: readonly DeploymentAnswer[]
}

export interface DeploymentAnswer {
  readonly id: string
  readonly status: string
  readonly taskDefinition: string
  readonly desiredCount: number
  readonly runningCount: number
  readonly pendingCount: number
  readonly failedTasks?: number
  readonly rolloutState?: string
}

/** What is read of DescribeServiceDeployments. */
export interface ServiceDeploymentAnswer {
  readonly status: string
  readonly statusReason?: string
  readonly lifecycleStage?: string
  readonly lifecycleHookDetails?: readonly { readonly hookId: string; readonly status: string }[]
  readonly deploymentCircuitBreaker?: { readonly failureCount?: number; readonly threshold?: number }
  readonly rollback?: { readonly reason?: string }
}

/** What a deployment came to; nothing while it goes on. */
export type DeploymentEnd = 'completed' | 'failed'

/** How many tasks of one revision there are. */
export interface RevisionCount {
  /** `family:revision` */
  readonly taskDefinition: string
  readonly running: number
  readonly pending: number
}

/** A deployment at one moment, as people are shown it. */
export interface DeploymentView {
  /** The new revision, and how many tasks of it are wanted. */
  readonly target: RevisionCount & { readonly wanted: number }
  /** The revisions before it that still have tasks, or are gone back to. */
  readonly others: readonly RevisionCount[]
  /** ECS's status of the service deployment: `IN_PROGRESS`, `SUCCESSFUL`, `ROLLBACK_IN_PROGRESS`, ... */
  readonly status: string
  readonly reason?: string
  readonly end?: DeploymentEnd
  /** How many failures there were in a row, and how many are one too many where the circuit breaker watches. */
  readonly failures: { readonly count: number; readonly threshold?: number }
  /** Why it goes back, and to which revision. */
  readonly rollback?: { readonly reason: string; readonly to: string }
  /** A pause hook that waits for a word. */
  readonly pause?: { readonly hookId: string; readonly stage: string }
}

const ends: Readonly<Record<string, DeploymentEnd>> = {
  SUCCESSFUL: 'completed',
  STOPPED: 'failed',
  ROLLBACK_SUCCESSFUL: 'failed',
  ROLLBACK_FAILED: 'failed',
}

/** What the two answers say of the deployment of `target`, a task definition's ARN, by the deployment of this id. */
export function deploymentView(
  service: ServiceAnswer,
  deployment: ServiceDeploymentAnswer,
  target: { readonly deploymentId: string; readonly taskDefinition: string },
): DeploymentView {
  const deployments = service.deployments ?? []
  const own = deployments.find(({ id }) => id === target.deploymentId)
  const primary = deployments.find(({ status }) => status === 'PRIMARY')
  const { status, statusReason, rollback, deploymentCircuitBreaker: breaker, lifecycleStage = '' } = deployment
  const hook = deployment.lifecycleHookDetails?.find((each) => each.status === 'AWAITING_ACTION')
  const end = ends[status]
  return {
    target: { ...countOf(own, target.taskDefinition), wanted: own?.desiredCount ?? service.desiredCount },
    others: deployments
      .filter((each) => each !== own && (each === primary || each.runningCount + each.pendingCount > 0))
      .map((each) => countOf(each, each.taskDefinition)),
    status,
    ...(statusReason !== undefined && { reason: statusReason }),
    ...(end !== undefined && { end }),
    failures: {
      count: Math.max(own?.failedTasks ?? 0, breaker?.failureCount ?? 0),
      ...((breaker?.threshold ?? 0) > 0 && { threshold: breaker?.threshold ?? 0 }),
    },
    ...(rollback !== undefined && {
      rollback: { reason: rollback.reason ?? '', to: shortName(primary?.taskDefinition ?? '') },
    }),
    ...(hook !== undefined && { pause: { hookId: hook.hookId, stage: lifecycleStage } }),
  }
}

const countOf = (deployment: DeploymentAnswer | undefined, taskDefinition: string): RevisionCount => ({
  taskDefinition: shortName(taskDefinition),
  running: deployment?.runningCount ?? 0,
  pending: deployment?.pendingCount ?? 0,
})
