import { seededRandom } from '@berth/shared/random.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import type { ApiOperation } from '../service.ts'
import {
  planRebalancing,
  type PlanRebalancingAnswer,
  type PlanRebalancingInput,
  planRebalancingInput,
} from './plan-rebalancing.ts'
import { decodeInput } from './read-operation.ts'

/**
 * Has the cluster make moves once, whatever its settings are, and answers with those that would be made now. They begin soon, as many at once
 * as the cluster's budget allows; a request replaces the one before it.
 */
export const requestRebalancing = (deps: ControlPlaneDeps): ApiOperation => ({
  decode: (body) => decodeInput(planRebalancingInput, body),
  handle: (input) =>
    deps.cell().transact((tx): PlanRebalancingAnswer => {
      const now = deps.clock.now()
      const asked = input as PlanRebalancingInput
      const { tables, fleet } = tx
      const view = { tables, waiting: tx.waiting, fleet: fleet.hosts, scope: deps.scope, now, random: seededRandom(1) }
      const plan = planRebalancing(view, asked)
      const cluster = tables.clusters.get(plan.cluster)
      if (cluster !== undefined && plan.moves.length > 0) {
        const rebalanceRequest = { goal: plan.goal, moves: asked.budget, requestedAt: now }
        tx.put('clusters', cluster.name, { ...cluster, rebalanceRequest })
      }
      return plan
    }),
  encode: (output) => output,
})
