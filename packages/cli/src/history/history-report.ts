import type { DeploymentHistory, ServiceHistoryAnswer } from '@berth/control-plane/api/berth/service-history.ts'
import type { HistoryStep, TaskHistoryAnswer } from '@berth/control-plane/api/berth/task-history.ts'
import { counted } from '../counted.ts'
import { textTable } from '../text-table.ts'

/** A task's history as a person reads it: a line a step, with how long it lasted. */
export function taskHistoryReport({ task, steps, containers, now }: TaskHistoryAnswer): readonly string[] {
  return [
    `Task ${task.taskId} (${task.taskDefinition}, ${task.group}) is ${task.lastStatus}. It began ${clockTime(task.createdAt)}.`,
    '',
    ...stepTable(steps, task.lastStatus === 'STOPPED' ? undefined : now),
    '',
    ...textTable(
      [{ head: 'CONTAINER' }, { head: 'STATUS' }, { head: 'EXIT CODE' }, { head: 'RESTARTS' }, { head: 'REASON' }],
      containers.map(({ name, lastStatus, exitCode, restarts, reason }) => [
        name,
        lastStatus,
        String(exitCode ?? ''),
        String(restarts),
        reason ?? '',
      ]),
    ),
  ]
}

/** The histories of a service's deployments as a person reads them, newest first. */
export function serviceHistoryReport({ service, deployments, now }: ServiceHistoryAnswer): readonly string[] {
  return [
    `Service ${service.serviceName} (${service.taskDefinition}) is ${service.status}, with ${counted(deployments.length, 'deployment')} that it remembers.`,
    ...deployments.flatMap((deployment) => ['', ...deploymentLines(deployment, now)]),
  ]
}

function deploymentLines({ id, taskDefinition, state, reason, steps }: DeploymentHistory, now: number) {
  const began = steps[0]?.at ?? now
  const completed = steps.find(({ status }) => status === 'COMPLETED' || status === 'FAILED')
  const took =
    completed === undefined
      ? `for ${seconds(now - began)} so far`
      : `${completed.status === 'FAILED' ? 'failed' : 'completed'} after ${seconds(completed.at - began)}`
  return [
    `Deployment ${id} of ${taskDefinition}: ${state}, ${took}. It began ${clockTime(began)}.`,
    ...(completed?.status === 'FAILED' ? [reason] : []),
    ...stepTable(steps, completed === undefined ? now : undefined),
  ]
}

/** A line a step: when it began after the first, how long it lasted, and what it is. The last one lasts until `now`, if that is given. */
function stepTable(steps: readonly HistoryStep[], now: number | undefined): readonly string[] {
  const began = steps[0]?.at ?? 0
  return textTable(
    [{ head: 'AFTER', align: 'right' }, { head: 'LASTED', align: 'right' }, { head: 'STATUS' }, { head: 'WHAT' }],
    steps.map(({ at, status, text }, index) => {
      const end = steps[index + 1]?.at ?? now
      return [seconds(at - began), end === undefined ? '' : seconds(end - at), status ?? '', text]
    }),
  )
}

/** A time that stands still for a reader in any zone. */
const clockTime = (at: number): string => new Date(at * 1000).toISOString().replace('T', ' ').replace('Z', ' UTC')

const seconds = (time: number): string => `${Math.max(0, time).toFixed(3)} s`
