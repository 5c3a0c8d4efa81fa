import type {
  DeploymentLifecycleHook,
  DeploymentLifecycleHookStage,
  ServiceDeploymentLifecycleStage,
} from '@aws-sdk/client-ecs'
import type { PauseRecord, ServiceDeploymentRecord } from '../cell/records.ts'

/** What the stages of a service deployment depend on. */
export interface LifecycleFacts {
  /** Whether enough tasks of the target are healthy for it to succeed. */
  readonly scaledUp: boolean
  /** Whether its rollout has completed, bake time included. */
  readonly completed: boolean
  readonly now: number
  readonly newHookId: () => string
}

/** The stages of a rolling deployment, in order. It shifts no traffic: a task serves as soon as it runs. */
const stages = [
  'RECONCILE_SERVICE',
  'PRE_SCALE_UP',
  'SCALE_UP',
  'POST_SCALE_UP',
  'BAKE_TIME',
  'CLEAN_UP',
] as const satisfies readonly ServiceDeploymentLifecycleStage[]
type Stage = (typeof stages)[number]

/** ECS's default: a day. */
const defaultTimeoutMinutes = 1440

/** The pause that a deployment waits in, if it does. */
export const openPause = ({ pauses = [] }: Pick<ServiceDeploymentRecord, 'pauses'>): PauseRecord | undefined =>
  pauses.find(({ status }) => status === 'AWAITING_ACTION')

/**
 * The service deployment at the stage that it has come to. A stage with PAUSE hooks is not left before each of them was continued, or its
 * time is over and its action then is to continue; where that is to roll back, the rollback is asked for as a user would.
 */
export function lifecycleAfter(before: ServiceDeploymentRecord, facts: LifecycleFacts): ServiceDeploymentRecord {
  let record = withTimeouts(before, facts.now)
  while (record.status !== 'ROLLBACK_REQUESTED') {
    const stage = (record.lifecycleStage as Stage | undefined) ?? firstStage(record)
    record = entered(record, stage, facts)
    const next = stages[stages.indexOf(stage) + 1]
    if (next === undefined || openPause(record) !== undefined || !isOver(stage, record, facts)) return record
    record = { ...record, lifecycleStage: next }
  }
  return record
}

/** A deployment that began while another went on has more than one revision to bring together. */
const firstStage = ({ sourceRevisions }: ServiceDeploymentRecord): Stage =>
  sourceRevisions.length > 1 ? 'RECONCILE_SERVICE' : 'PRE_SCALE_UP'

function isOver(
  stage: Stage,
  { deploymentConfiguration: { bakeTimeInMinutes = 0 } }: ServiceDeploymentRecord,
  { scaledUp, completed }: LifecycleFacts,
): boolean {
  if (stage === 'SCALE_UP') return scaledUp || completed
  return stage !== 'BAKE_TIME' || completed || bakeTimeInMinutes === 0
}

/** Begins the pauses of a stage that has just been come to. */
function entered(record: ServiceDeploymentRecord, stage: Stage, facts: LifecycleFacts): ServiceDeploymentRecord {
  const known = record.pauses ?? []
  const here = { ...record, lifecycleStage: stage }
  if (known.some((pause) => pause.stage === stage)) return here
  const hooks = (record.deploymentConfiguration.lifecycleHooks ?? []).filter(({ lifecycleStages }) =>
    lifecycleStages?.includes(stage as DeploymentLifecycleHookStage),
  )
  return hooks.length === 0
    ? here
    : { ...here, pauses: [...known, ...hooks.map((hook) => newPause(hook, stage, facts))] }
}

function newPause(
  { timeoutConfiguration }: DeploymentLifecycleHook,
  stage: Stage,
  { now, newHookId }: LifecycleFacts,
): PauseRecord {
  const { timeoutInMinutes = defaultTimeoutMinutes, action = 'ROLLBACK' } = timeoutConfiguration ?? {}
  return {
    hookId: newHookId(),
    stage,
    status: 'AWAITING_ACTION',
    expiresAt: now + timeoutInMinutes * 60_000,
    timeoutAction: action,
  }
}

function withTimeouts(record: ServiceDeploymentRecord, now: number): ServiceDeploymentRecord {
  const isOverdue = ({ status, expiresAt }: PauseRecord): boolean => status === 'AWAITING_ACTION' && now >= expiresAt
  const overdue = (record.pauses ?? []).filter(isOverdue)
  if (overdue.length === 0) return record
  const pauses = (record.pauses ?? []).map((pause) =>
    isOverdue(pause) ? { ...pause, status: 'TIMED_OUT' as const } : pause,
  )
  return overdue.some(({ timeoutAction }) => timeoutAction === 'ROLLBACK')
    ? { ...record, pauses, status: 'ROLLBACK_REQUESTED', statusReason: 'A lifecycle hook timed out.' }
    : { ...record, pauses }
}
