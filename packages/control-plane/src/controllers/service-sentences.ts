import type { Explanation, HostVerdict } from '../scheduler/explanation.ts'
import { describeLack, renderExplanation } from '../scheduler/explain.ts'
import type { DeploymentRecord, ServiceRecord, TaskRecord, TaskSetRecord } from '../cell/records.ts'

/**
 * What a service says of itself in its events and deployments, word for word as ECS (developer guide, "Amazon ECS service event
 * messages"): clients and people match on these.
 */

const listed = (tasks: readonly TaskRecord[]): string => tasks.map(({ id }) => `(task ${id})`).join(' ')

export const startedTasks = ({ name }: ServiceRecord, tasks: readonly TaskRecord[]): string =>
  `(service ${name}) has started ${tasks.length} tasks: ${listed(tasks)}.`

export const stoppedTasks = ({ name }: ServiceRecord, tasks: readonly TaskRecord[]): string =>
  `(service ${name}) has stopped ${tasks.length} running tasks: ${listed(tasks)}.`

/** Of task sets ECS says which one. */
const ofTaskSet = ({ name }: ServiceRecord, { id }: TaskSetRecord): string => `(service ${name}, taskSet ${id})`

export const taskSetStartedTasks = (service: ServiceRecord, set: TaskSetRecord, tasks: readonly TaskRecord[]): string =>
  `${ofTaskSet(service, set)} has started ${tasks.length} tasks: ${listed(tasks)}.`

export const taskSetStoppedTasks = (service: ServiceRecord, set: TaskSetRecord, tasks: readonly TaskRecord[]): string =>
  `${ofTaskSet(service, set)} has stopped ${tasks.length} running tasks: ${listed(tasks)}.`

export const steadyState = ({ name }: ServiceRecord): string => `(service ${name}) has reached a steady state.`

export const deploymentCompleted = ({ name }: ServiceRecord, deployment: DeploymentRecord): string =>
  `(service ${name}) (deployment ${deployment.id}) deployment completed.`

export const cannotStartConsistently = ({ name }: ServiceRecord): string =>
  `(service ${name}) is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.`

export const blockedByConfiguration = ({ name }: ServiceRecord): string =>
  `(service ${name}) was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.`

export const scalingActivity = (deployment: Pick<DeploymentRecord, 'id'>): string =>
  `Scaling activity initiated by (deployment ${deployment.id})`

export const rolloutCompleted = ({ id }: DeploymentRecord): string => `ECS deployment ${id} completed.`

export const deploymentFailed = ({ name }: ServiceRecord, { id }: DeploymentRecord): string =>
  `(service ${name}) (deployment ${id}) deployment failed: tasks failed to start.`

export const rollingBack = ({ name }: ServiceRecord, target: DeploymentRecord): string =>
  `(service ${name}) rolling back to deployment ${target.id}.`

/** The reason of a rollout that the circuit breaker ended. */
export const breakerTripped = 'ECS deployment circuit breaker: task failed to start.'

export const breakerRollsBack = ({ id }: DeploymentRecord): string =>
  `ECS deployment circuit breaker: rolling back to deploymentId ${id}.`

/** The reason of a rollout that a user stopped by StopServiceDeployment. ECS's own words for it are not public. */
export const stoppedByUser = 'ECS deployment stopped by user.'

/** A reason such as `stoppedByUser`, and where the service goes for it. */
export const rollsBackFor = (reason: string, { id }: DeploymentRecord): string =>
  `${reason.replace(/\.$/, '')}: rolling back to deploymentId ${id}.`

export const failedHealthChecks = ({ name }: ServiceRecord, { id }: TaskRecord): string =>
  `(service ${name}) (task ${id}) failed container health checks.`

/** The reason of a task that was stopped for its health check. */
export const unhealthyTask = 'Task failed container health checks'

const guide = 'For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.'

/** ECS's sentence first, then the particulars, which ECS does not tell. */
export function cannotPlace({ name }: ServiceRecord, explanation: Explanation | undefined): string {
  const sentence = `(service ${name}) was unable to place a task because no container instance met all of its requirements.`
  if (!explanation || explanation.considered === 0)
    return `(service ${name}) was unable to place a task. Reason: No Container Instances were found in your cluster. ${guide}`
  const [closest] = explanation.closest
  const reason = closest ? ` The closest matching (container-instance ${closest.hostId}) ${closestLack(closest)}.` : ''
  return `${sentence}${reason} ${guide} ${particulars(explanation)}`
}

const particulars = (explanation: Explanation): string =>
  renderExplanation(explanation)
    .map((line) => line.trim())
    .join('; ')

/** In ECS's words where it has some for what is lacking. */
function closestLack({ lacks }: HostVerdict): string {
  const [lack] = lacks
  if (lack === undefined) return 'encountered an unknown error'
  if (lack.rule === 'cpu') return 'has insufficient CPU units available'
  if (lack.rule === 'memory') return 'has insufficient memory available'
  if (lack.rule === 'ports') return 'is already using a port required by your task'
  if (lack.rule === 'agent') return 'encountered error "AGENT"'
  if (lack.rule === 'attribute') return 'is missing an attribute required by your task'
  return `lacks what your task needs (${describeLack(lack)})`
}
