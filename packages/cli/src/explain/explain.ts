import type { ExplainServiceAnswer } from '@berth/control-plane/api/berth/explain-service.ts'
import type { ExplainTaskAnswer } from '@berth/control-plane/api/berth/explain-task.ts'
import type { CommandContext } from '../command-context.ts'
import type { EcsClient } from '../ecs/ecs-client.ts'
import { namesTask } from '../task-reference.ts'
import { serviceExplanation, taskExplanation } from './explain-report.ts'

export interface ExplainRequest {
  /** A task's id or ARN, or a service's name or ARN. */
  readonly resource: string
  readonly cluster: string | undefined
  readonly json: boolean
}

/** Tells why a task is where it is, or why a service's tasks are where they are and what the missing ones wait for. */
export async function explain(
  berth: EcsClient,
  { resource, cluster, json }: ExplainRequest,
  { out }: Pick<CommandContext, 'out'>,
): Promise<number> {
  const show = <Answer>(answer: Answer, report: (answer: Answer) => readonly string[]) =>
    json ? out(JSON.stringify(answer, undefined, 2)) : report(answer).forEach((line) => out(line))
  if (namesTask(resource)) {
    show(await berth<ExplainTaskAnswer>('ExplainTask', { cluster, task: resource }), taskExplanation)
  } else {
    show(await berth<ExplainServiceAnswer>('ExplainService', { cluster, service: resource }), serviceExplanation)
  }
  return 0
}
