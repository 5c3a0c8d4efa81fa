import type { HostRecord, TaskRecord } from '../cell/records.ts'
import { taskHealth } from '../cell/task-health.ts'
import type { ControlPlaneSettings } from '../control-plane-deps.ts'
import type { ServiceTask } from './service-plan.ts'

/**
 * How a task counts for its service. Healthy is RUNNING and, where it has health checks, HEALTHY; without any it must have run for the
 * settle time (40 s in ECS's documentation). A task gives way when its host drains or its health check fails.
 */
export function judgeTask(
  task: TaskRecord,
  hosts: { get(key: string): HostRecord | undefined },
  settings: Pick<ControlPlaneSettings, 'settleMs'>,
  now: number,
): ServiceTask {
  const health = taskHealth(task)
  const draining = task.hostId !== undefined && hosts.get(task.hostId)?.status === 'DRAINING'
  return {
    task,
    healthy: task.lastStatus === 'RUNNING' && isProven(task, health, settings, now),
    replace: draining || health === 'UNHEALTHY',
  }
}

function isProven(
  task: TaskRecord,
  health: ReturnType<typeof taskHealth>,
  { settleMs }: Pick<ControlPlaneSettings, 'settleMs'>,
  now: number,
): boolean {
  const isChecked = task.containers.some(({ essential, hasHealthCheck }) => essential && hasHealthCheck)
  return isChecked ? health === 'HEALTHY' : now - (task.startedAt ?? now) >= settleMs
}
