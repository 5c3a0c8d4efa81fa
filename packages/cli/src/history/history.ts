import type { ServiceHistoryAnswer } from '@berth/control-plane/api/berth/service-history.ts'
import type { TaskHistoryAnswer } from '@berth/control-plane/api/berth/task-history.ts'
import type { CommandContext } from '../command-context.ts'
import type { EcsClient } from '../ecs/ecs-client.ts'
import { namesTask } from '../task-reference.ts'
import { serviceHistoryReport, taskHistoryReport } from './history-report.ts'

export interface HistoryRequest {
  /** A task's id or ARN, or a service's name or ARN. */
  readonly resource: string
  readonly cluster: string | undefined
  readonly json: boolean
}

/** Shows where the seconds of a task, or of a service's deployments, went. */
export async function history(
  berth: EcsClient,
  { resource, cluster, json }: HistoryRequest,
  { out }: Pick<CommandContext, 'out'>,
): Promise<number> {
  const show = <Answer>(answer: Answer, report: (answer: Answer) => readonly string[]) =>
    json ? out(JSON.stringify(answer, undefined, 2)) : report(answer).forEach((line) => out(line))
  if (namesTask(resource)) {
    show(await berth<TaskHistoryAnswer>('GetTaskHistory', { cluster, task: resource }), taskHistoryReport)
  } else {
    show(await berth<ServiceHistoryAnswer>('GetServiceHistory', { cluster, service: resource }), serviceHistoryReport)
  }
  return 0
}
