import type { HostRecord, ServiceRecord, TaskRecord } from '../cell/records.ts'
import { taskHealth } from '../cell/task-health.ts'
import type { ControlPlaneSettings } from '../control-plane-deps.ts'
import type { ServiceTask } from './service-plan.ts'

/**
 * How a task counts for its service. Healthy is RUNNING and, where it has health checks, HEALTHY; without any it must have run for the
 * settle time (40 s in ECS's documentation). A task gives way when its host drains or its health check fails, which is not looked at before
 * the service's grace period is over.
 */
export function judgeTask(
  task: TaskRecord,
  service: Pick<ServiceRecord, 'healthCheckGracePeriodSeconds'>,
  hosts: { get(key: string): HostRecord | undefined },
  { settleMs }: Pick<ControlPlaneSettings, 'settleMs'>,
  now: number,
): ServiceTask {
  const health = taskHealth(task)
  const runs = task.lastStatus === 'RUNNING'
  const startedAt = task.startedAt ?? now
  const settledAt = isChecked(task) ? undefined : startedAt + settleMs
  const graceEndsAt = startedAt + (service.healthCheckGracePeriodSeconds ?? 0) * 1000
  const unhealthy = runs && health === 'UNHEALTHY' && now >= graceEndsAt
  const draining = task.hostId !== undefined && hosts.get(task.hostId)?.status === 'DRAINING'
  const isProtected = task.protectedUntil !== undefined && now < task.protectedUntil
  const changes = [
    runs ? settledAt : undefined,
    runs && health === 'UNHEALTHY' ? graceEndsAt : undefined,
    task.protectedUntil,
  ].filter((at): at is number => at !== undefined && at > now)
  return {
    task,
    healthy: runs && (settledAt === undefined ? health === 'HEALTHY' : now >= settledAt),
    replace: draining || unhealthy,
    ...(unhealthy && { unhealthy }),
    ...(isProtected && { protected: true }),
    ...(changes.length > 0 && { changesAt: Math.min(...changes) }),
  }
}

const isChecked = (task: TaskRecord): boolean =>
  task.containers.some(({ essential, hasHealthCheck }) => essential && hasHealthCheck)

/** A service that is deleted stops its tasks whatever protects them. */
export const unprotected = (task: ServiceTask): ServiceTask => ({ ...task, protected: false })
