import { newHookId } from '@berth/shared/ids.ts'
import type { Transaction } from '../cell/cell.ts'
import type { DeploymentRecord, ServiceDeploymentRecord, ServiceRecord } from '../cell/records.ts'
import { primaryDeployment } from '../cell/service-changes.ts'
import {
  currentServiceDeployment,
  putServiceDeployment,
  revisionIdOf,
  rollbackTarget,
} from '../cell/service-deployments.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import { lifecycleAfter, openPause } from './deployment-lifecycle.ts'
import type { ServiceTask } from './service-plan.ts'
import { enoughHealthy } from './service-settling.ts'

/** Brings the stage of a service's current service deployment in step with its tasks, before anything is done about them. */
export function advanceLifecycle(
  tx: Transaction,
  service: ServiceRecord,
  judged: readonly ServiceTask[],
  { clock, random }: ControlPlaneDeps,
): void {
  const primary = primaryDeployment(service)
  const current = deploymentUnderWay(tx, service, primary)
  if (primary === undefined || current === undefined) return
  const now = clock.now()
  const next = lifecycleAfter(current, {
    scaledUp: enoughHealthy(service, primary, judged),
    completed: primary.rolloutState === 'COMPLETED',
    now,
    newHookId: () => newHookId(random),
  })
  if (JSON.stringify(next) !== JSON.stringify(current)) putServiceDeployment(tx, { ...next, updatedAt: now })
}

/** The current service deployment while it goes to its target, and nobody has asked it to stop. */
function deploymentUnderWay(
  tx: Transaction,
  service: ServiceRecord,
  primary: DeploymentRecord | undefined,
): ServiceDeploymentRecord | undefined {
  const current = currentServiceDeployment(tx.tables, service)
  if (current === undefined || primary === undefined || service.status !== 'ACTIVE') return undefined
  const goesOn = current.status === 'PENDING' || current.status === 'IN_PROGRESS'
  return goesOn && revisionIdOf(primary) === current.targetRevision ? current : undefined
}

/** How a PAUSE hook holds a service. */
export interface Hold {
  /** The deployment that tasks are kept at meanwhile: the PRIMARY one after its scale-up, before it the one that it replaces, if any. */
  readonly acting: DeploymentRecord | undefined
  /** When it ends by itself, in ms since the epoch. */
  readonly until: number
}

/** Whether the PRIMARY deployment waits in a pause: nothing of it starts before its scale-up, and it does not complete after it. */
export function holdOf(tx: Transaction, service: ServiceRecord): Hold | undefined {
  const primary = primaryDeployment(service)
  const current = deploymentUnderWay(tx, service, primary)
  const pause = current && openPause(current)
  if (primary === undefined || pause === undefined) return undefined
  if (pause.stage === 'POST_SCALE_UP') return { acting: primary, until: pause.expiresAt }
  const target = rollbackTarget(service, primary)
  const others = service.deployments.filter(({ id }) => id !== primary.id)
  // What is listed has its failures and its throttle as they are now.
  const before = others.find(({ id }) => id === target?.id) ?? target ?? others[0]
  return { acting: before, until: pause.expiresAt }
}
