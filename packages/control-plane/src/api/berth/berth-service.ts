import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import type { ApiService } from '../service.ts'
import { explainService, explainServiceInput } from './explain-service.ts'
import { explainTask, explainTaskInput } from './explain-task.ts'
import { planRebalancing, planRebalancingInput } from './plan-rebalancing.ts'
import { planTasks, planTasksInput } from './plan-tasks.ts'
import { readOperation } from './read-operation.ts'
import { requestRebalancing } from './request-rebalancing.ts'
import { serviceHistory, serviceHistoryInput } from './service-history.ts'
import { taskHistory, taskHistoryInput } from './task-history.ts'
import { type TrustDeps, trustOperations } from './trust-operations.ts'

/** What stands before the dot in `X-Amz-Target`: the name and version of Berth's own API. */
export const berthTargetPrefix = 'Berth_20261101'

/** What ECS has no word for, as a service of its own beside it: same protocol, same keys, scope `berth`. */
export const berthService = (deps: ControlPlaneDeps, trust?: TrustDeps): ApiService => ({
  name: 'berth',
  targetPrefix: berthTargetPrefix,
  operations: new Map([
    ['ExplainTask', readOperation(deps, explainTaskInput, explainTask)],
    ['ExplainService', readOperation(deps, explainServiceInput, explainService)],
    ['PlanTasks', readOperation(deps, planTasksInput, planTasks)],
    ['PlanRebalancing', readOperation(deps, planRebalancingInput, planRebalancing)],
    ['RequestRebalancing', requestRebalancing(deps)],
    ['GetTaskHistory', readOperation(deps, taskHistoryInput, taskHistory)],
    ['GetServiceHistory', readOperation(deps, serviceHistoryInput, serviceHistory)],
    ...trustOperations(deps, trust),
  ]),
})
