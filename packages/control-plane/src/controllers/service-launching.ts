import type { Transaction } from '../cell/cell.ts'
import type { DeploymentRecord, ServiceRecord, TaskDefinitionRecord } from '../cell/records.ts'
import { appendServiceEvent } from '../cell/service-changes.ts'
import { taskDefinitionOfArn } from '../cell/service-launch.ts'
import type { LaunchOutcome } from '../cell/task-launch.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import * as say from './service-sentences.ts'

/** Equal complaints are left out for this long, as ECS does. */
const repeatComplaintAfterMs = 6 * 3600_000

/** What came of a step's launches. */
export interface LaunchStep {
  readonly service: ServiceRecord
  readonly waitsForRoom: boolean
  /** When the restart throttle lets the next task start. */
  readonly throttledUntil?: number
}

interface Launches {
  readonly start: number
  readonly launch: (definition: TaskDefinitionRecord) => LaunchOutcome
}

/** Starts what is missing of a deployment, unless the restart throttle says to wait, and says what found no place. */
export function launchMissing(
  tx: Transaction,
  service: ServiceRecord,
  deployment: DeploymentRecord,
  { start, launch }: Launches,
  deps: ControlPlaneDeps,
): LaunchStep {
  if (start === 0) return { service, waitsForRoom: false }
  if (deployment.notBefore !== undefined && deployment.notBefore > deps.clock.now())
    return { service, waitsForRoom: false, throttledUntil: deployment.notBefore }
  const definition = taskDefinitionOfArn(tx.tables, deployment.taskDefinitionArn)
  if (!definition) return { service, waitsForRoom: false }
  const { tasks, unplaced, explanation } = launch(definition)
  if (tasks.length > 0) appendServiceEvent(tx, deps, service, say.startedTasks(service, tasks))
  if (unplaced === 0) return { service: withoutComplaint(service), waitsForRoom: false }
  return { service: complain(tx, service, say.cannotPlace(service, explanation), deps), waitsForRoom: true }
}

/** Whether a complaint in these words was made not long ago. */
export const wasSaid = (last: ServiceRecord['placementFailure'], message: string, now: number): boolean =>
  last?.message === message && now - last.at < repeatComplaintAfterMs

/** Says what stands in the way, unless it was said in these words not long ago. */
export function complain(
  tx: Transaction,
  service: ServiceRecord,
  message: string,
  deps: ControlPlaneDeps,
): ServiceRecord {
  const now = deps.clock.now()
  if (wasSaid(service.placementFailure, message, now)) return service
  appendServiceEvent(tx, deps, service, message)
  return { ...service, placementFailure: { message, at: now }, steady: false }
}

/** The service with nothing in its way: what is said next is said even in the same words. */
export function withoutComplaint(service: ServiceRecord): ServiceRecord {
  if (!service.placementFailure) return service
  const { placementFailure: _, ...rest } = service
  return rest
}
