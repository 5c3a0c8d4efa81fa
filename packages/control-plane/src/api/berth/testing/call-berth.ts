import type { ControlPlaneDeps } from '../../../control-plane-deps.ts'
import type { RequestContext } from '../../operation.ts'
import { berthService } from '../berth-service.ts'
import type { ExplainServiceAnswer } from '../explain-service.ts'
import type { ExplainTaskAnswer } from '../explain-task.ts'
import type { PlanRebalancingAnswer } from '../plan-rebalancing.ts'
import type { PlanTasksAnswer } from '../plan-tasks.ts'
import type { ServiceHistoryAnswer } from '../service-history.ts'
import type { TaskHistoryAnswer } from '../task-history.ts'

interface Answers {
  ExplainTask: ExplainTaskAnswer
  ExplainService: ExplainServiceAnswer
  PlanTasks: PlanTasksAnswer
  PlanRebalancing: PlanRebalancingAnswer
  RequestRebalancing: PlanRebalancingAnswer
  GetTaskHistory: TaskHistoryAnswer
  GetServiceHistory: ServiceHistoryAnswer
}

/** How tests call Berth's own operations: a body as it comes from the wire, the answer as it goes there. */
export function berthCaller(deps: ControlPlaneDeps, context: () => RequestContext) {
  const { operations } = berthService(deps)
  return async <Op extends keyof Answers>(name: Op, body: object = {}): Promise<Answers[Op]> => {
    const operation = operations.get(name)
    if (operation === undefined) throw new Error(`there is no operation ${name}`)
    const answer = operation.encode(await operation.handle(operation.decode(body), context()))
    return JSON.parse(JSON.stringify(answer)) as Answers[Op]
  }
}
