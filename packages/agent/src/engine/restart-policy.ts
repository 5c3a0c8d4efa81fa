import type { RestartPolicy } from '@berth/shared/gen/berth/agent/v1/agent.ts'

/** How a container's run ended. */
export interface EndedRun {
  readonly exitCode: number
  /** How long it ran, in ms. */
  readonly ranMs: number
}

/** ECS's default, in seconds (API reference, ContainerRestartPolicy). */
const defaultAttemptPeriodS = 300

/**
 * Whether a container that ended is started again on the spot: its policy says so, its exit code is not one to be ignored,
 * and it ran for as long as the policy asks; one that ends sooner stays stopped.
 */
export function mayRestart(policy: RestartPolicy | undefined, run: EndedRun): boolean {
  if (!policy?.enabled || policy.ignoredExitCodes.includes(run.exitCode)) return false
  return run.ranMs >= (policy.attemptPeriodS || defaultAttemptPeriodS) * 1000
}
